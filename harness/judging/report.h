#pragma once

#include "harness/judging/gate.h"

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace bench::harness {

inline constexpr const char* kReportSchema = "bench-report/2";

/// One case: what was demanded of it, what each of its processes left, and what was computed from that.
struct CaseResult {
  std::string name, type;
  double budget_s = 0;               // of one process
  double precision = 0.02;           // at which timing stops; see CaseSpec
  std::vector<std::string> after;    // cases that must have run before
  std::vector<GateConfig> gates;     // demanded
  std::int64_t most_processes = 0;   // that the case may have; 0: unknown, in older reports
  std::vector<Record> processes;     // in the order in which they ran; if the case wasn't run, one that says so
  std::vector<MetricValue> metrics;  // computed
  std::vector<GateResult> verdicts;  // computed, one for each gate

  Record::Status status() const;  // the worst of its processes
  /// The process that speaks for the case: the first that didn't work, else the first.
  const Record& record() const;
  double wall_s() const;
  /// "3 processes, 12 blocks (1 disturbed, 2 warm-up), 640 samples", or "" where nothing was timed in blocks.
  std::string effort() const;
};

/// All that a run found, as data. The JSON holds all of it. Every other format is rendered from this data.
struct Report {
  std::string suite, description, device, created;
  std::int64_t seed = 0;  // of the order in which the cases' processes ran
  Json environment;
  Conditions before, after;
  bool interrupted = false;                // the run had not ended when this was written
  std::vector<CaseResult> cases;           // all that were to run
  std::vector<std::string> left_out = {};  // the suite's other cases, which --case left out

  std::string machine() const;
  std::vector<GateResult> verdicts() const;
  /// "interrupted: 1 of 3 cases ran", or "" for a run that came to its end.
  std::string interruption() const;
  /// Never kOk for a run that was interrupted.
  Exit exit_code() const;
};

/// The case of that name, or nullptr.
const CaseResult* find_case(std::span<const CaseResult> cases, const std::string& name);

/// The measured value of that metric, or nullptr.
const Estimate* find_estimate(const CaseResult& one, const std::string& metric);
/// The measured value of exactly that metric, or nullptr. A metric that another case declares under the same name does
/// not count.
const Estimate* find_estimate(const CaseResult& one, const Metric& metric);

/// The name by which gates and people call a machine: "AMD EPYC, 2 cores".
std::string machine_name(const Json& environment);

/// Computes metrics and verdicts of a case from its processes. Gates may be relative to `earlier` cases.
CaseResult evaluate_case(std::string name, std::string type, double budget_s, std::vector<GateConfig> gates,
                         std::vector<Record> processes, const std::string& machine,
                         std::span<const CaseResult> earlier = {});

Json to_json(const Report& report);
/// Reads a report. Metrics and verdicts are computed again from the records. Throws Error if the JSON is cut off, is of
/// another schema, or is not a report.
Report read_report(const std::filesystem::path& file);

/// What verify_report found.
struct Verification {
  bool hash_matches = false;
  std::vector<std::string> differences;  // "cases[0].metrics[2].value: the file says 3.1, its samples give 2.9"
  std::string interruption;              // Report::interruption
};
/// Computes again everything in a report's file that follows from its samples, and the file's hash. Throws as
/// read_report does.
Verification verify_report(const std::filesystem::path& file);

/// "2 of 3 gates passed, 1 not judged; 2 cases left out by --case" and such.
std::string summary_line(const Report& report);

}  // namespace bench::harness
