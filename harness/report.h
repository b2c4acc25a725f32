#pragma once

#include "harness/environment.h"
#include "harness/gate.h"

#include <filesystem>
#include <string>
#include <vector>

namespace bench::harness {

inline constexpr const char* kReportSchema = "bench-report/1";

/// One case with what was computed from its record.
struct CaseResult {
  Record record;
  double budget_s = 0;
  std::vector<MetricValue> metrics;
  std::vector<GateResult> gates;
};

/// All that a run found: data, of which the JSON is the whole and every other format a rendering.
struct Report {
  std::string suite, description, device, created;
  Json environment;
  std::vector<CaseResult> cases;

  std::vector<GateResult> gates() const;
  Exit exit_code() const;
};

/// Computes metrics and verdicts of a record.
CaseResult evaluate_case(Record record, double budget_s, const std::vector<GateConfig>& gates,
                         const std::string& processor);

Json to_json(const Report& report);
/// Reads a report; metrics and verdicts are computed again from the records. Throws Error for JSON that is cut off, of
/// another schema, or no report.
Report read_report(const std::filesystem::path& file);

/// "2 of 3 gates passed, 1 not judged" and such.
std::string summary_line(const Report& report);

}  // namespace bench::harness
