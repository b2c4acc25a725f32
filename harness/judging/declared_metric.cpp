#include "harness/judging/declared_metric.h"

#include "harness/judging/metric.h"

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <tuple>

namespace bench::harness {
namespace {

Better better_of(const std::string& name) {
  return name == "higher" ? Better::kHigher : name == "lower" ? Better::kLower : Better::kUnchanged;
}

bool is_plain_name(const std::string& name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && name.size() <= 80 && std::ranges::all_of(name, plain);
}

/// A declaration, and the metric whose texts point into it.
struct Known {
  DeclaredMetric declared;
  Metric metric;
};

}  // namespace

void DeclaredMetric::validate(const Require& require) const {
  require(is_plain_name(name), "name", fmt::format("'{}' is no name of a metric", name), "letters, digits and _");
  require(!name.starts_with("cold_"), "name", "begins with cold_, as what is left of the first piece of work does", "");
  require(!unit.empty() && unit.size() <= 40, "unit", "is missing, or longer than 40 characters",
          "\"1\" where there is none");
  require(better != "unchanged" || nature == "exact", "better", "of a timed metric nothing stays unchanged",
          "nature: exact");
  const Metric* built_in = find_metric(name);
  if (!built_in) return;
  const std::string means =
      fmt::format("{} in {}, {} is better, {}", name, built_in->unit, better_name(built_in->better),
                  built_in->nature == Nature::kTimed ? "timed" : "exact");
  require(unit == built_in->unit, "unit", fmt::format("'{}' is not the unit of the built-in metric {}", unit, name),
          means);
  require(better_of(better) == built_in->better, "better",
          fmt::format("the built-in metric {} has another direction", name), means);
  require((nature == "timed") == (built_in->nature == Nature::kTimed), "nature",
          fmt::format("the built-in metric {} has another nature", name), means);
}

const DeclaredMetric* find_declared(const std::vector<DeclaredMetric>& declared, const std::string& name) {
  const auto found = std::ranges::find(declared, name, &DeclaredMetric::name);
  return found == declared.end() ? nullptr : &*found;
}

std::vector<DeclaredMetric> declared_from_json(const Json& json, const std::string& where) {
  std::vector<DeclaredMetric> declared;
  constexpr std::size_t kMost = 1000;
  if (json.size() > kMost) throw Error(where, fmt::format("declares more than {} metrics for a case", kMost));
  read_value(YamlNode::parse(dumped(json), where), declared);
  std::set<std::string> names;
  for (const auto& one : declared)
    if (!names.insert(one.name).second) throw Error(where, fmt::format("declares the metric '{}' twice", one.name));
  return declared;
}

const Metric& metric_of(const DeclaredMetric& declared) {
  if (const Metric* built_in = find_metric(declared.name)) return *built_in;
  static std::mutex mutex;
  static std::map<std::tuple<std::string, std::string, std::string, std::string>, std::unique_ptr<Known>> all;
  const std::lock_guard lock(mutex);
  auto& known = all[{declared.name, declared.unit, declared.better, declared.nature}];
  if (known) return known->metric;
  known = std::make_unique<Known>();
  known->declared = declared;
  if (known->declared.meaning.empty()) known->declared.meaning = "declared by the case";
  const DeclaredMetric& kept = known->declared;
  known->metric = Metric{.name = kept.name.c_str(),
                         .unit = kept.unit.c_str(),
                         .better = better_of(kept.better),
                         .nature = kept.nature == "timed" ? Nature::kTimed : Nature::kExact,
                         .cases = "",
                         .meaning = kept.meaning.c_str(),
                         .formula = nullptr,
                         .compared = true};
  return known->metric;
}

}  // namespace bench::harness
