#pragma once

#include "harness/comparison/compare.h"
#include "harness/isolation/isolated.h"
#include "harness/running/suite.h"

#include <filesystem>
#include <functional>

namespace bench::harness {

/// What `bench ab` compares: two programs, or one program with two settings (a checkpoint is a setting).
struct AbOptions {
  std::filesystem::path program_a, program_b;
  std::string device = "auto";
  double tolerance = 0.025;                        // a change of speed up to this counts as none
  std::int64_t fewest_pairs = 8, most_pairs = 16;  // of processes, for each case
  std::int64_t blocks = 8;                         // timed in each process, in turns with the other process
  double planted_slowdown = 0;                     // of B's timed work, to test the harness
  std::int64_t seed = 0;                           // decides which side comes first
};

/// Two fresh processes, one of A and one of B, that took turns.
struct AbPair {
  bool a_first = true;
  /// The fastest sample of A and of B, in seconds, for each pair of blocks. Disturbances of a block of some
  /// milliseconds only ever add time.
  std::vector<double> a_s, b_s;
  /// log(time of B / time of A): the Hodges-Lehmann estimate over the pairs of blocks.
  double log_ratio() const;
};

/// What is known of one case.
struct AbCase {
  std::string name, series;  // series: whose times are compared
  std::vector<AbPair> pairs;
  Change change = Change::kCantTell;
  std::string why;  // the reason for an error, or why the change can't be told
  bool error = false;
  bool untimed = false;    // it times nothing, like a memory case: left out of the verdict
  bool cut_short = false;  // too slow here for its budget: can't be told
  bool ended() const { return error || untimed || cut_short; }  // more pairs would say nothing

  /// Time of B / time of A, with its 95 % interval (Hodges-Lehmann). The statistical unit is the pair of processes.
  Estimate ratio() const;
};

/// Judges the pairs so far by Wilcoxon's signed-rank test on their ratios, because on a shared machine a few pairs are
/// always outliers. Pairs are judged when there are 8, 10, 12, ... of them. Each look tests at a level of 5 % divided
/// by the number of looks. So all looks together find a difference between equal programs in at most 5 % of
/// comparisons.
Change judge_pairs(const std::vector<AbPair>& pairs, const AbOptions& options);

struct AbResult {
  AbOptions options;
  std::string created;
  Json environment;
  std::vector<AbCase> cases;
  Exit exit_code() const;
};

/// The request that asks one side to run a case.
CaseRequest ab_request(const CaseSpec& spec, const AbOptions& options, double planted_slowdown);

/// Runs pairs of processes in rounds over the cases, until each case is decided or has had all its pairs. `a` and `b`
/// are the suite as each side sees it. Their cases are matched by name.
AbResult run_ab(const Suite& a, const Suite& b, const AbOptions& options,
                const std::function<void(const AbCase&)>& on_pair);

Json to_json(const AbResult& result);

}  // namespace bench::harness
