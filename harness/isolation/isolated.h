#pragma once

#include "harness/judging/gate.h"

#include <filesystem>
#include <string>
#include <utility>

namespace bench::harness {

/// The version of what the two processes exchange. A program is asked for its version before it runs in turns with
/// another program.
inline constexpr std::int64_t kCaseProtocol = 2;

/// One case to run: its type, its effective config, and where.
struct CaseRequest {
  std::string name, type, device = "auto";
  double budget_s = 120;
  Json config = {};
  std::vector<DeclaredMetric> metrics = {};  // those of the case itself
  std::vector<GateConfig> gates = {};        // those that apply here: the case stops timing when they are decided
  double precision = 0.02;                   // without gates: it stops when its speed is known this well
  std::int64_t max_blocks = 0;               // it also stops after so many blocks; 0: no such limit
  double planted_slowdown = 0;               // for testing the harness: stretches all timed work by this share
  bool in_turns = false;                     // it waits for its turn before the cold round and each block

  /// All fields but `metrics` and `gates`.
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("name", self.name, "of the case");
    visit("type", self.type, "a row of cases/cases.cpp");
    visit("device", self.device, "where it runs");
    visit("budget_s", self.budget_s, "no block of timing begins that would end later");
    visit("config", self.config, "the effective config");
    visit("precision", self.precision, "of its speed, with which it may stop");
    visit("max_blocks", self.max_blocks, "after which it stops; 0: no such limit");
    visit("planted_slowdown", self.planted_slowdown, "share of all timed work");
    visit("in_turns", self.in_turns, "with another process");
  }
};

/// Runs the case in a process of its own (`bench case`), so that its peak memory is its own and a crash ends nothing
/// else. Never throws for anything that happens in that process: a case that fails, crashes or doesn't end gives a
/// record that says so. `nested`: true when called from a case that itself runs in such a process; the new process is
/// then killed together with that case.
Record run_isolated(const CaseRequest& request, bool nested = false);

/// Runs two requests side by side in two processes, perhaps of two programs, that take turns: a block of one, then a
/// block of the other. With `first_is_first` the first request begins each round, otherwise the second. The turns are
/// strict, so that every block follows a block of the other process. A second block in a row would find its data still
/// in the cache, and be up to half faster.
std::pair<Record, Record> run_in_turns(const CaseRequest& first, const std::filesystem::path& first_program,
                                       const CaseRequest& second, const std::filesystem::path& second_program,
                                       bool first_is_first);

Json to_json(const CaseRequest& request);
CaseRequest request_from_json(const Json& json, const std::string& where);

}  // namespace bench::harness
