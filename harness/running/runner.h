#pragma once

#include "harness/judging/report.h"
#include "harness/running/suite.h"
#include "harness/selftest/cache.h"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace bench::harness {

struct RunOptions {
  std::string device;  // instead of the suite's; empty: the suite's
  std::string case_glob = "*";
  std::vector<std::string> left_out = {};  // cases that the suite lacks because the run that is repeated left them out
  std::int64_t processes = 0;              // of each case, instead of the case's own number; 0: its own
  std::optional<std::int64_t> seed;        // of the order of processes; nothing: drawn at random
  /// Asked before the first case. If the self-test failed, no case is run. Returns nothing where the device needs none;
  /// empty: nobody asks.
  std::function<std::optional<SelfTest>(const Device&)> selftest = selftest_if_needed;
  /// Called with the report so far, so that nothing is lost if something ends the run early. Called before the first
  /// case, after each process of a case, and at the end. In all calls but the last, the report says that the run was
  /// interrupted.
  std::function<void(const Report&)> on_case = nullptr;
};

/// Runs the cases in rounds. In each round, every case that needs another process gets one, in an order drawn anew. A
/// case begins only after the cases that it names in `after`. On a device whose self-test fails, no case is run: each
/// one's record has status error and says which probe failed, and what to do. While an EndingSignals object lives, one
/// of its signals ends the run together with the running process, and the report says so. Throws Error if no case
/// matches the glob.
Report run_suite(const Suite& suite, const RunOptions& options);

/// Runs one case in this process: the other side of run_isolated. Never throws for errors of the case; its record holds
/// them.
Record run_case_here(const Json& request, const std::string& where);

}  // namespace bench::harness
