#include "harness/cases/read_number.h"

#include "harness/core/clock.h"
#include "harness/core/error.h"
#include "harness/core/numbers.h"
#include "harness/core/regex.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace bench::harness {
namespace {

/// A line of what was read, for an error.
std::string shown(const std::string& text) {
  std::string line = text.substr(0, std::min<std::size_t>(text.find('\n'), 200));
  for (char& c : line)
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  return line;
}

double checked(double value, const DeclaredMetric& metric, const std::string& read, const std::string& where) {
  if (!std::isfinite(value))
    throw Error::at_run_time(where, fmt::format("{} is no finite number: '{}'", metric.name, shown(read)), "");
  return value;
}

double number_of(const Json& json, const DeclaredMetric& metric, const std::string& where) {
  if (!json.is_number())
    throw Error::at_run_time(where, fmt::format("{} is no number: {}", metric.name, shown(dumped(json))), "");
  return checked(json.get<double>(), metric, dumped(json), where);
}

std::vector<double> numbers_of(const Json& json, const DeclaredMetric& metric, const std::string& where) {
  if (!json.is_array()) return {number_of(json, metric, where)};
  std::vector<double> numbers;
  for (const auto& one : json) numbers.push_back(number_of(one, metric, where));
  return numbers;
}

/// How many of the metric's unit make up a second.
double per_second(const DeclaredMetric& metric, const std::string& where) {
  constexpr std::pair<const char*, double> kUnits[] = {{"s", 1}, {"ms", 1e3}, {"us", 1e6}, {"ns", 1e9}};
  for (const auto& [unit, factor] : kUnits)
    if (metric.unit == unit) return factor;
  throw Error::at_run_time(where, fmt::format("holds times, but {} is in {}", metric.name, metric.unit),
                           "declare it in s, ms, us or ns");
}

void check_unit(const std::string& unit, const DeclaredMetric& metric, const std::string& where) {
  if (metric.unit != unit)
    throw Error::at_run_time(where, fmt::format("holds {}, but {} is in {}", unit, metric.name, metric.unit),
                             fmt::format("declare it with unit: {}", unit));
}

[[noreturn]] void missing(const std::string& what, const std::string& name, const std::vector<std::string>& known,
                          const std::string& where) {
  throw Error::at_run_time(where, fmt::format("has no {} '{}'", what, name), unknown_name_hint(name, known));
}

std::vector<double> scaled(std::vector<double> values, double factor) {
  for (double& value : values) value *= factor;
  return values;
}

/// {"benchmarks": [{"name": "BM_x", "run_type": "iteration", "real_time": 1.5, "time_unit": "ns"}]}
std::vector<double> read_google_benchmark(const Json& json, const std::string& name, const DeclaredMetric& metric,
                                          const std::string& where) {
  std::vector<double> samples;
  std::vector<std::string> known;
  for (const auto& one : json.at("benchmarks")) {
    known.push_back(one.at("name"));
    if (one.at("name") != name || one.value("run_type", "iteration") != "iteration") continue;
    if (one.contains("error_occurred") || one.contains("skipped"))
      throw Error::at_run_time(where, fmt::format("benchmark '{}' did not work: {}", name, shown(dumped(one))), "");
    const std::string unit = one.value("time_unit", "ns");
    const double seconds =
        number_of(one.at("real_time"), metric, where) / per_second({.name = "its time_unit", .unit = unit}, where);
    samples.push_back(seconds * per_second(metric, where));
  }
  if (samples.empty()) missing("benchmark", name, known, where);
  return samples;
}

/// {"results": [{"command": "sleep 1", "times": [1.0, 1.1]}]}
std::vector<double> read_hyperfine(const Json& json, const std::string& name, const DeclaredMetric& metric,
                                   const std::string& where) {
  const Json& results = json.at("results");
  std::vector<std::string> known;
  for (std::size_t i = 0; i < results.size(); ++i) {
    known.push_back(results[i].at("command"));
    if (known.back() == name || std::to_string(i) == name)
      return scaled(numbers_of(results[i].at("times"), metric, where), per_second(metric, where));
  }
  missing("command", name, known, where);
}

/// [{"n_prompt": 512, "n_gen": 0, "samples_ts": [100.1, 101.2]}]; llama-bench's tables call that one pp512.
std::vector<double> read_llama_bench(const Json& json, const std::string& name, const DeclaredMetric& metric,
                                     const std::string& where) {
  std::vector<std::string> known;
  std::vector<double> samples;
  for (const auto& one : json) {
    const std::int64_t prompt = whole_number(one.at("n_prompt")), generated = whole_number(one.at("n_gen"));
    std::string test = prompt > 0 ? fmt::format("pp{}", prompt) : "";
    if (generated > 0) test += fmt::format("{}tg{}", test.empty() ? "" : "+", generated);
    known.push_back(test);
    if (test != name) continue;
    check_unit("tokens/s", metric, where);
    if (!samples.empty())
      throw Error::at_run_time(where, fmt::format("has several tests '{}'", name),
                               "one value for each option, or json:");
    samples = numbers_of(one.at("samples_ts"), metric, where);
  }
  if (samples.empty()) missing("test", name, known, where);
  return samples;
}

/// {"metadata": {"unit": "second"}, "benchmarks": [{"metadata": {"name": "x"}, "runs": [{"values": [0.1]}]}]}
std::vector<double> read_pyperf(const Json& json, const std::string& name, const DeclaredMetric& metric,
                                const std::string& where) {
  const Json shared = json.value("metadata", Json::object());
  std::vector<std::string> known;
  for (const auto& one : json.at("benchmarks")) {
    Json metadata = shared;
    metadata.update(one.value("metadata", Json::object()));
    known.push_back(metadata.value("name", ""));
    if (known.back() != name) continue;
    std::vector<double> samples;
    for (const auto& run : one.at("runs"))
      for (const double value : numbers_of(run.value("values", Json::array()), metric, where)) samples.push_back(value);
    if (samples.empty()) throw Error::at_run_time(where, fmt::format("benchmark '{}' has no values", name), "");
    if (metadata.value("unit", "second") == "second") return scaled(samples, per_second(metric, where));
    check_unit(metadata.value("unit", ""), metric, where);
    return samples;
  }
  missing("benchmark", name, known, where);
}

std::vector<double> read_pointer(const Json& json, const std::string& pointer, const DeclaredMetric& metric,
                                 const std::string& where) {
  const Json::json_pointer place(pointer);
  if (!json.contains(place))
    throw Error::at_run_time(
        where, fmt::format("has nothing at {} for {}: {}", pointer, metric.name, shown(dumped(json))), "");
  return numbers_of(json.at(place), metric, where);
}

std::vector<double> read_regex(const std::string& pattern, const DeclaredMetric& metric, const std::string& text,
                               const std::string& where) {
  const Regex expression(pattern);
  std::vector<double> samples;
  const double end_s = now_s() + 10;
  for (std::size_t begin = 0; begin <= text.size();) {
    if (now_s() > end_s) throw Error::at_run_time(where, fmt::format("'{}' takes too long to look for", pattern), "");
    const auto match = expression.find(text, begin);
    if (!match) break;
    const std::string &line = match->texts[0], &number = match->texts[1];
    const auto value = parse_number(number);
    if (!value)
      throw Error::at_run_time(
          where, fmt::format("{} is no number: '{}' in '{}'", metric.name, shown(number), shown(line)), "");
    samples.push_back(checked(*value, metric, line, where));
    if (match->texts.size() > 2 && match->texts[2] != metric.unit)
      throw Error::at_run_time(
          where, fmt::format("{} is in {}, not in {}: '{}'", metric.name, match->texts[2], metric.unit, shown(line)),
          "");
    begin = match->end + (match->end == match->begin ? 1 : 0);
  }
  if (samples.empty())
    throw Error::at_run_time(where, fmt::format("has nothing that '{}' matches, for {}", pattern, metric.name),
                             text.empty() ? "it is empty" : fmt::format("it begins with '{}'", shown(text)));
  return samples;
}

/// The samples of a document in JSON.
std::vector<double> read_report(const NumberSource& source, const DeclaredMetric& metric, const std::string& text,
                                const std::string& where) {
  const Json json = parse_json(text, where);
  try {
    if (!source.json.empty()) return read_pointer(json, source.json, metric, where);
    if (!source.google_benchmark.empty()) return read_google_benchmark(json, source.google_benchmark, metric, where);
    if (!source.hyperfine.empty()) return read_hyperfine(json, source.hyperfine, metric, where);
    if (!source.llama_bench.empty()) return read_llama_bench(json, source.llama_bench, metric, where);
    return read_pyperf(json, source.pyperf, metric, where);
  } catch (const Json::exception& e) {
    throw Error::at_run_time(where, fmt::format("is no such report as was expected: {}", e.what()), shown(text));
  }
}

}  // namespace

void NumberSource::validate(const Require& require) const {
  require(!metric.empty(), "metric", "is missing", "one that the case declares");
  const std::string* ways[] = {&json, &regex, &google_benchmark, &hyperfine, &llama_bench, &pyperf};
  const auto given = std::ranges::count_if(ways, [](const std::string* way) { return !way->empty(); });
  require(given == 1, "metric", "needs exactly one of json, regex, google_benchmark, hyperfine, llama_bench, pyperf",
          "");
  require(json.empty() || json[0] == '/', "json", fmt::format("'{}' is no JSON pointer", json),
          "such as /results/0/speed");
  for (std::size_t i = 0; i < json.size(); ++i)
    require(json[i] != '~' || (i + 1 < json.size() && (json[i + 1] == '0' || json[i + 1] == '1')), "json",
            "has a ~ that is neither ~0 nor ~1", "~0 stands for ~, ~1 for /");
  if (regex.empty()) return;
  const std::string fault = Regex::fault(regex);
  require(fault.empty(), "regex", "is no regular expression: " + fault, "Perl's syntax");
  const std::size_t groups = Regex(regex).groups();
  require(groups == 1 || groups == 2, "regex", fmt::format("has {} groups", groups),
          "one in brackets for the number, perhaps a second for the unit; (?:...) is no group");
}

std::vector<double> read_numbers(const NumberSource& source, const DeclaredMetric& metric, const std::string& text,
                                 const std::string& where) {
  auto samples =
      source.regex.empty() ? read_report(source, metric, text, where) : read_regex(source.regex, metric, text, where);
  if (samples.empty())
    throw Error::at_run_time(where, fmt::format("has an empty list for {}", metric.name), shown(text));
  for (const double sample : samples)  // in the metric's unit a finite number of seconds need not be one
    checked(sample, metric, text, where);
  return samples;
}

}  // namespace bench::harness
