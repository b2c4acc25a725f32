// What a report may hold that its reader has to be careful with.
#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/judging/report_paths.h"
#include "harness/reports/reports.h"
#include "tests/temporary_folder.h"

#include <cmath>
#include <limits>
#include <sstream>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

namespace fs = std::filesystem;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN(), kInfinity = std::numeric_limits<double>::infinity();
constexpr const char* kMachine = "Example CPU, 2 cores";

GateConfig gate(const std::string& yaml) { return read_config<GateConfig>(YamlNode::parse(yaml, "g")); }

/// A record as a run gets it: from the file that its process wrote.
Record written_and_read(const Record& record) {
  return record_from_json(parse_json(to_json(record).dump(), "record"), "record");
}

Report report_of(const Record& record, const std::vector<GateConfig>& gates) {
  Report report;
  report.suite = "example", report.device = "cpu";
  report.environment = {{"processor", "Example CPU"}, {"cores", 2}};
  report.cases = {evaluate_case(record.name, record.type, 5, gates, {record}, kMachine)};
  return report;
}

/// A training whose numbers, all but one step's, are `value`.
Record training_with(double value) {
  Record record;
  record.name = record.type = "train";
  record.config = Json::object();
  for (const double loss : {5.0, value, value}) record.add("loss", "nats", loss);
  for (const double norm : {1.0, value}) record.add("grad_norm", "1", norm);
  for (int i = 0; i < 8; ++i) record.add("micro_step_time_s", "s", i == 3 ? value : 1.0);
  record.add("update_time_s", "s", 0);
  record.add("peak_memory_bytes", "bytes", value);
  record.facts = {{"tokens_per_step", value}, {"micro_steps_per_step", 2}, {"validation_loss", value}};
  Block block;
  block.begin_s = 1, block.end_s = value, block.matmul_flops_per_s = value, block.others = value;
  block.samples["micro_step_time_s"] = {0, 8};
  record.blocks = {block};
  record.wall_s = value;
  return record;
}

TEST(ReadingReports, VerifyTakesNullForTheNumberThatItStandsFor) {
  const tests::TemporaryFolder folder;
  const std::vector<GateConfig> gates{gate("{metric: final_loss, at_most: 5, unit: nats}"),
                                      gate("{metric: peak_memory, at_most: 5, unit: GB}"),
                                      gate("{metric: train_steps_per_s, above: 1, unit: steps/s}")};
  for (const double value : {kNan, kInfinity, -kInfinity, 0.0}) {  // of 0 seconds the rate is infinite
    std::ostringstream text;
    write_json(report_of(written_and_read(training_with(value)), gates), text);
    const Verification found = verify_report(folder.write("report.json", text.str()));
    EXPECT_TRUE(found.hash_matches) << value;
    EXPECT_EQ(found.differences, std::vector<std::string>{}) << value;
    if (std::isfinite(value)) continue;
    const Json written = Json::parse(text.str());
    for (const auto& verdict : written["cases"][0]["gates"]) EXPECT_NE(verdict["verdict"], "pass");
  }
}

TEST(ReadingReports, NullIsNotTakenForANumberThatIsThere) {
  const tests::TemporaryFolder folder;
  Json json = to_json(report_of(training_with(1), {}));
  ASSERT_TRUE(json["cases"][0]["metrics"][0]["value"].is_number());
  json["cases"][0]["metrics"][0]["value"] = nullptr;
  EXPECT_EQ(verify_report(folder.write("report.json", json.dump())).differences.size(), 1u);
}

TEST(ReadingReports, TheMachinesStateIsReadAsStrictlyAsAConfig) {
  const Json json = to_json(training_with(1));
  EXPECT_NO_THROW(record_from_json(json, "f"));
  for (const char* key : {"before", "after"}) {
    Json unknown = json, steering = json;
    unknown[key]["load_2min"] = 1;
    steering[key]["power_source"] = "\x1b[2J";
    for (const auto& wrong : {unknown, steering}) EXPECT_THROW(record_from_json(wrong, "f"), Error) << wrong[key];
  }
}

std::string nested(std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); }

TEST(ReadingReports, NestingIsBoundedAndTheByteIsSaid) {
  EXPECT_EQ(parse_json(nested(100), "f").size(), 1u);
  EXPECT_EQ(parse_json("[\"\\\"" + std::string(1000, '[') + "\\\\\"]", "f").size(), 1u);  // brackets of a text
  EXPECT_EQ(parse_json("[[], {}, " + nested(98) + ", " + nested(98) + "]", "f").size(), 4u);
  for (const std::size_t levels : {std::size_t{101}, std::size_t{100'000}}) {
    try {
      parse_json("  " + nested(levels), "f");
      FAIL();
    } catch (const Error& e) {
      EXPECT_EQ(e.where(), "f: byte 103");
      EXPECT_NE(e.message().find("more than 100 objects and lists"), std::string::npos) << e.message();
    }
  }
}

/// Of a training that keeps its checkpoints there.
Report report_that_writes(const std::string& output_dir) {
  Record record = training_with(1);
  record.config = {{"keep_checkpoint", true},
                   {"train_tokenizer", false},
                   {"training", {{"train", {{"output_dir", output_dir}}}, {"data", {{"tokenizer_model", "/a/b"}}}}}};
  return report_of(record, {});
}

TEST(ReadingReports, ASuiteWhoseNameIsAPathIsRefusedBeforeItIsRunAgain) {
  for (const std::string name : {"../up", "/absolute", "a/b", ".", "..", ".hidden", ""}) {
    Report report = report_that_writes("checkpoints/a");
    report.suite = name;
    try {
      check_written_paths(report, "r.json", "");
      ADD_FAILURE() << name;
    } catch (const Error& e) {
      EXPECT_EQ(e.where(), "r.json");
      EXPECT_NE(e.message().find("'" + name + "'"), std::string::npos) << e.message();
      EXPECT_NE(e.hint(), "");
    }
  }
}

TEST(ReadingReports, ACaseWhosePathCanBeNoneIsRefusedBeforeItIsRunAgain) {
  EXPECT_THROW(check_written_paths(report_that_writes(std::string(100'000, 'a')), "r", ""), Error);
  Report report = report_that_writes("a");
  for (const Json& config : {Json{1}, Json("text"), Json{{"training", {1}}, {"keep_checkpoint", true}}}) {
    report.cases[0].processes[0].config = config;
    EXPECT_NO_THROW(check_written_paths(report, "r", "")) << config;  // it says no path
  }
}

TEST(ReadingReports, ACaseThatWouldWriteElsewhereIsRefusedBeforeItIsRunAgain) {
  const tests::TemporaryFolder folder;
  const fs::path out = folder.path() / "out";
  fs::create_directory_symlink(folder.path(), folder.path() / "link");
  EXPECT_NO_THROW(check_written_paths(report_that_writes("checkpoints/a"), "r", ""));
  EXPECT_NO_THROW(check_written_paths(report_that_writes("a/../b"), "r", ""));
  EXPECT_NO_THROW(check_written_paths(report_that_writes((fs::current_path() / "a").string()), "r", ""));
  EXPECT_NO_THROW(check_written_paths(report_that_writes((out / "a").string()), "r", out));
  for (const std::string& path : {std::string("../a"), std::string("a/../../b"), (folder.path() / "outer").string(),
                                  (folder.path() / "link/a").string()})
    EXPECT_THROW(check_written_paths(report_that_writes(path), "r", out), Error) << path;
  Report report = report_that_writes("/elsewhere");
  report.cases[0].processes[0].config["keep_checkpoint"] = false;  // then nothing is written there
  EXPECT_NO_THROW(check_written_paths(report, "r", ""));
  report.cases[0].processes[0].config["train_tokenizer"] = true;  // and this elsewhere
  EXPECT_THROW(check_written_paths(report, "r", ""), Error);
}

}  // namespace
}  // namespace bench::harness
