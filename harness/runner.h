#pragma once

#include "harness/report.h"
#include "harness/suite.h"

#include <filesystem>
#include <functional>
#include <string>

namespace bench::harness {

struct RunOptions {
  std::string device;  // instead of the suite's; empty: the suite's
  std::string case_glob = "*";
  /// Called when a case has ended, with the report so far, so that nothing is lost if a later one takes the run down.
  std::function<void(const Report&)> on_case = nullptr;
};

/// Runs the cases one after another, each in a process of its own. Throws Error if no case matches the glob.
Report run_suite(const Suite& suite, const RunOptions& options);

/// Runs one case in this process: the other side of run_isolated. Never throws for what the case meets.
Record run_case_here(const Json& request, const std::string& where);

}  // namespace bench::harness
