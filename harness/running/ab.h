#pragma once

#include "harness/comparison/compare.h"
#include "harness/isolation/isolated.h"
#include "harness/running/suite.h"

#include <filesystem>
#include <functional>

namespace bench::harness {

/// What `bench ab` compares: two programs, or one with two settings (a checkpoint is a setting).
struct AbOptions {
  std::filesystem::path program_a, program_b;
  std::string device = "auto";
  double tolerance = 0.025;                        // a change of speed up to this counts as none
  std::int64_t fewest_pairs = 8, most_pairs = 16;  // of processes, for each case
  std::int64_t blocks = 8;                         // timed in each process, in turns with the other's
  double planted_slowdown = 0;                     // of B's timed work: for testing the harness
  std::int64_t seed = 0;                           // of who comes first
};

/// Two fresh processes, one of A and one of B, that took turns.
struct AbPair {
  bool a_first = true;
  /// Of each pair of blocks the fastest sample: what disturbs a block of some milliseconds only ever adds time.
  std::vector<double> a_s, b_s;
  /// log(time of B / time of A): the Hodges-Lehmann estimate over the pairs of blocks.
  double log_ratio() const;
};

/// What is known of one case.
struct AbCase {
  std::string name, series;  // series: whose times are compared
  std::vector<AbPair> pairs;
  Change change = Change::kCantTell;
  std::string why;  // of an error, or of what can't be told
  bool error = false;
  bool untimed = false;    // it times nothing, like a memory case: left out of the verdict
  bool cut_short = false;  // too slow here for its budget: can't be told
  bool ended() const { return error || untimed || cut_short; }  // more pairs would say nothing

  /// Time of B / time of A with its 95 % interval (Hodges-Lehmann); the pair of processes is the unit.
  Estimate ratio() const;
};

/// What the pairs so far come to, by Wilcoxon's signed-rank test on their ratios: on a shared machine a few pairs are
/// always wild. Decided at 8, 10, 12, ... pairs; at each look only at a level of 5 % divided by the number of looks, so
/// that all of them together find a difference between equal programs in at most 5 % of comparisons.
Change judge_pairs(const std::vector<AbPair>& pairs, const AbOptions& options);

struct AbResult {
  AbOptions options;
  std::string created;
  Json environment;
  std::vector<AbCase> cases;
  Exit exit_code() const;
};

/// What one side is asked to run of a case.
CaseRequest ab_request(const CaseSpec& spec, const AbOptions& options, double planted_slowdown);

/// Runs pairs of each case, in rounds over the cases, until each is decided or has had its pairs. `a` and `b` are the
/// suite as each side sees it; cases go by name.
AbResult run_ab(const Suite& a, const Suite& b, const AbOptions& options,
                const std::function<void(const AbCase&)>& on_pair);

Json to_json(const AbResult& result);

}  // namespace bench::harness
