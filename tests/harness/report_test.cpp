#include "harness/report.h"

#include "harness/compare.h"
#include "harness/core/files.h"
#include "harness/reports/reports.h"
#include "harness/suite.h"
#include "tests/temporary_folder.h"

#include <sstream>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

GateConfig gate(const std::string& yaml) { return read_config<GateConfig>(YamlNode::parse(yaml, "g")); }

/// A report with a case of every status and a gate of every verdict; all numbers are made up.
Report example() {
  Report report{
      "example", "Shows every verdict.", "cpu", "2026-11-24T12:00:00Z", {{"processor", "Example CPU"}, {"cores", 2}},
      {}};
  Record train;
  train.name = "train", train.type = "train", train.wall_s = 61.25;
  train.config = {{"steps", 3}};
  for (const double s : {2.0, 2.1, 1.9, 2.0}) train.add("micro_step_time_s", "s", s);
  for (const double s : {0.5, 0.5}) train.add("update_time_s", "s", s);
  for (const double s : {8.3, 7.0, 6.0, 5.5}) train.add("loss", "nats", s);
  train.add("peak_memory_bytes", "bytes", 9.5e9);
  train.facts = {
      {"micro_steps_per_step", 2}, {"tokens_per_step", 4096}, {"flops_per_token", 2e9}, {"matmul_flops_per_s", 3e12}};
  train.notes = {{"dtype", "fp32"}, {"data", "a | b"}};
  report.cases.push_back(
      evaluate_case(train, 120,
                    {gate("{metric: peak_memory, at_most: 10, unit: GB, reading: the plan's ~10 GB}"),
                     gate("{metric: train_steps_per_s, at_least: 2, unit: steps/s, machine: Apple M4 Max, reading: an "
                          "optimizer step}"),
                     gate("{metric: final_loss, at_most: 5, unit: nats}")},
                    "Example CPU"));
  Record skipped;
  skipped.name = "perplexity", skipped.type = "perplexity", skipped.status = Record::Status::kSkipped;
  skipped.reason = "checkpoints/medium/final: no such checkpoint yet", skipped.hint = "train one";
  report.cases.push_back(
      evaluate_case(skipped, 60, {gate("{metric: perplexity, below: 15, unit: '1'}")}, "Example CPU"));
  Record memory;
  memory.name = "memory", memory.type = "memory", memory.wall_s = 3;
  memory.facts = {{"batch", 1}};
  for (const double length : {256.0, 512.0})
    memory.add("seq_length", "tokens", length), memory.add("peak_memory_bytes", "bytes", 1e9 + 1e6 * length);
  report.cases.push_back(evaluate_case(memory, 30, {}, "Example CPU"));
  Record broken;
  broken.name = "decode", broken.type = "decode", broken.status = Record::Status::kError,
  broken.reason = "was killed, most likely for want of memory";
  report.cases.push_back(
      evaluate_case(broken, 30, {gate("{metric: decode_tokens_per_s, above: 50, unit: tokens/s}")}, "Example CPU"));
  return report;
}

/// Compares with tests/baselines/NAME; BENCH_APPROVE=1 writes it instead, to be read in the diff.
void expect_approved(const std::string& name, const std::string& text) {
  const auto file = std::filesystem::path(BENCH_SOURCE_DIR) / "tests/baselines" / name;
  if (std::getenv("BENCH_APPROVE")) write_file_atomically(file, text);
  EXPECT_EQ(read_file(file), text) << "run with BENCH_APPROVE=1 to accept the new rendering";
}

std::string render(const Report& report, void (*write)(const Report&, std::ostream&)) {
  std::ostringstream out;
  write(report, out);
  return out.str();
}

TEST(Report, RenderingsAreTheApprovedOnes) {
  expect_approved("report.json", render(example(), write_json));
  expect_approved("report.md", render(example(), write_markdown));
  expect_approved("report.txt", render(example(), write_terminal));
}

TEST(Report, TerminalLinesFitInAHundredColumns) {
  std::istringstream lines(render(example(), write_terminal));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100u) << line;
}

TEST(Report, ReadBackGivesTheSameReport) {
  const tests::TemporaryFolder folder;
  const std::string text = render(example(), write_json);
  EXPECT_EQ(render(read_report(folder.write("r.json", text)), write_json), text);
}

TEST(Report, NumbersThatAreNotFiniteAreWrittenAsNull) {
  Report report = example();
  report.cases[0].record.series["loss"].samples[1] = std::nan("");
  const std::string text = render(report, write_json);
  EXPECT_EQ(text.find("nan"), std::string::npos);
  const tests::TemporaryFolder folder;
  EXPECT_TRUE(std::isnan(read_report(folder.write("r.json", text)).cases[0].record.samples("loss")[1]));
}

TEST(Report, AnErrorDecidesTheExitCode) { EXPECT_EQ(example().exit_code(), Exit::kCaseError); }

const Comparison* find(const std::vector<Comparison>& rows, const std::string& metric) {
  for (const auto& row : rows)
    if (row.metric && metric == row.metric->name) return &row;
  return nullptr;
}

TEST(Compare, SeesWhatGotBetterWorseAndVanished) {
  const Report base = example();
  EXPECT_FALSE(has_regression(compare_reports(base, base, 0.05)));
  Report now = example();
  now.cases[0].record.series["peak_memory_bytes"].samples[0] *= 1.06;
  now.cases[0].record.series["loss"].samples.back() *= 0.5;
  now.cases[0] = evaluate_case(now.cases[0].record, 0, {}, "");
  const auto rows = compare_reports(base, now, 0.05);
  EXPECT_EQ(find(rows, "peak_memory")->change, Comparison::Change::kWorse);
  EXPECT_NEAR(find(rows, "peak_memory")->ratio, 1.06, 1e-9);
  EXPECT_EQ(find(rows, "final_loss")->change, Comparison::Change::kBetter);
  EXPECT_EQ(find(rows, "first_loss")->change, Comparison::Change::kSame);
  EXPECT_TRUE(has_regression(rows));
  EXPECT_FALSE(has_regression(compare_reports(base, now, 0.10)));
  now.cases.erase(now.cases.begin());
  EXPECT_TRUE(has_regression(compare_reports(base, now, 0.05)));   // a case that vanished
  EXPECT_FALSE(has_regression(compare_reports(now, base, 0.05)));  // a new one
}

TEST(Compare, OverlappingIntervalsAreNoRegression) {
  Report base = example(), now = example();
  for (auto& s : now.cases[0].record.series["micro_step_time_s"].samples) s *= 1.06;  // the interval is wider than that
  now.cases[0] = evaluate_case(now.cases[0].record, 0, {}, "");
  EXPECT_EQ(find(compare_reports(base, now, 0.05), "train_tokens_per_s")->change, Comparison::Change::kSame);
}

TEST(Suite, EveryCaseOfEverySuiteReadsBackFromItsEffectiveConfig) {
  std::filesystem::current_path(BENCH_SOURCE_DIR);
  for (const auto& entry : std::filesystem::directory_iterator("suites")) {
    for (const auto& spec : read_suite(entry.path().string()).cases) {
      FieldReader reader(YamlNode::parse(spec.config.dump(), "effective"));
      EXPECT_EQ(find_case_type(spec.type)->read(reader), spec.config) << entry.path() << " " << spec.name;
      reader.finish();
    }
  }
}

}  // namespace
}  // namespace bench::harness
