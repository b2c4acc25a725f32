#pragma once

#include "harness/judging/report.h"

#include <string>
#include <vector>

namespace bench::harness {

/// A gate's result with the case that it belongs to.
struct JudgedGate {
  std::size_t case_index;
  const CaseResult* of;
  const GateResult* result;
};
/// All gates, those that need attention first: error, fail, not judged, expected to fail, passed, for other machines.
std::vector<JudgedGate> gates_by_urgency(const Report& report);

/// "9.500 [9.4, 9.6] GB", or "-".
std::string measured_text(const JudgedGate& gate);
/// The reason and how the target is read.
std::string why(const GateResult& result);

/// What a program that started the run learns from its exit code.
const char* exit_meaning(Exit exit);

/// "61.2 s; budget 120 s for each of 3 processes".
std::string time_text(const CaseResult& one);

/// An entry of the environment as text, "" if it isn't there.
std::string environment_text(const Json& environment, const std::string& key);
/// The commit, with "-dirty" behind it when the tree had changes that it doesn't hold.
std::string commit_text(const Json& environment);

}  // namespace bench::harness
