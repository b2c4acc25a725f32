#include "harness/comparison/history.h"

#include "tests/temporary_folder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <random>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// So many values about a level.
struct Stretch {
  std::size_t count;
  double level;
};

/// Log-normal values. Not std::normal_distribution, whose values differ between standard libraries.
std::vector<double> series(std::uint64_t seed, double spread, const std::vector<Stretch>& stretches) {
  std::mt19937_64 generator(seed);
  const auto uniform = [&] { return (static_cast<double>(generator() >> 11) + 0.5) * 0x1p-53; };
  std::vector<double> values;
  for (const auto& [count, level] : stretches)
    for (std::size_t i = 0; i < count; ++i) {
      const double radius = std::sqrt(-2 * std::log(uniform())), angle = 2 * std::numbers::pi * uniform();
      values.push_back(level * std::exp(spread * radius * std::cos(angle)));
    }
  return values;
}

std::vector<StepChange> timed(const std::vector<double>& values, Better better = Better::kHigher) {
  return find_steps(values, better, Nature::kTimed);
}
std::vector<StepChange> exact(const std::vector<double>& values, double tolerance = 0) {
  return find_steps(values, Better::kLower, Nature::kExact, tolerance);
}

std::vector<std::size_t> indices(const std::vector<StepChange>& steps) {
  std::vector<std::size_t> found;
  for (const auto& step : steps) found.push_back(step.index);
  return found;
}
using Indices = std::vector<std::size_t>;

/// Of how many seeded series the changes found are those that were made, each there or at a neighbour.
int found_in(int series_count, double spread, const std::vector<Stretch>& stretches) {
  int found = 0;
  for (int seed = 0; seed < series_count; ++seed) {
    const auto steps = timed(series(static_cast<std::uint64_t>(seed), spread, stretches));
    bool all = true;
    std::size_t at = 0;
    for (std::size_t i = 0; i + 1 < stretches.size(); ++i) {
      at += stretches[i].count;
      all = all && std::any_of(steps.begin(), steps.end(),
                               [&](const auto& s) { return s.index + 1 >= at && s.index <= at + 1; });
    }
    if (all) ++found;
  }
  return found;
}

// The thresholds below are lower than what the method reaches (1 % false alarms, 98 of 100 steps), so that another
// seed of the permutations doesn't fail them.
TEST(FindSteps, NoiseHasNone) {
  int alarms = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) alarms += !timed(series(seed, 0.05, {{30, 100}})).empty();
  EXPECT_LE(alarms, 10);
}

TEST(FindSteps, FindsAStepOfThreeTimesTheSpread) { EXPECT_GE(found_in(100, 0.03, {{20, 100}, {20, 90}}), 95); }

TEST(FindSteps, FindsTwoSteps) {
  EXPECT_GE(found_in(50, 0.03, {{20, 100}, {20, 90}, {20, 80}}), 45);
  EXPECT_GE(found_in(50, 0.03, {{20, 100}, {20, 90}, {20, 100}}), 45);
  EXPECT_GE(found_in(50, 0.03, {{20, 100}, {8, 90}, {20, 100}}), 40);  // taken back soon
}

TEST(FindSteps, FiveReportsAfterAStepAreEnough) {
  EXPECT_GE(found_in(50, 0.03, {{20, 100}, {5, 90}}), 45);
  EXPECT_EQ(indices(timed(series(1, 0.01, {{5, 100}, {5, 90}}))), Indices{5});
  static_assert(kFewestTimedValues == 10);
}

TEST(FindSteps, APlainStepIsFoundExactlyWhereItIs) {
  for (std::uint64_t seed = 0; seed < 50; ++seed)
    EXPECT_EQ(indices(timed(series(seed, 0.001, {{30, 100}, {6, 90}}))), Indices{30}) << seed;
}

TEST(FindSteps, SaysHowLargeAndWhetherWorse) {
  const auto values = series(1, 0.01, {{20, 100}, {20, 90}});
  const auto steps = timed(values);
  ASSERT_EQ(indices(steps), Indices{20});
  EXPECT_NEAR(steps[0].ratio, 0.9, 0.01);
  EXPECT_NEAR(steps[0].before, 100, 1);
  EXPECT_NEAR(steps[0].after, 90, 1);
  EXPECT_LT(steps[0].p_value, 0.01);
  EXPECT_TRUE(steps[0].worse);
  EXPECT_FALSE(timed(values, Better::kLower)[0].worse);
}

TEST(FindSteps, OutliersAreNone) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    EXPECT_TRUE(timed(series(seed, 0.02, {{20, 100}, {1, 30}, {19, 100}})).empty()) << seed;
    EXPECT_TRUE(timed(series(seed, 0.02, {{20, 100}, {2, 300}, {19, 100}})).empty()) << seed;
  }
}

TEST(FindSteps, ChangesTooSmallToMatterAreNone) {
  EXPECT_TRUE(timed(series(1, 0.001, {{20, 100}, {20, 99}})).empty());
  EXPECT_EQ(indices(timed(series(1, 0.001, {{20, 100}, {20, 97}}))), Indices{20});
}

TEST(FindSteps, FewValuesHaveNone) {
  EXPECT_TRUE(timed({}).empty());
  EXPECT_TRUE(timed({1}).empty());
  EXPECT_TRUE(timed({1, 2}).empty());
  EXPECT_TRUE(timed({1, 2, 3}).empty());
  EXPECT_TRUE(timed({1, 1, 1, 1, 2, 2, 2, 2, 2}).empty());
  EXPECT_TRUE(timed(std::vector<double>(30, 1)).empty());
  EXPECT_TRUE(timed(std::vector<double>(30, 0)).empty());
}

TEST(FindSteps, TheStatisticsLeaveOutValuesThatAreNotFinite) {
  auto values = series(1, 0.01, {{20, 100}, {20, 90}});
  values.insert(values.begin() + 10, kNaN);
  values.insert(values.begin() + 10, kInfinity);
  values.insert(values.begin(), kNaN);
  EXPECT_EQ(indices(timed(values)), Indices{23});
  EXPECT_TRUE(timed(std::vector<double>(30, kNaN)).empty());
  EXPECT_EQ(indices(exact({kNaN, 1, kNaN, 2, kNaN})), Indices{3});
}

TEST(FindSteps, OfAnExactMetricAnyChangeBeyondTheToleranceCounts) {
  EXPECT_TRUE(exact({}).empty());
  EXPECT_TRUE(exact({5}).empty());
  EXPECT_TRUE(exact({5, 5, 5}).empty());
  EXPECT_EQ(indices(exact({5, 6})), Indices{1});
  EXPECT_EQ(indices(exact({5, 6, 5})), (Indices{1, 2}));
  EXPECT_TRUE(exact({5, 6})[0].worse);
  EXPECT_FALSE(exact({6, 5})[0].worse);
  EXPECT_EQ(exact({5, 6})[0].p_value, 0);
  EXPECT_TRUE(exact({100, 101, 99, 101}, 0.02).empty());
  EXPECT_EQ(indices(exact({100, 103}, 0.02)), Indices{1});
  EXPECT_EQ(exact({100, 101, 102, 103, 104, 105}, 0.02).size(), 1u);  // many small ones add up
  EXPECT_TRUE(find_steps({7, 6}, Better::kUnchanged, Nature::kExact)[0].worse);
}

TEST(FindSteps, ExactMetricsMayBeZeroOrInfinite) {
  const auto from_zero = exact({0, 0, 3, 3});
  ASSERT_EQ(indices(from_zero), Indices{2});
  EXPECT_EQ(from_zero[0].before, 0);
  EXPECT_EQ(from_zero[0].after, 3);
  EXPECT_TRUE(from_zero[0].worse);
  const auto to_infinity = exact({3, 3, kInfinity, kInfinity}, 0.005);
  ASSERT_EQ(indices(to_infinity), Indices{2});
  EXPECT_EQ(to_infinity[0].after, kInfinity);
  EXPECT_TRUE(to_infinity[0].worse);
  const auto there_and_back = find_steps({3, kInfinity, 3}, Better::kHigher, Nature::kExact);
  ASSERT_EQ(indices(there_and_back), (Indices{1, 2}));
  EXPECT_TRUE(there_and_back[0].worse);
  EXPECT_FALSE(there_and_back[1].worse);
}

// ---- reports

std::string day(std::size_t i) { return fmt::format("2026-{:02}-{:02}T00:00:00Z", 1 + i / 28, 1 + i % 28); }

/// A report of a case `decode` whose steps take that long; the machine's speed probe found that many FLOP/s.
DatedReport report(std::size_t i, double step_s, double flops_per_s = 1e12, const char* processor = "Example CPU") {
  DatedReport one{fmt::format("{}/report.json", i), {}};
  one.report.suite = "quick", one.report.device = "cpu", one.report.created = day(i);
  one.report.environment = {{"processor", processor},
                            {"cores", 2},
                            {"commit", fmt::format("c{}", i)},
                            {"dirty", i % 2 == 1},
                            {"torch_version", "2.12"}};
  Record record;
  record.name = "decode", record.type = "decode";
  record.config = {{"batch", 1}, {"model", {{"num_layers", 2}}}};
  record.facts = {{"batch", 1}, {"work_flops", 1e9}, {"work_bytes", 1e6}, {"operator_calls", 500}};
  record.add("decode_step_time_s", "s", step_s);
  Block block;
  block.matmul_flops_per_s = flops_per_s, block.read_bytes_per_s = 1e12;
  block.samples["decode_step_time_s"] = {0, 1};
  record.blocks.push_back(block);
  one.report.cases.push_back(evaluate_case("decode", "decode", 1, {}, {record}, one.report.machine()));
  return one;
}

const Trend* find(const std::vector<Trend>& trends, const std::string& metric, const std::string& machine = "Example") {
  for (const auto& trend : trends)
    if (metric == trend.metric->name && trend.machine.starts_with(machine)) return &trend;
  return nullptr;
}

void change_record(DatedReport& one, void (*change)(Record&)) {
  Record record = one.report.cases[0].processes[0];
  change(record);
  one.report.cases[0] = evaluate_case("decode", "decode", 1, {}, {record}, one.report.machine());
}

TEST(FindTrends, AreSortedByTimeAndNameTheCommit) {
  std::vector<DatedReport> reports;
  for (std::size_t i = 40; i-- > 0;) reports.push_back(report(i, i < 20 ? 0.01 : 0.02));
  const auto trends = find_trends(reports);
  const Trend* trend = find(trends, "decode_tokens_per_s");
  ASSERT_TRUE(trend);
  EXPECT_EQ(trend->suite + " " + trend->case_name + " " + trend->machine + " " + trend->device,
            "quick decode Example CPU, 2 cores cpu");
  ASSERT_EQ(trend->points.size(), 40u);
  EXPECT_EQ(trend->points[3].commit, "c3");
  EXPECT_TRUE(trend->points[3].dirty);
  EXPECT_EQ(trend->points[3].file, "3/report.json");
  ASSERT_EQ(indices(trend->steps), Indices{20});
  EXPECT_TRUE(trend->steps[0].worse);
  EXPECT_DOUBLE_EQ(trend->steps[0].before, 100);
  EXPECT_DOUBLE_EQ(trend->steps[0].after, 50);
  EXPECT_TRUE(find(trends, "operator_calls")->steps.empty());
  EXPECT_FALSE(find(trends, "token_latency_p50")) << "not a compared metric";
}

TEST(FindTrends, ASlowMachineAmongOthersIsATrendOfItsOwn) {
  std::vector<DatedReport> reports;
  for (std::size_t i = 0; i < 40; ++i)
    reports.push_back(i < 20 || i % 2 ? report(i, 0.01) : report(i, 0.03, 1e12, "Slow CPU"));
  const auto trends = find_trends(reports);
  const Trend *fast = find(trends, "decode_tokens_per_s"), *slow = find(trends, "decode_tokens_per_s", "Slow");
  ASSERT_TRUE(fast && slow);
  EXPECT_EQ(fast->points.size(), 30u);
  EXPECT_EQ(slow->points.size(), 10u);
  for (const auto& trend : trends) EXPECT_TRUE(trend.steps.empty()) << trend.metric->name;
}

TEST(FindTrends, AMachineThatDriftsIsNoChangeOfTheProgram) {
  std::vector<DatedReport> reports;
  for (std::size_t i = 0; i < 40; ++i) reports.push_back(i < 20 ? report(i, 0.01) : report(i, 0.02, 0.5e12));
  const Trend drifting = *find(find_trends(reports), "decode_tokens_per_s");
  EXPECT_STREQ(drifting.judged_by->name, "share_of_ceiling");
  EXPECT_TRUE(drifting.steps.empty());
  EXPECT_DOUBLE_EQ(drifting.points[30].estimate.value, 50);

  change_record(reports[7], [](Record& record) { record.facts.erase("work_flops"); });  // one without a share
  const Trend raw = *find(find_trends(reports), "decode_tokens_per_s");
  EXPECT_STREQ(raw.judged_by->name, "decode_tokens_per_s");
  EXPECT_EQ(indices(raw.steps), Indices{20});
}

TEST(FindTrends, TheRatioOfATimeJudgedByItsShareIsThatOfTheTime) {
  std::vector<DatedReport> reports;
  for (std::size_t i = 0; i < 40; ++i) {
    reports.push_back(i < 20 ? report(i, 0.01) : report(i, 0.01, 2e12));  // the machine got faster, the case didn't
    change_record(reports.back(), [](Record& record) {
      record.series["operator_time_s"] = record.series["decode_step_time_s"];
      record.series.erase("decode_step_time_s");
      record.blocks[0].samples = {{"operator_time_s", {0, 1}}};
    });
  }
  const Trend trend = *find(find_trends(reports), "operator_time");
  ASSERT_EQ(indices(trend.steps), Indices{20});
  EXPECT_TRUE(trend.steps[0].worse);
  EXPECT_NEAR(trend.steps[0].ratio, 2, 1e-9);
  EXPECT_NEAR(trend.steps[0].after / trend.steps[0].before, 1, 1e-9);
}

TEST(FindTrends, SayWhatElseChanged) {
  std::vector<DatedReport> reports{report(0, 0.01), report(1, 0.01)};
  reports[1].report.environment["torch_version"] = "2.13";
  change_record(reports[1], [](Record& record) {
    record.facts["operator_calls"] = 400;
    record.config["model"]["num_layers"] = 3;
    record.inputs["valid.txt"] = "ab";
  });
  const Trend trend = *find(find_trends(reports), "operator_calls");
  ASSERT_EQ(indices(trend.steps), Indices{1});
  EXPECT_FALSE(trend.steps[0].worse);
  EXPECT_EQ(trend.steps[0].also_changed,
            (std::vector<std::string>{"config/model/num_layers: 2 -> 3", "input valid.txt: - -> ab",
                                      "torch_version: 2.12 -> 2.13"}));
}

TEST(FindTrends, ValuesAtTheEndThatAreNoNumbersAreAStepForTheWorseAtTheirFirst) {
  for (const double fault : {kNaN, 0.0}) {  // a time of 0 is an infinite speed
    std::vector<DatedReport> reports;
    for (std::size_t i = 0; i < 8; ++i) reports.push_back(report(i, i < 5 ? 0.01 : fault));
    const Trend trend = *find(find_trends(reports), "decode_tokens_per_s");
    EXPECT_EQ(trend.points.size(), 8u);
    ASSERT_EQ(indices(trend.steps), Indices{5});
    EXPECT_TRUE(trend.steps[0].worse && trend.steps[0].to_no_number());
    EXPECT_DOUBLE_EQ(trend.steps[0].before, 100);
  }
}

TEST(FindTrends, OneValueThatIsNoNumberIsEnoughAlsoIfItIsTheOnlyOne) {
  EXPECT_EQ(indices(find(find_trends({report(0, 0.01), report(1, kNaN)}), "decode_tokens_per_s")->steps), Indices{1});
  const Trend alone = *find(find_trends({report(0, kNaN)}), "decode_tokens_per_s");
  ASSERT_EQ(indices(alone.steps), Indices{0});
  EXPECT_TRUE(alone.steps[0].worse);
  EXPECT_TRUE(std::isnan(alone.steps[0].before));
}

TEST(FindTrends, ValuesThatAreNoNumbersMoveNeitherTheOtherStepsNorTheirLevels) {
  std::vector<DatedReport> reports;
  for (std::size_t i = 0; i < 41; ++i) reports.push_back(report(i, i < 20 ? 0.01 : 0.02));
  for (const std::size_t i : Indices{0, 7, 30, 40}) reports[i] = report(i, kNaN);
  const Trend trend = *find(find_trends(reports), "decode_tokens_per_s");
  EXPECT_STREQ(trend.judged_by->name, "share_of_ceiling");
  ASSERT_EQ(indices(trend.steps), (Indices{20, 40}));
  EXPECT_DOUBLE_EQ(trend.steps[0].before, 100);
  EXPECT_DOUBLE_EQ(trend.steps[0].after, 50);
  EXPECT_DOUBLE_EQ(trend.steps[0].ratio, 0.5);
  EXPECT_DOUBLE_EQ(trend.steps[1].before, 50);
}

TEST(FindTrends, EstimatesAreNoPoints) {
  std::vector<DatedReport> reports{report(0, 0.01), report(1, 0.01)};
  change_record(reports[0], [](Record& record) { record.facts["needed_memory_bytes"] = 60e9; });
  change_record(reports[1], [](Record& record) { record.add("peak_memory_bytes", "bytes", 1e9); });
  EXPECT_EQ(find(find_trends(reports), "peak_memory")->points.size(), 1u);
  EXPECT_TRUE(find_trends({}).empty());
}

std::string json_of(std::size_t i) { return to_json(report(i, 0.01).report).dump(); }

std::string error_of(const std::filesystem::path& folder) {
  std::vector<std::string> skipped;
  try {
    read_reports(folder, skipped);
  } catch (const Error& e) {
    EXPECT_FALSE(e.hint().empty());
    return e.message();
  }
  return "no error";
}

TEST(ReadReports, ReadsEveryReportBelowTheFolder) {
  const tests::TemporaryFolder folder;
  folder.write("report.json", json_of(1));
  folder.write("a/b/c/report.json", json_of(2));
  folder.write("a/other.json", json_of(3));
  std::vector<std::string> skipped;
  EXPECT_EQ(read_reports(folder.path(), skipped).size(), 2u);
  EXPECT_TRUE(skipped.empty());
}

TEST(ReadReports, NamesWhatIsNoReport) {
  const tests::TemporaryFolder folder;
  folder.write("good/report.json", json_of(1));
  folder.write("bad/1/report.json", json_of(2).substr(0, 500));
  folder.write("bad/2/report.json", R"({"schema": "bench-report/1"})");
  folder.write("bad/3/report.json", "[1, 2]");
  folder.write("bad/4/report.json", "");
  folder.write("bad/5/report.json", R"({"schema": "bench-report/2", "suite": 3})");
  folder.write("same/report.json", json_of(1));
  std::filesystem::create_symlink("nowhere", folder.path() / "bad/report.json");
  std::filesystem::create_directory_symlink("..", folder.path() / "bad/loop");
  std::vector<std::string> skipped;
  const auto reports = read_reports(folder.path(), skipped);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].file, (folder.path() / "good/report.json").string());
  EXPECT_EQ(skipped.size(), 7u);
  const auto says = [&](const std::string& file, const std::string& reason) {
    return std::ranges::any_of(skipped, [&](const std::string& line) {
      return line.starts_with((folder.path() / file).string()) && line.find(reason) != std::string::npos;
    });
  };
  EXPECT_TRUE(says("bad/2/report.json", "has schema 'bench-report/1'"));
  EXPECT_TRUE(says("bad/report.json", "is not a file"));
  EXPECT_TRUE(says("same/report.json", "is the same as"));
}

TEST(ReadReports, NothingToReadIsAnError) {
  const tests::TemporaryFolder folder;
  EXPECT_EQ(error_of(folder.path()), "has no report.json below it");
  EXPECT_EQ(error_of(folder.path() / "nowhere"), "no such folder");
  EXPECT_EQ(error_of(folder.write("file", "")), "is not a folder");
  folder.write("report.json", "{");
  EXPECT_NE(error_of(folder.path()).find("of 1 skipped the first is"), std::string::npos);
}

}  // namespace
}  // namespace bench::harness
