#include "harness/running/calibrate.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include <boost/math/distributions/students_t.hpp>

namespace bench::harness {
namespace {

constexpr std::size_t kFewestRuns = 3;

/// A number with `digits` significant digits, rounded down or up, as a person would write a bound.
double rounded(double value, int digits, bool up) {
  if (value == 0) return 0;
  const double unit = std::pow(10.0, std::floor(std::log10(std::fabs(value))) - digits + 1);
  // Converting to text and back removes digits such as those of 0.30000000000000004, which binary arithmetic leaves.
  return std::stod(
      fmt::format("{:.{}g}", (up ? std::ceil(value / unit) : std::floor(value / unit)) * unit, digits + 2));
}

Reference reference_of(const std::string& case_name, const Metric& metric, double value, double lower, double upper) {
  return {case_name, metric.name, metric.unit, value, lower, upper};
}

/// The bounds of a value that comes out the same in every run, except for rounding and memory pages.
Reference exact_reference(const std::string& case_name, const Metric& metric, const std::vector<double>& values) {
  const auto [least, most] = std::ranges::minmax_element(values);
  const double reference = quantile(values, 0.5);
  if (metric.tolerance == 0) return reference_of(case_name, metric, reference, *least, *most);
  return reference_of(case_name, metric, std::stod(fmt::format("{:.4g}", reference)),
                      rounded(*least / (1 + metric.tolerance), 4, false),
                      rounded(*most * (1 + metric.tolerance), 4, true));
}

/// The bounds between which a further run's value is expected.
Reference timed_reference(const std::string& case_name, const Metric& metric, const std::vector<double>& values) {
  std::vector<double> logs;
  for (const double value : values) logs.push_back(std::log(value));
  const Estimate e = mean(logs);
  const auto n = static_cast<double>(logs.size());
  constexpr double kOutside = 0.01;
  const double t = boost::math::quantile(boost::math::students_t(n - 1), 1 - kOutside / 2);
  const double half = t * std::sqrt(variance(logs, e.value) * (1 + 1 / n));
  return reference_of(case_name, metric, std::stod(fmt::format("{:.3g}", std::exp(e.value))),
                      rounded(std::exp(e.value - half), 3, false), rounded(std::exp(e.value + half), 3, true));
}

/// The metric's value in every run. Returns nothing if a run lacks it, or did not have the time for all that it depends
/// on.
std::vector<double> values_of(const std::vector<Report>& runs, std::size_t case_index, const Metric& metric) {
  std::vector<double> values;
  for (const auto& run : runs)
    for (const auto& record : run.cases[case_index].processes)
      if (!undone(metric, record).empty()) return {};
  for (const auto& run : runs)
    for (const auto& value : run.cases[case_index].metrics)
      if (value.metric == &metric && value.estimate.n > 0) values.push_back(value.estimate.value);
  const auto broken = [&](double value) {
    return !std::isfinite(value) || (metric.nature == Nature::kTimed && !(value > 0));
  };
  if (std::ranges::any_of(values, broken))
    throw Error::at_run_time(runs[0].cases[case_index].name, fmt::format("{} is not a number in a run", metric.name),
                             "it can be no reference");
  return values.size() == runs.size() ? values : std::vector<double>{};
}

/// The metric's share of the ceiling. If the metric has none, or the case declares the metric itself, the metric.
const Metric& share_or_itself(const Metric& metric, const std::vector<Report>& runs, std::size_t case_index) {
  if (!metric.share || runs[0].cases[case_index].record().declares(metric.name)) return metric;
  return *find_metric(metric.share);
}

void check_alike(const std::vector<Report>& runs) {
  if (runs.size() < kFewestRuns)
    throw Error("calibrate", fmt::format("{} runs are too few to know their spread", runs.size()), "give at least 3");
  for (const auto& run : runs) {
    if (const std::string why = run.interruption(); !why.empty())
      throw Error("calibrate", "a run was " + why, "references need whole runs");
    if (run.machine() != runs[0].machine())
      throw Error("calibrate", fmt::format("runs of {} and of {}", runs[0].machine(), run.machine()),
                  "references are of one machine");
    if (run.cases.size() != runs[0].cases.size()) throw Error("calibrate", "the runs have different cases");
    for (std::size_t i = 0; i < run.cases.size(); ++i) {
      if (run.cases[i].name != runs[0].cases[i].name) throw Error("calibrate", "the runs have different cases");
      if (run.cases[i].status() == Record::Status::kError)
        throw Error::at_run_time(run.cases[i].name, run.cases[i].record().reason);
    }
  }
}

/// Quotes a text if YAML needs it. Without quotes, "%", "1" and "decode, batch 4" would not be read as one text.
std::string quoted_if_needed(const std::string& text) {
  const auto letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
  const auto plain = [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '/'; };
  const bool needless = !text.empty() && letter(text[0]) && std::ranges::all_of(text, plain);
  return needless ? text : dumped(Json(text));
}

std::vector<std::string> entry_lines(const MachineSection& section) {
  std::vector<std::string> lines{fmt::format("  - machine: {}", section.machine),
                                 fmt::format("    date: {}", section.date),
                                 fmt::format("    reason: {}", section.reason), "    references:"};
  for (const auto& r : section.references)
    lines.push_back(fmt::format("      - {{case: {}, metric: {}, reference: {}, lower: {}, upper: {}, unit: {}}}",
                                quoted_if_needed(r.case_name), r.metric, r.reference, r.lower, r.upper,
                                quoted_if_needed(r.unit)));
  return lines;
}

bool begins_top_level(const std::string& line) { return !line.empty() && line[0] != ' ' && line[0] != '#'; }

}  // namespace

MachineSection calibrate(const std::vector<Report>& runs, const std::string& date) {
  check_alike(runs);
  MachineSection section{
      runs[0].machine(),
      date,
      fmt::format("{} runs; speeds relative to the probe, within what 99 % of such runs would give", runs.size()),
      {}};
  for (std::size_t i = 0; i < runs[0].cases.size(); ++i)
    for (const Metric* one : metrics_of(runs[0].cases[i].processes)) {
      const Metric& metric = *one;
      if (!metric.compared) continue;
      const Metric& stated = share_or_itself(metric, runs, i);
      const auto values = values_of(runs, i, stated);
      if (values.empty() || values_of(runs, i, metric).empty()) continue;
      const std::string& name = runs[0].cases[i].name;
      section.references.push_back(stated.nature == Nature::kTimed ? timed_reference(name, stated, values)
                                                                   : exact_reference(name, stated, values));
    }
  return section;
}

std::string with_machine_section(const std::string& suite_text, const std::string& file,
                                 const MachineSection& section) {
  std::vector<std::string> lines;
  std::istringstream in(suite_text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  auto begin = std::ranges::find_if(lines, [](const auto& l) { return l.starts_with("machines:"); });
  if (begin == lines.end()) {
    lines.push_back("");
    lines.push_back("machines:");
    begin = lines.end() - 1;
  }
  const auto end = std::find_if(begin + 1, lines.end(), begins_top_level);
  // The older entry of this machine goes from its "- machine:" to that of the next entry, or to the end of the section.
  const auto is_entry = [](const std::string& l) {
    return l.find_first_not_of(' ') != std::string::npos && l.compare(l.find_first_not_of(' '), 10, "- machine:") == 0;
  };
  auto old = std::find_if(begin + 1, end, [&](const std::string& l) {
    return is_entry(l) && l.size() >= section.machine.size() &&
           l.compare(l.size() - section.machine.size(), std::string::npos, section.machine) == 0;
  });
  const auto old_end = old == end ? end : std::find_if(old + 1, end, is_entry);
  std::vector<std::string> result(lines.begin(), old);
  for (auto& line : entry_lines(section)) result.push_back(std::move(line));
  result.insert(result.end(), old_end, lines.end());
  std::string text;
  for (const auto& line : result) text += line + "\n";
  // If `machines:` is written in another form than a list of mappings, the user gets an error, not a broken file.
  const YamlNode machines = YamlNode::parse(text, file).child("machines");
  if (!machines.defined() || !machines.yaml().IsSequence())
    throw Error(file, "its machines: is not a list, so nothing can be added to it",
                "write one '- machine: ...' below it");
  try {
    read_suite_text(text, file);
  } catch (const Error& e) {
    throw Error(file, fmt::format("with the new references it would not be read: {}: {}", e.where(), e.message()),
                "nothing was written; does the suite have the cases that were run?");
  }
  return text;
}

}  // namespace bench::harness
