#include "harness/comparison/compare.h"

#include <cmath>
#include <functional>
#include <random>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

/// A process of a prefill case: each of its ten blocks at `speed` x (1 + noise), the machine at `machine`.
Record process(double speed, double machine, double noise, std::mt19937_64& random) {
  const auto drawn = [&] { return 1 + noise * (static_cast<double>(random() % 2001) / 1000 - 1); };
  Record record;
  record.facts = {{"prompt_tokens", 100}, {"batch", 1}, {"work_flops", 1e9}, {"work_bytes", 1e6}};
  record.config = {{"prompt_tokens", 100}};
  for (std::size_t i = 0; i < 10; ++i) {
    Block block;
    block.matmul_flops_per_s = 1e11 * machine;
    block.read_bytes_per_s = 1e10 * machine;
    block.samples["prefill_time_s"] = {i, i + 1};
    record.blocks.push_back(block);
    record.add("prefill_time_s", "s", drawn() / (speed * machine));
  }
  record.add("peak_memory_bytes", "bytes", 1e9);
  return record;
}

Report report(double speed, double machine = 1, double noise = 0.01, std::size_t processes = 6,
              std::uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  std::vector<Record> records;
  for (std::size_t i = 0; i < processes; ++i) {
    const double of_process = 1 + noise * (static_cast<double>(random() % 2001) / 1000 - 1);
    records.push_back(process(speed * of_process, machine, noise, random));
  }
  Report made;
  made.suite = "made up";
  made.device = "cpu";
  made.environment = {{"processor", "Example CPU"}, {"cores", 2}};
  made.cases.push_back(evaluate_case("prefill", "prefill", 10, {}, records, made.machine()));
  return made;
}

const Comparison& row(const std::vector<Comparison>& rows, const std::string& metric) {
  for (const auto& one : rows)
    if (one.metric && metric == one.metric->name) return one;
  throw std::runtime_error("no row " + metric);
}

Change speed_change(const Report& base, const Report& now, double tolerance = 0.05) {
  return row(compare_reports(base, now, {tolerance}), "prefill_tokens_per_s").change;
}

TEST(Compare, TellsSameBetterWorseAndWhatItCannotTell) {
  EXPECT_EQ(speed_change(report(1), report(1, 1, 0.01, 6, 2)), Change::kSame);
  EXPECT_EQ(speed_change(report(1), report(0.9)), Change::kWorse);
  EXPECT_EQ(speed_change(report(0.9), report(1)), Change::kBetter);
  EXPECT_EQ(speed_change(report(1), report(0.97, 1, 0.2)), Change::kCantTell);
  EXPECT_EQ(speed_change(report(1), report(0.97)), Change::kSame);         // within the tolerance
  EXPECT_EQ(speed_change(report(1), report(0.97), 0.02), Change::kWorse);  // beyond a stricter one
}

TEST(Compare, ASlowerMachineIsNoRegression) {
  const auto rows = compare_reports(report(1), report(1, 0.8, 0.01, 6, 3), {});
  const Comparison& speed = row(rows, "prefill_tokens_per_s");
  EXPECT_EQ(speed.change, Change::kSame);
  EXPECT_NEAR(speed.ratio.value, 0.8, 0.02);
  EXPECT_NEAR(speed.relative->value, 1, 0.02);
  EXPECT_LE(speed.relative->low, 1.0);
}

TEST(Compare, ProcessesSoFarApartThatAnySpeedIsPossibleCannotTell) {
  EXPECT_EQ(speed_change(report(1), report(0.5, 1, 0.99, 2)), Change::kCantTell);
}

TEST(Compare, OneProcessCannotTell) {
  const Comparison speed = row(compare_reports(report(1), report(0.5, 1, 0.01, 1), {}), "prefill_tokens_per_s");
  EXPECT_EQ(speed.change, Change::kCantTell);
  EXPECT_EQ(speed.why, "new: one process only, and speed varies from one to the next (processes: 5 in the suite)");
}

/// The report with that peak memory in one of its processes.
Report with_peak(double bytes) {
  Report made = report(1);
  std::vector<Record> processes = made.cases[0].processes;
  processes[3].series["peak_memory_bytes"].samples[0] = bytes;
  made.cases[0] = evaluate_case("prefill", "prefill", 10, {}, processes, made.machine());
  return made;
}

TEST(Compare, ExactMetricsGateWithoutStatistics) {
  const auto change = [](const Report& base, const Report& now) {
    return row(compare_reports(base, now, {}), "peak_memory").change;
  };
  EXPECT_EQ(change(report(1), with_peak(1.03e9)), Change::kWorse);
  EXPECT_EQ(change(with_peak(1.03e9), report(1)), Change::kBetter);
  EXPECT_EQ(change(report(1), with_peak(1.01e9)), Change::kSame);  // pages
  for (const auto& one : compare_reports(report(1), report(0.5), {.exact_only = true}))
    EXPECT_EQ(one.metric->nature, Nature::kExact);
}

/// The report with that change in each of its processes.
Report with_each(const std::function<void(Record&)>& change) {
  Report made = report(1);
  std::vector<Record> processes = made.cases[0].processes;
  for (auto& record : processes) change(record);
  made.cases[0] = evaluate_case("prefill", "prefill", 10, {}, processes, made.machine());
  return made;
}

TEST(Compare, WhatIsNotANumberIsWorseWhereItIsNewAndElseCanNotBeTold) {
  for (const double broken : {std::nan(""), static_cast<double>(INFINITY)}) {
    const auto with_broken = [&](const char* series) {
      Report made = report(1);
      std::vector<Record> processes = made.cases[0].processes;
      processes[3].series[series].samples[0] = broken;
      made.cases[0] = evaluate_case("prefill", "prefill", 10, {}, processes, made.machine());
      return made;
    };
    for (const auto& [series, metric] :
         {std::pair{"peak_memory_bytes", "peak_memory"}, {"prefill_time_s", "prefill_tokens_per_s"}}) {
      const Report sound = report(1), odd = with_broken(series);
      for (const bool different : {false, true}) {
        if (different && std::string(metric) == "peak_memory") continue;  // it has no share of the machine's speed
        const CompareOptions options{.different = different};
        EXPECT_EQ(row(compare_reports(sound, odd, options), metric).change, Change::kWorse) << metric << different;
        EXPECT_EQ(exit_code(compare_reports(sound, odd, options)), Exit::kGateFailed);
        EXPECT_EQ(row(compare_reports(odd, sound, options), metric).change, Change::kCantTell) << metric << different;
        EXPECT_EQ(row(compare_reports(odd, odd, options), metric).change, Change::kCantTell) << metric << different;
        EXPECT_EQ(row(compare_reports(odd, odd, options), metric).why, "neither is a number");
      }
    }
  }
}

TEST(Compare, APeakThatCouldNotBeReadHasNotVanished) {
  const Report now = with_each([](Record& record) {
    record.series.erase("peak_memory_bytes");
    record.notes[kPeakUnreadNote] = "peak memory could not be read";
  });
  const Comparison peak = row(compare_reports(report(1), now, {}), "peak_memory");
  EXPECT_EQ(peak.change, Change::kCantTell);
  EXPECT_EQ(peak.why, "peak memory could not be read");
}

TEST(Compare, WhatCameAfterATrainingThatWasCutCanNotBeTold) {
  const Report now = with_each([](Record& record) {
    record.notes[kCameAfterCutNote] = "train: 45 of 400 steps in 100 s";
    record.series["peak_memory_bytes"].samples[0] = 2e9;
  });
  for (const bool in_base : {false, true}) {
    const auto rows = in_base ? compare_reports(now, report(1), {}) : compare_reports(report(1), now, {});
    EXPECT_EQ(row(rows, "peak_memory").change, Change::kCantTell);
    EXPECT_EQ(row(rows, "peak_memory").why,
              std::string(in_base ? "base" : "new") + ": train: 45 of 400 steps in 100 s");
  }
}

TEST(Compare, MemoryThatIsOnlyEstimatedCannotBeCompared) {
  const Report now = with_each([](Record& record) {
    record.notes["cut_short"] = "budget_s was used up before sequence length 512";
    record.series["peak_memory_bytes"].samples[0] = 0.5e9;
  });
  const Comparison peak = row(compare_reports(report(1), now, {}), "peak_memory");
  EXPECT_EQ(peak.change, Change::kCantTell);
  EXPECT_EQ(peak.why, "new: estimated only: budget_s was used up before sequence length 512");
  for (const auto& one : compare_reports(now, report(1), {})) EXPECT_STRNE(one.metric->name, "peak_memory");
}

TEST(Compare, WhatThereWasNoTimeForHasNotVanished) {
  const Report base = with_each([](Record& record) { record.facts["operator_calls"] = 9; });
  EXPECT_EQ(row(compare_reports(base, report(1), {}), "operator_calls").change, Change::kVanished);
  const Report now = with_each([](Record& record) { record.notes["partial_round"] = "there was no time"; });
  const auto rows = compare_reports(base, now, {});
  EXPECT_EQ(row(rows, "operator_calls").change, Change::kCantTell);
  EXPECT_EQ(row(rows, "operator_calls").why, "there was no time");
}

TEST(Compare, AChecksumIsNeitherTheSameNorBetterWhileProcessesDisagreeAboutIt) {
  const Report base = with_each([](Record& record) { record.facts["checksum"] = 7; });
  const Report other = with_each([n = 0](Record& record) mutable { record.facts["checksum"] = n++; });
  const auto change = [](const Report& a, const Report& b) {
    return row(compare_reports(a, b, {}), "token_checksum").change;
  };
  EXPECT_EQ(change(base, base), Change::kSame);
  EXPECT_EQ(change(base, other), Change::kWorse);
  EXPECT_EQ(change(other, other), Change::kCantTell);
  EXPECT_EQ(change(other, base), Change::kCantTell);
}

TEST(Compare, FinalLossesAfterDifferentNumbersOfStepsCannotBeCompared) {
  const auto losses = [](const std::vector<std::size_t>& steps, double loss) {
    std::vector<Record> records(steps.size());
    for (std::size_t i = 0; i < steps.size(); ++i) records[i].series["loss"] = {"nats", std::vector(steps[i], loss)};
    Report made = report(1);
    made.cases[0] = evaluate_case("train", "train", 10, {}, records, made.machine());
    return made;
  };
  const auto change = [&](const Report& base, const Report& now) {
    return row(compare_reports(base, now, {}), "final_loss").change;
  };
  EXPECT_EQ(change(losses({40, 40}, 8.2), losses({40, 40}, 8.4)), Change::kWorse);
  EXPECT_EQ(change(losses({40, 40}, 8.2), losses({8, 8}, 8.4)), Change::kCantTell);
  EXPECT_EQ(change(losses({40, 40}, 8.2), losses({40, 8}, 8.4)), Change::kCantTell);
}

TEST(Compare, WhatVanishedIsARegressionAndWhatIsNewIsNone) {
  const Report base = report(1);
  Report now = report(1);
  now.cases[0].name = "renamed";
  const auto rows = compare_reports(base, now, {});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].change, Change::kVanished);
  EXPECT_EQ(rows[1].change, Change::kNew);
  EXPECT_EQ(exit_code(rows), Exit::kGateFailed);
  now.cases.clear();
  EXPECT_EQ(exit_code(compare_reports(now, now, {})), Exit::kNotJudged);  // nothing was compared
}

TEST(Compare, RefusesOtherMachinesAndConfigsUnlessAsked) {
  const Report base = report(1);
  Report machine = report(1);
  machine.environment["processor"] = "Other CPU";
  EXPECT_THROW(compare_reports(base, machine, {}), Error);
  Report config = report(1);
  config.cases[0].processes[0].config["prompt_tokens"] = 200;
  EXPECT_THROW(compare_reports(base, config, {}), Error);
  const auto rows = compare_reports(base, machine, {.different = true});
  ASSERT_EQ(rows.size(), 1u);  // the speed; memory and such are not comparable then
  EXPECT_EQ(rows[0].change, Change::kSame);
}

TEST(Compare, NoiseAloneRarelyLooksLikeARegression) {
  int alarms = 0, told_same = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Change change = speed_change(report(1, 1, 0.06, 6, 2 * seed), report(1, 1, 0.06, 6, 2 * seed + 1), 0.01);
    alarms += change == Change::kWorse || change == Change::kBetter;
    told_same += change == Change::kSame;
  }
  EXPECT_LE(alarms, 10);  // 5 % of 200
  EXPECT_LE(told_same, 200 - alarms);
}

TEST(Compare, ARegressionOfFivePercentIsNeverCalledTheSame) {
  int same = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed)
    same += speed_change(report(1, 1, 0.03, 6, 2 * seed), report(1 / 1.06, 1, 0.03, 6, 2 * seed + 1)) == Change::kSame;
  EXPECT_LE(same, 5);
}

TEST(Compare, ExitCodesOfEveryChange) {
  const auto exit_of = [](Change change) {
    Comparison one;
    one.change = change;
    return exit_code({one});
  };
  EXPECT_EQ(exit_of(Change::kSame), Exit::kOk);
  EXPECT_EQ(exit_of(Change::kBetter), Exit::kOk);
  EXPECT_EQ(exit_of(Change::kWorse), Exit::kGateFailed);
  EXPECT_EQ(exit_of(Change::kVanished), Exit::kGateFailed);
  EXPECT_EQ(exit_of(Change::kCantTell), Exit::kNotJudged);
  EXPECT_EQ(exit_of(Change::kNew), Exit::kNotJudged);
}

}  // namespace
}  // namespace bench::harness
