// Runs that are ended from outside: what they leave on the disk, and what they leave running.
#include "tests/harness/cli/started.h"

#include <algorithm>
#include <fcntl.h>
#include <sys/file.h>

namespace bench::harness {
namespace {

namespace fs = std::filesystem;

/// A case of a moment and two of a minute, of which nobody waits for the end. The first of those leaves files in kept/.
const std::string kThree = "name: three\ncases:\n" + std::string(kDecodeCase) +
                           R"(, gates: [{metric: cached_uncached_mismatches, at_most: 0, unit: tokens}]}
  - name: slow
    case: train
    after: [decode]
    model: model.yaml
    training:
      file: configs/training_quick.yaml
      train: {max_seq_length: 16, max_steps: 10000000, logging_steps: 1, output_dir: kept, num_workers: 0}
    keep_checkpoint: true
    steps: 10000000
    budget_s: 60
    gates: [{metric: peak_memory, at_most: 1e-6, unit: GB}]
  - {name: last, case: prefill, model: model.yaml, prompt_tokens: 8, precision: 1e-9, budget_s: 60, after: [slow]}
)";

class InterruptedTest : public RunTest {
 protected:
  InterruptedTest() { folder_.write("suite.yaml", kThree); }

  std::vector<std::string> command(const std::string& formats = "json,junit,markdown") {
    return {"run", "suite.yaml", "--device", "cpu", "--out", "out", "--format", formats};
  }
  std::string file(const std::string& name) {
    std::error_code unknown;
    return fs::exists(folder_.path() / name, unknown) ? read_file(folder_.path() / name) : "";
  }
  std::string status_of(std::size_t i) {
    const std::string text = file("out/report.json");
    return text.empty() ? "" : Json::parse(text)["cases"][i]["status"];
  }
  /// Folders of cases in TMPDIR, also within each other.
  std::size_t scratch_folders() {
    std::size_t count = 0;
    std::error_code gone;
    for (fs::recursive_directory_iterator entry(folder_.path() / "tmp", gone), end; !gone && entry != end;
         entry.increment(gone))
      count += entry->path().filename().string().starts_with("bench-case-");
    return count;
  }
  /// Programs that said so by a file.
  std::ptrdiff_t begun() {
    return std::count_if(fs::directory_iterator(folder_.path()), {},
                         [](const auto& entry) { return entry.path().filename().string().starts_with("begun."); });
  }
  /// The first case has been run, and the second is at work.
  bool is_half_way() { return status_of(0) == "ok" && file("kept/metrics.jsonl") != ""; }

  void expect_report_of_an_interrupted_run(const std::string& ran) {
    const std::string why = "interrupted: " + ran + " of 3 cases ran";
    const Json json = report();
    EXPECT_EQ(json["exit_code"], 4);
    EXPECT_TRUE(json.value("interrupted", false));
    EXPECT_EQ(json["cases"].size(), 3u);
    EXPECT_TRUE(contains(json["summary"], why)) << json["summary"];
    EXPECT_EQ(json["cases"][2]["status"], "not_run");
    EXPECT_TRUE(contains(file("out/report.xml"), "errors=\"3\"")) << file("out/report.xml");
    EXPECT_TRUE(contains(file("out/report.md"), why));
    const Outcome verify = bench("verify out/report.json", folder_.path().string());
    EXPECT_EQ(verify.exit_code, 4);
    EXPECT_TRUE(contains(verify.text, "report.json: every statistic and verdict follows")) << verify.text;
    EXPECT_TRUE(contains(verify.text, "report.json: the run was " + why)) << verify.text;
  }
};

TEST_F(InterruptedTest, ARunThatIsAskedToEndSaysSoAndLeavesNothingRunning) {
  for (const int signal : {SIGINT, SIGTERM}) {
    for (const char* old : {"out", "kept"}) fs::remove_all(folder_.path() / old);
    Started run(folder_.path(), command());
    ASSERT_TRUE(run.wait_until([&] { return is_half_way(); }));
    EXPECT_EQ(ending_signal(run.end(signal)), signal);
    const auto output = run.all_output();
    ASSERT_TRUE(output.has_value()) << "a case goes on";
    EXPECT_TRUE(contains(*output, "\ninterrupted: 1 of 3 cases ran\n")) << *output;
    EXPECT_TRUE(contains(*output, "\nreport: out\n")) << *output;
    expect_report_of_an_interrupted_run("1");
    EXPECT_EQ(scratch_folders(), 0u);
  }
}

TEST_F(InterruptedTest, ARunThatIsKilledHasSaidSoBeforeAndItsCaseEndsWithIt) {
  Started run(folder_.path(), command());
  ASSERT_TRUE(run.wait_until([&] { return is_half_way(); }));
  EXPECT_EQ(ending_signal(run.end(SIGKILL)), SIGKILL);
  ASSERT_TRUE(run.all_output().has_value()) << "a case goes on";
  expect_report_of_an_interrupted_run("1");
  EXPECT_EQ(scratch_folders(), 0u);
}

TEST_F(InterruptedTest, TheFirstReportIsThereBeforeTheFirstCase) {
  Started run(folder_.path(), command());
  ASSERT_TRUE(run.wait_until([&] { return scratch_folders() > 0; }));
  run.end(SIGKILL);
  ASSERT_TRUE(run.all_output().has_value());
  EXPECT_EQ(report()["cases"].size(), 3u);
  EXPECT_TRUE(contains(report()["summary"], "of 3 cases ran"));
  EXPECT_EQ(report()["exit_code"], 4);
}

TEST_F(InterruptedTest, WhatWasInterruptedIsRunAgainWhole) {
  Started run(folder_.path(), command());
  ASSERT_TRUE(run.wait_until([&] { return is_half_way(); }));
  run.end(SIGTERM);
  const Outcome again =
      bench("run --from out/report.json --case 'decode' --out again --processes 1", folder_.path().string());
  EXPECT_EQ(again.exit_code, 0) << again.text;
  Json json = report();
  json["cases"][1]["processes"][0]["config"]["steps"] = 2;
  for (auto& one : json["cases"]) one["budget_s"] = 1;
  folder_.write("short.json", json.dump());
  const Outcome rest = bench("run --from short.json --out again", folder_.path().string());
  EXPECT_EQ(rest.exit_code, 1) << rest.text;  // the slow case's gate
  const Json written = Json::parse(file("again/report.json"));
  for (const auto& one : written["cases"]) EXPECT_EQ(one["status"], "ok");
}

TEST_F(InterruptedTest, ACaseThatIsMeasuredInProcessesOfItsOwnEndsWithTheRunThatIsKilled) {
  folder_.write("suite.yaml",
                "name: t\ncases:\n  - {name: m, case: memory, mode: decode, model: model.yaml, budget_s: 60, "
                "seq_lengths: [4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60, 64]}\n");
  Started run(folder_.path(), command("json"));
  ASSERT_TRUE(run.wait_until([&] { return scratch_folders() > 1; }));
  run.end(SIGKILL);
  EXPECT_TRUE(run.all_output().has_value()) << "a case goes on";
  EXPECT_EQ(scratch_folders(), 0u);
}

TEST_F(InterruptedTest, BothSidesOfAComparisonEndWithItWhenItIsKilled) {
  folder_.write("suite.yaml",
                "name: t\ncases:\n  - {name: p, case: prefill, model: model.yaml, prompt_tokens: 8, budget_s: 60}\n");
  const fs::path program =
      folder_.write("program", "#!/bin/sh\n[ $2 = --protocol ] || touch begun.$$\nexec '" BENCH_PROGRAM "' \"$@\"\n");
  fs::permissions(program, fs::perms::owner_all);
  Started ab(folder_.path(), {"ab", program, program, "suite.yaml", "--device", "cpu", "--blocks", "100000"});
  ASSERT_TRUE(ab.wait_until([&] { return begun() == 2; }));
  ab.end(SIGKILL);
  EXPECT_TRUE(ab.all_output().has_value()) << "a side goes on";
  EXPECT_EQ(scratch_folders(), 0u);
}

TEST_F(InterruptedTest, WhatADeadRunLeftInTmpIsRemovedByTheNextAndWhatALivingOneUsesIsNot) {
  folder_.write("tmp/bench-case-dead/lock", "");
  folder_.write("tmp/bench-case-dead/record.json", "{}");
  folder_.write("tmp/bench-case-just-made/request.json", "{}");
  folder_.write("tmp/bench-other/lock", "");
  const fs::path living = folder_.write("tmp/bench-case-living/lock", "");
  const int lock = ::open(living.c_str(), O_RDWR);
  ASSERT_EQ(::flock(lock, LOCK_EX), 0);
  folder_.write("suite.yaml", suite(""));
  Started run(folder_.path(), command("json"));
  run.end(0);
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder_.path() / "tmp"))
    names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  EXPECT_EQ(names, (std::vector<std::string>{"bench-case-just-made", "bench-case-living", "bench-other"}));
  ::close(lock);
}

TEST_F(InterruptedTest, WhereNoReportCanBeWrittenNothingIsRun) {
  folder_.write("suite.yaml", suite(""));
  folder_.write("out", "a file in the folder's place");
  const Outcome in_the_way = bench("run suite.yaml --device cpu --out out", folder_.path().string());
  EXPECT_EQ(in_the_way.exit_code, 3);
  EXPECT_FALSE(contains(in_the_way.text, "decode ...")) << in_the_way.text;
  EXPECT_TRUE(contains(in_the_way.text, "out: cannot be")) << in_the_way.text;
  // Files may not grow beyond a block, as on a full disk.
  const std::string command = "ulimit -f 1; cd '" + folder_.path().string() +
                              "' && '" BENCH_PROGRAM "' run suite.yaml --device cpu --out full >log 2>&1";
  EXPECT_EQ(exit_code(std::system(command.c_str())), 3);
  EXPECT_FALSE(contains(file("log"), "decode ...")) << file("log");
  EXPECT_TRUE(contains(file("log"), "report.json: cannot be written")) << file("log");
  EXPECT_TRUE(contains(file("log"), "hint: ")) << file("log");
}

TEST_F(InterruptedTest, AReportThatCannotBeWrittenEndsNoRunAndIsTriedAgain) {
  const fs::path out = folder_.path() / "out";
  folder_.write("suite.yaml", "name: t\ncases:\n" + std::string(kDecodeCase) + "}\n" +
                                  "  - {name: second, case: decode, model: model.yaml, prompt_tokens: 8, "
                                  "new_tokens: 4, rounds: 1, after: [decode]}\n");
  Started lost(folder_.path(), command("json"));
  ASSERT_TRUE(lost.wait_until([&] { return status_of(0) == "not_run"; }));
  fs::remove_all(out);
  folder_.write("out", "");
  EXPECT_EQ(exit_code(lost.end(0)), 3);
  const std::string said = lost.all_output().value_or("");
  EXPECT_TRUE(contains(said, "the run goes on")) << said;
  EXPECT_TRUE(contains(said, "second ...")) << said;
  EXPECT_TRUE(contains(said, "t: no gates")) << said;  // what was found is shown all the same
  EXPECT_TRUE(contains(said, "\nout: cannot be")) << said;

  fs::remove(out);
  Started found_again(folder_.path(), command("json"));
  ASSERT_TRUE(found_again.wait_until([&] { return status_of(0) == "not_run"; }));
  fs::remove_all(out);  // a folder that is gone is made again
  EXPECT_EQ(exit_code(found_again.end(0)), 4);
  EXPECT_EQ(status_of(1), "ok");
  EXPECT_FALSE(report().contains("interrupted"));
}

TEST_F(InterruptedTest, AFormatThatCannotBeWrittenLosesNoOther) {
  folder_.write("suite.yaml", suite(""));
  Started run(folder_.path(), command("markdown,json"));
  ASSERT_TRUE(run.wait_until([&] { return status_of(0) == "not_run"; }));
  fs::remove(folder_.path() / "out/report.md");
  folder_.write("out/report.md/in the way", "");
  EXPECT_EQ(exit_code(run.end(0)), 3);
  EXPECT_EQ(status_of(0), "ok");
  EXPECT_TRUE(contains(run.all_output().value_or(""), "report.md: is not a file")) << "which one, is said";
}

}  // namespace
}  // namespace bench::harness
