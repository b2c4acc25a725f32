#pragma once

#include "harness/judging/gate.h"

#include <filesystem>
#include <string>
#include <utility>

namespace bench::harness {

/// The version of what stands between the two processes: a program is asked for it before it runs in turns with
/// another.
inline constexpr std::int64_t kCaseProtocol = 2;

/// One case to run: its type, its effective config, and where.
struct CaseRequest {
  std::string name, type, device = "auto";
  double budget_s = 120;
  Json config = {};
  std::vector<DeclaredMetric> metrics = {};  // of the case's own
  std::vector<GateConfig> gates = {};        // that apply here: the case stops timing when they are decided
  double precision = 0.02;                   // or, without any, when its speed is known so well
  std::int64_t max_blocks = 0;               // or after so many blocks; 0: no such limit
  double planted_slowdown = 0;               // for testing the harness: stretches all timed work by that share
  bool in_turns = false;                     // waits for its turn before the cold round and each block
};

/// Runs the case in a process of its own (`bench case`), so that its peak memory is its own and a crash costs only it.
/// Never throws for what happens in there: a case that fails, crashes or doesn't end gives a record that says so.
/// `nested`: called from a case that itself runs so, and is killed together with it.
Record run_isolated(const CaseRequest& request, bool nested = false);

/// Two requests side by side in two processes, perhaps of two programs, that take turns: a block of the one, a block of
/// the other, `first_is_first` or the other way round. Strictly in turns, so that every block follows one of the other
/// process: a second one in a row would find its data still in the cache, and be up to half faster.
std::pair<Record, Record> run_in_turns(const CaseRequest& first, const std::filesystem::path& first_program,
                                       const CaseRequest& second, const std::filesystem::path& second_program,
                                       bool first_is_first);

Json to_json(const CaseRequest& request);
CaseRequest request_from_json(const Json& json, const std::string& where);

}  // namespace bench::harness
