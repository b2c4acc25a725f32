#include "harness/reports/reports.h"
#include "harness/reports/summary.h"

#include <cmath>
#include <map>
#include <numeric>

namespace bench::harness {
namespace {

constexpr double kNanosecond = 1e-9;  // one unit for all: compare.py leaves out what changed its unit

/// One series of times of one case: what Google Benchmark calls a family.
struct Family {
  std::string name;
  std::string error;  // why it has no times, as Google Benchmark says of a run that was ended by an error; else empty
  std::vector<double> times_ns;         // the mean of each process
  std::vector<std::size_t> iterations;  // samples behind it
};

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double standard_deviation(const std::vector<double>& values) { return std::sqrt(variance(values, mean_of(values))); }

std::vector<Family> families_of(const CaseResult& one) {
  std::map<std::string, Family> families;
  for (const auto& record : one.processes)
    for (const auto& [name, series] : record.series) {
      const auto counted = record.counted(name);
      if (name.starts_with("cold_")) continue;  // of a fresh process: one sample, which no repetition repeats
      if (series.unit != "s" || counted.empty()) continue;
      Family& family = families[name];
      family.name = one.name + "/" + name;
      if (!std::isfinite(mean_of(counted))) family.error = "a time is not a number";
      family.times_ns.push_back(mean_of(counted) / kNanosecond);
      family.iterations.push_back(counted.size());
    }
  std::vector<Family> list;
  if (one.status() != Record::Status::kOk && one.status() != Record::Status::kSkipped)
    list.push_back({one.name, one.record().reason, {}, {}});
  for (auto& [name, family] : families) list.push_back(std::move(family));
  return list;
}

Json common(const Family& family, std::size_t family_index, const std::string& name, const char* run_type) {
  return {{"name", name},
          {"family_index", family_index},
          {"per_family_instance_index", 0},
          {"run_name", family.name},
          {"run_type", run_type},
          {"repetitions", family.times_ns.size()}};
}

void add_time(Json& json, std::size_t iterations, double time_ns) {
  json["iterations"] = iterations;
  json["real_time"] = time_ns;
  json["cpu_time"] = time_ns;
  json["time_unit"] = "ns";
}

/// Without times, so that nothing is compared with them.
void add_error(const Family& family, std::size_t family_index, Json& benchmarks) {
  Json json = common(family, family_index, family.name, "iteration");
  json["repetitions"] = 1;
  json["repetition_index"] = 0;
  json["threads"] = 1;
  json["error_occurred"] = true;
  json["error_message"] = family.error;
  benchmarks.push_back(std::move(json));
}

void add_repetitions(const Family& family, std::size_t family_index, Json& benchmarks) {
  for (std::size_t i = 0; i < family.times_ns.size(); ++i) {
    Json json = common(family, family_index, family.name, "iteration");
    json["repetition_index"] = i;
    json["threads"] = 1;
    add_time(json, family.iterations[i], family.times_ns[i]);
    benchmarks.push_back(std::move(json));
  }
}

void add_aggregates(const Family& family, std::size_t family_index, Json& benchmarks) {
  if (family.times_ns.size() < 2) return;
  const std::pair<const char*, double> aggregates[] = {{"mean", mean_of(family.times_ns)},
                                                       {"median", quantile(family.times_ns, 0.5)},
                                                       {"stddev", standard_deviation(family.times_ns)}};
  for (const auto& [aggregate, time_ns] : aggregates) {
    Json json = common(family, family_index, family.name + "_" + aggregate, "aggregate");
    json["threads"] = 1;
    json["aggregate_name"] = aggregate;
    json["aggregate_unit"] = "time";
    add_time(json, family.times_ns.size(), time_ns);
    benchmarks.push_back(std::move(json));
  }
}

Json context(const Report& report) {
  const Json& environment = report.environment;
  const double mhz = report.before.frequency_mhz;
  return {{"date", report.created},
          {"host_name", report.machine()},
          {"executable", "bench"},
          {"num_cpus", environment.value("cores", Json(0))},
          {"mhz_per_cpu", mhz > 0 ? Json(std::lround(std::min(mhz, 1e9))) : Json(nullptr)},
          {"cpu_scaling_enabled", false},
          {"caches", Json::array()},
          {"load_avg", report.before.load_1min < 0 ? Json::array() : Json::array({report.before.load_1min})},
          {"library_version", environment_text(environment, "bench_version")},
          {"library_build_type", environment_text(environment, "build_type") == "Debug" ? "debug" : "release"},
          {"json_schema_version", 1},
          {"commit", commit_text(environment)},
          {"note",
           "a repetition is a process, its time the mean of the samples that count; cpu_time repeats real_time; "
           "cpu_scaling_enabled and caches are not known"}};
}

}  // namespace

void write_google_benchmark(const Report& report, std::ostream& out) {
  Json json = {{"context", context(report)}, {"benchmarks", Json::array()}};
  std::size_t family_index = 0;
  for (const auto& one : report.cases)
    for (const auto& family : families_of(one)) {
      if (!family.error.empty()) {
        add_error(family, family_index++, json["benchmarks"]);
        continue;
      }
      add_repetitions(family, family_index, json["benchmarks"]);
      add_aggregates(family, family_index++, json["benchmarks"]);
    }
  out << dumped(json, 1) << "\n";
}

}  // namespace bench::harness
