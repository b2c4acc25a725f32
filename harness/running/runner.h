#pragma once

#include "harness/judging/report.h"
#include "harness/running/suite.h"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace bench::harness {

struct RunOptions {
  std::string device;  // instead of the suite's; empty: the suite's
  std::string case_glob = "*";
  std::vector<std::string> left_out = {};  // cases that the suite lacks: those that the repeated run left out
  std::int64_t processes = 0;              // of each case, instead of its own; 0: its own
  std::optional<std::int64_t> seed;        // of the order; nothing: drawn
  /// Called with the report so far, so that nothing is lost whatever takes the run down: before the first case, when a
  /// process of a case has ended, and at the end. All but the last time it says that the run was interrupted.
  std::function<void(const Report&)> on_case = nullptr;
};

/// Runs the cases in rounds: in each round every case that needs another process gets one, in an order drawn anew. A
/// case begins only after those it names in `after`. Where EndingSignals live, such a signal ends the run with the
/// process that it has, and the report says so. Throws Error if no case matches the glob.
Report run_suite(const Suite& suite, const RunOptions& options);

/// Runs one case in this process: the other side of run_isolated. Never throws for what the case meets.
Record run_case_here(const Json& request, const std::string& where);

}  // namespace bench::harness
