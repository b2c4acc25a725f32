#include "harness/cases/command.h"

#include "harness/core/clock.h"
#include "harness/core/error.h"
#include "harness/judging/metric.h"
#include "tests/harness/cases/recorded.h"
#include "tests/temporary_folder.h"

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

CommandConfig config_of(const std::string& yaml) { return read_config<CommandConfig>(YamlNode::parse(yaml, "case")); }

/// What the case records that declares `speed` in tokens/s.
Record run(const std::string& yaml, double seconds = 20) {
  Context context{"case", find_device("cpu", ""), seconds, {}};
  context.measuring.probe = false;
  context.measuring.end_s = now_s() + seconds;
  Record record;
  record.declared = {{.name = "speed", .unit = "tokens/s", .better = "higher"}};
  run_command_case(config_of(yaml), context, record);
  return record;
}

std::string error_of(const std::string& yaml) {
  try {
    run(yaml);
  } catch (const Error& e) {
    return e.message() + " | " + e.hint();
  }
  return "";
}

TEST(CommandCase, MeasuresAProgramAndReadsItsNumbers) {
  const Record record =
      run("{shell: 'echo speed: 12.5; sleep 0.1', repetitions: 3, read: [{metric: speed, regex: 'speed: ([0-9.]+)'}]}");
  EXPECT_EQ(record.samples("speed"), (std::vector<double>{12.5, 12.5, 12.5}));
  EXPECT_EQ(record.samples("cold_speed").size(), 1u);  // the first run
  EXPECT_EQ(record.samples("wall_time_s").size(), 3u);
  EXPECT_EQ(record.main_series(), "wall_time_s");
  EXPECT_EQ(record.notes.at("stdout"), "speed: 12.5\n");
  const Metric* speed = find_metric("speed", std::vector<Record>{record});
  ASSERT_TRUE(speed);
  EXPECT_EQ(evaluate(*speed, {record})->value, 12.5);
  EXPECT_GT(find_metric("wall_time")->of(record)->value, 0);
  const auto peak = find_metric("peak_memory")->of(record);  // it lives long enough to be looked at
  ASSERT_TRUE(peak);
  EXPECT_GT(peak->value, 0);
  EXPECT_FALSE(record.facts.contains("operator_calls"));
}

TEST(CommandCase, APeakThatCouldNotBeReadIsNoSampleAndIsNotJudged) {
  CommandResult result;
  result.peak_bytes = 150e6;
  Record record;
  record_run_peak(result, record, record);
  EXPECT_EQ(record.samples("peak_memory_bytes"), (std::vector<double>{150e6}));
  result.peak_unread = "process 8 (cc): no VmRSS in status";
  record_run_peak(result, record, record);
  EXPECT_EQ(record.samples("peak_memory_bytes").size(), 1u);
  EXPECT_EQ(record.peak_unread(), "the memory of its processes could not be read: process 8 (cc): no VmRSS in status");
  EXPECT_FALSE(find_metric("peak_memory")->of(record));
}

TEST(CommandCase, ProgramsLearnOnWhatOurOwnCasesRun) {
  const Record record = run("{shell: 'echo $BENCH_DEVICE $BENCH_THREADS $BENCH_DTYPE', repetitions: 1}");
  const std::string dtype = find_device("cpu", "").fast_bf16() ? "bf16" : "fp32";
  EXPECT_EQ(record.notes.at("stdout"), fmt::format("cpu {} {}\n", at::get_num_threads(), dtype));
}

TEST(CommandCase, SetsUpOnceAndReadsFilesThatThisRunWrote) {
  const tests::TemporaryFolder folder;
  const std::string at = folder.path().string();
  run("{shell: 'echo 7 > out.txt', folder: " + at +
      ", setup: [sh, -c, 'echo x >> setups'], repetitions: 2, read: [{metric: speed, file: out.txt, regex: "
      "'([0-9]+)'}]}");
  EXPECT_EQ(std::filesystem::file_size(folder.path() / "setups"), 2u);
  EXPECT_NE(
      error_of("{command: ['true'], folder: " + at + ", read: [{metric: speed, file: out.txt, regex: '([0-9]+)'}]}"),
      "");
}

TEST(CommandCase, WhatIsExpectedAndNotMetIsAnErrorWithTheLastLines) {
  EXPECT_EQ(error_of("{shell: 'echo before; echo why >&2; exit 3'}"),
            "ended with exit code 3 instead of 0 | its last lines:\nwhy\n");
  EXPECT_EQ(error_of("{shell: 'exit 3', expect: {exit_code: 3}, repetitions: 1}"), "");
  EXPECT_EQ(error_of("{command: [echo, hello], expect: {output: 'h.*o'}, repetitions: 1}"), "");
  EXPECT_EQ(error_of("{command: [echo, hello], expect: {output: bye}}"),
            "did not print what 'bye' matches | its last lines:\nhello\n");
  EXPECT_EQ(error_of("{command: [echo, hello], expect: {checksum: abc}}").find("printed other text: its xxh128 is "),
            0u);
  EXPECT_EQ(error_of("{shell: 'kill -TERM $$'}"), "was ended by signal 15 | it printed nothing");
  EXPECT_EQ(error_of("{command: [sleep, '60'], timeout_s: 0.2}"),
            "did not end within 0.2 s and was ended | it printed nothing");
}

TEST(CommandCase, ForeignOutputIsAnErrorAndLosesNothing) {
  const std::string speed = "read: [{metric: speed, regex: 'speed: ([0-9.]+)'}]";
  EXPECT_EQ(error_of("{command: ['true'], " + speed + "}").find("has nothing that"), 0u);
  EXPECT_EQ(error_of("{shell: 'head -c 1000 /dev/urandom', " + speed + "}").find("has nothing that"), 0u);
  EXPECT_EQ(error_of("{shell: 'head -c 20000000 /dev/zero', " + speed + "}")
                .find("printed more than 8 MB, too much to read speed in it"),
            0u);
  EXPECT_EQ(error_of("{command: [echo, '{'], read: [{metric: speed, json: /x}]}").find("is not JSON"), 0u);
  EXPECT_EQ(error_of("{command: [echo, x], read: [{metric: other, regex: '(x)'}]}")
                .find("is no metric that the case declares"),
            0u);
#ifndef __APPLE__
  EXPECT_EQ(
      error_of("{shell: '(setsid sleep 65 >/dev/null 2>&1 &); sleep 0.2'}").find("ended and left running: sleep ("),
      0u);
#endif
}

TEST(CommandCase, AProgramThatIsNotThereIsAnErrorOrSkipped) {
  EXPECT_EQ(error_of("{command: [no-such-program]}").find("there is no program 'no-such-program'"), 0u);
  EXPECT_EQ(error_of("{command: [./no-such-program], folder: /tmp}").find("there is no program './no-such-program'"),
            0u);
  EXPECT_EQ(error_of("{command: [echo], needs: [/no/such/model.gguf]}").find("'/no/such/model.gguf' is not there"), 0u);
  const Record record = run("{command: [no-such-program], when_missing: skip}");
  EXPECT_EQ(record.status, Record::Status::kSkipped);
  EXPECT_EQ(record.reason, "there is no program 'no-such-program'");
}

TEST(CommandCase, AConfigThatContradictsItselfIsAnError) {
  for (const char* wrong : {"{}", "{command: [a], shell: b}", "{command: ['']}", "{command: [a], env: [b]}",
                            "{command: [a], timeout_s: 0}", "{command: [a], when_missing: ignore}",
                            "{command: [a], expect: {output: '('}}", "{command: [a], read: [{metric: x}]}"})
    EXPECT_THROW(config_of(wrong), Error) << wrong;
}

}  // namespace
}  // namespace bench::harness
