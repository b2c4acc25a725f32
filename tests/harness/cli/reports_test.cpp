#include "tests/harness/cli/program.h"

#include <functional>

namespace bench::harness {
namespace {

/// Reports of a decode case of three processes, made once for all tests: its times are real, its numbers small.
class ReportsTest : public RunTest {
 protected:
  static void SetUpTestSuite() {
    const TemporaryFolder folder;
    folder.write("model.yaml", kTinyModel);
    folder.write("suite.yaml", suite("{metric: cached_uncached_mismatches, at_most: 0, unit: tokens}"));
    const Outcome outcome = bench("run suite.yaml --device cpu --out out --processes 3", folder.path().string());
    ASSERT_EQ(outcome.exit_code, 0) << outcome.text;
    text_ = read_file(folder.path() / "out/report.json");
  }
  ReportsTest() { folder_.write("report.json", text_); }

  Outcome here(const std::string& arguments) { return bench(arguments, folder_.path().string()); }
  /// Writes the report with a change as NAME.
  void change(const std::string& name, const std::function<void(Json&)>& edit) {
    Json json = Json::parse(text_);
    edit(json);
    folder_.write(name, json.dump(1));
  }
  static std::string text_;
};
std::string ReportsTest::text_;

/// The first sample of a series in every process, times a factor.
void scale(Json& report, const std::string& series, double factor) {
  for (auto& process : report["cases"][0]["processes"])
    for (auto& sample : process["series"][series]["samples"]) sample = sample.get<double>() * factor;
}

TEST_F(ReportsTest, VerifyAcceptsWhatRunWroteAndFindsWhatWasEdited) {
  EXPECT_EQ(here("verify report.json").exit_code, 0);
  change("sample.json", [](Json& json) { scale(json, "peak_memory_bytes", 0.5); });
  const Outcome sample = here("verify sample.json");
  EXPECT_EQ(sample.exit_code, 1);
  EXPECT_TRUE(contains(sample.text, "sample.json: cases[0].metrics[")) << sample.text;
  EXPECT_TRUE(contains(sample.text, "was changed after it was written")) << sample.text;
  change("verdict.json", [](Json& json) { json["cases"][0]["gates"][0]["verdict"] = "fail"; });
  const Outcome verdict = here("verify verdict.json");
  EXPECT_EQ(verdict.exit_code, 1);
  EXPECT_TRUE(contains(verdict.text, "cases[0].gates[0].verdict: the file says \"fail\", its samples give \"pass\""))
      << verdict.text;
  change("note.json", [](Json& json) { json["description"] = "better than it was"; });
  EXPECT_EQ(here("verify note.json").exit_code, 1);  // the hash alone tells
  change("older.json", [](Json& json) { json["cases"][0]["metrics"].erase(0); });
  const Outcome older = here("verify older.json");  // as if the program had not had that metric yet
  EXPECT_FALSE(contains(older.text, "metrics")) << older.text;
  EXPECT_TRUE(contains(older.text, "was changed after it was written")) << older.text;
}

TEST_F(ReportsTest, BrokenReportsAreErrorsThatSayWhy) {
  const auto says = [&](const std::string& verb, const std::string& why) {
    const Outcome outcome = here(verb);
    EXPECT_EQ(outcome.exit_code, 2) << outcome.text;
    EXPECT_TRUE(contains(outcome.text, why)) << outcome.text;
  };
  folder_.write("cut.json", text_.substr(0, text_.size() / 2));
  folder_.write("empty.json", "");
  folder_.write("nan.json", "{\"schema\": NaN}");
  folder_.write("other.json", "{\"schema\": \"bench-report/1\"}");
  folder_.write("list.json", "[]");
  change("no-processes.json", [](Json& json) { json["cases"][0]["processes"] = Json::array(); });
  change("range.json", [](Json& json) {
    for (auto& process : json["cases"][0]["processes"])
      for (auto& block : process["blocks"]) block["samples"]["decode_step_time_s"] = {0, 1000000};
  });
  for (const std::string verb : {"verify ", "render --out - ", "compare report.json ", "run --from "}) {
    says(verb + "cut.json", "cut.json: byte");
    says(verb + "empty.json", "is not JSON");
    says(verb + "nan.json", "is not JSON");
    says(verb + "other.json", "has schema 'bench-report/1'");
    says(verb + "list.json", "is not a report");
    says(verb + "nowhere.json", "nowhere.json");
    says(verb + "no-processes.json", "case 'decode' has no processes");
  }
  says("verify range.json", "a block claims samples 0..1000000 of decode_step_time_s");
}

TEST_F(ReportsTest, NothingMeasuredIsNeverASuccess) {
  change("none.json", [](Json& json) { json["cases"] = Json::array(); });
  EXPECT_EQ(here("compare none.json none.json").exit_code, 4);
  EXPECT_EQ(here("run --from none.json --out again").exit_code, 2);
}

TEST_F(ReportsTest, CompareTellsWorseVanishedAndCannotTell) {
  const Outcome itself = here("compare report.json report.json --exact");
  EXPECT_EQ(itself.exit_code, 0) << itself.text;
  change("worse.json", [](Json& json) { scale(json, "peak_memory_bytes", 1.2); });
  const Outcome worse = here("compare report.json worse.json");
  EXPECT_EQ(worse.exit_code, 1);
  EXPECT_TRUE(contains(worse.text, "worse      decode: peak_memory")) << worse.text;
  change("renamed.json", [](Json& json) { json["cases"][0]["name"] = "other"; });
  EXPECT_EQ(here("compare report.json renamed.json").exit_code, 1);
  change("one.json",
         [](Json& json) { json["cases"][0]["processes"].erase(2), json["cases"][0]["processes"].erase(1); });
  const Outcome one = here("compare one.json one.json");
  EXPECT_EQ(one.exit_code, 4);
  EXPECT_TRUE(contains(one.text, "one process only")) << one.text;
  change("machine.json", [](Json& json) { json["environment"]["processor"] = "Other"; });
  EXPECT_EQ(here("compare report.json machine.json").exit_code, 2);
  EXPECT_EQ(here("compare report.json report.json --max-regression x").exit_code, 2);
}

TEST_F(ReportsTest, RunFromRepeatsTheCasesAndSaysThatTheyAgree) {
  // Three processes as different as these tell nothing about times: of equal ones one comparison in twenty would.
  change("spread.json", [](Json& json) {
    double factor = 0.04;
    for (auto& process : json["cases"][0]["processes"]) {
      factor *= 5;
      for (auto& series : process["series"])
        if (series["unit"] == "s")
          for (auto& sample : series["samples"]) sample = sample.get<double>() * factor;
    }
  });
  const Outcome again = here("run --from spread.json --out again");
  EXPECT_EQ(again.exit_code, 0) << again.text;
  EXPECT_TRUE(contains(again.text, "agrees       decode: token_checksum")) << again.text;
  const Json json = Json::parse(read_file(folder_.path() / "again/report.json"));
  EXPECT_EQ(json["seed"], Json::parse(text_)["seed"]);
  EXPECT_EQ(json["cases"][0]["processes"].size(), 3u);
  change("tokens.json", [](Json& edited) {
    for (auto& process : edited["cases"][0]["processes"]) process["facts"]["checksum"] = 1;
  });
  const Outcome differs = here("run --from tokens.json --out again");
  EXPECT_EQ(differs.exit_code, 1);
  EXPECT_TRUE(contains(differs.text, "disagrees    decode: token_checksum")) << differs.text;
}

TEST_F(ReportsTest, RunFromDoesNotWriteWhereAReportSays) {
  change("path.json", [](Json& json) { json["suite"] = "../../elsewhere"; });
  const Outcome outcome = here("run --from path.json");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_TRUE(contains(outcome.text, "path.json: suite '../../elsewhere' is no plain word")) << outcome.text;
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "results"));
}

TEST_F(ReportsTest, RunFromComparesOnlyTheCasesThatItRuns) {
  change("two.json", [](Json& json) {
    Json other = json["cases"][0];
    other["name"] = "other";
    json["cases"].push_back(std::move(other));
  });
  const Outcome again = here("run --from two.json --out again --case decode --processes 1");
  EXPECT_NE(again.exit_code, 1) << again.text;
  EXPECT_FALSE(contains(again.text, "disagrees    other")) << again.text;
}

TEST_F(ReportsTest, EveryFormatIsWritten) {
  const Outcome outcome = here(
      "render report.json --out all --format json,markdown,terminal,html,junit,csv,google-benchmark,github-benchmark");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.text;
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path() / "all"), {}), 8);
  EXPECT_EQ(read_file(folder_.path() / "all/report.json"), text_);
  EXPECT_EQ(here("render report.json --format pdf").exit_code, 2);
}

TEST_F(ReportsTest, TenThousandCasesAreRead) {
  change("many.json", [](Json& json) {
    const Json one = json["cases"][0];
    for (int i = 1; i < 10000; ++i) {
      Json copy = one;
      copy["name"] = "decode-" + std::to_string(i);
      json["cases"].push_back(std::move(copy));
    }
  });
  EXPECT_EQ(here("compare many.json many.json --exact").exit_code, 0);
  EXPECT_EQ(here("render many.json --out all --format html,junit,csv,markdown").exit_code, 0);
}

TEST_F(ReportsTest, CalibrateWritesGatesThatTheNextRunMeets) {
  folder_.write("suite.yaml", suite(""));
  EXPECT_EQ(here("calibrate suite.yaml --from report.json").exit_code, 2);  // one run has no spread
  for (const char* name : {"b.json", "c.json"}) folder_.write(name, text_);
  EXPECT_EQ(here("calibrate suite.yaml --from report.json b.json c.json").exit_code, 0);
  EXPECT_EQ(here("check suite.yaml").exit_code, 0);
  const Outcome outcome = here("run suite.yaml --device cpu --out again");
  EXPECT_TRUE(contains(outcome.text, "token_checksum")) << outcome.text;
  EXPECT_NE(outcome.exit_code, 2) << outcome.text;
  EXPECT_EQ(here("calibrate suites/quick.yaml --from report.json b.json c.json").exit_code, 2);  // not on disk here
}

TEST_F(ReportsTest, HistoryReadsAFolderOfReports) {
  change("results/a/report.json", [](Json& json) { json["created"] = "2026-01-01T00:00:00Z"; });
  change("results/b/report.json", [](Json& json) {
    json["created"] = "2026-01-02T00:00:00Z";
    scale(json, "peak_memory_bytes", 1.5);
  });
  const Outcome outcome = here("history results --html trend.html");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.text;
  EXPECT_TRUE(contains(outcome.text, "peak_memory")) << outcome.text;
  EXPECT_TRUE(contains(read_file(folder_.path() / "trend.html"), "peak_memory"));
  EXPECT_EQ(here("history nowhere").exit_code, 2);
}

TEST_F(ReportsTest, HistorySaysSinceWhenAValueIsNoNumber) {
  for (int i = 0; i < 8; ++i)
    change(fmt::format("results/{}/report.json", i), [i](Json& json) {
      json["created"] = fmt::format("2026-01-0{}T00:00:00Z", i + 1);
      json["environment"]["commit"] = fmt::format("c{}", i);
      json["environment"]["dirty"] = false;
      if (i < 5 && i != 2) return;
      for (auto& process : json["cases"][0]["processes"])
        for (auto& sample : process["series"]["peak_memory_bytes"]["samples"]) sample = nullptr;
    });
  const Outcome outcome = here("history results --metric peak_memory --html trend.html");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.text;
  EXPECT_TRUE(contains(outcome.text, "worse      decode: peak_memory")) << outcome.text;
  EXPECT_TRUE(contains(outcome.text, "is not a number since c5, before ")) << outcome.text;
  EXPECT_TRUE(contains(outcome.text, "1 step change (1 worse)")) << outcome.text;
  EXPECT_TRUE(contains(outcome.text, "\ndecode: peak_memory is not a number in results/2/report.json"));
  EXPECT_FALSE(contains(outcome.text, "skipped")) << outcome.text;
  EXPECT_TRUE(contains(read_file(folder_.path() / "trend.html"), "is not a number since c5"));
  const Json json = Json::parse(here("history results --metric peak_memory --json").text);
  EXPECT_EQ(json["trends"][0]["steps"][0]["to_no_number"], true);
  EXPECT_EQ(json["trends"][0]["steps"][0]["since"]["commit"], "c5");
  EXPECT_TRUE(json["trends"][0]["points"][7]["value"].is_null());
}

/// The word on the first case's line.
std::string verdict(const Outcome& outcome) {
  for (const char* word : {"same", "worse", "better", "can't tell", "error"})
    if (contains(outcome.text, std::string(word) + " ")) return word;
  return outcome.text;
}

TEST_F(RunTest, AbFindsALargeSlowdownAndDoesNotMakeOneUp) {
  folder_.write("suite.yaml",
                "name: t\ncases:\n  - {name: prefill, case: prefill, model: model.yaml, prompt_tokens: 32, batch: 8, "
                "budget_s: 20}\n");
  const auto ab = [&](const std::string& options) {
    return bench("ab . . suite.yaml --device cpu --blocks 3 " + options, folder_.path().string());
  };
  EXPECT_EQ(ab("--check").exit_code, 0);
  const Outcome slower = ab("--fewest-pairs 6 --most-pairs 6 --plant-slowdown 300% --out ab.json");
  EXPECT_EQ(slower.exit_code, 1) << slower.text;
  EXPECT_EQ(verdict(slower), "worse");
  const Json json = Json::parse(read_file(folder_.path() / "ab.json"));
  EXPECT_EQ(json["cases"][0]["pairs"].size(), 6u);
  EXPECT_GT(json["cases"][0]["time_ratio"], 2.0);
  EXPECT_EQ(ab("--fewest-pairs 3 --most-pairs 3").exit_code, 4);  // too few to tell anything
  EXPECT_EQ(ab("--fewest-pairs 6 --most-pairs 3").exit_code, 2);
  EXPECT_EQ(ab("--case nothing").exit_code, 2);
  EXPECT_EQ(ab("--set-b cases.prefill.bach=2").exit_code, 2);
  EXPECT_EQ(ab("--tolerance nothing").exit_code, 2);
  EXPECT_EQ(bench("ab . /no/such/build suite.yaml", folder_.path().string()).exit_code, 2);
  EXPECT_EQ(bench("ab . /bin/false suite.yaml", folder_.path().string()).exit_code, 2);  // can't take turns
  EXPECT_EQ(bench("ab . /bin/false suite.yaml --check", folder_.path().string()).exit_code, 2);
}

TEST_F(RunTest, MemoryIsProfiledByLengthAndBatch) {
  const auto memory = [&](const std::string& options) {
    return bench("memory --model model.yaml --device cpu --seq 16,32 " + options, folder_.path().string());
  };
  const Outcome outcome = memory("--mode train --batch 1,2 --budget 8GB --json");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.text;
  const Json json = Json::parse(outcome.text.substr(outcome.text.find("{\n")));
  ASSERT_EQ(json["points"].size(), 4u);
  const Json& point = json["points"][1];
  EXPECT_EQ(point["seq_length"], 32);
  std::int64_t sum = 0;
  for (const auto& [name, bytes] : point["parts"].items()) sum += bytes.get<std::int64_t>();
  EXPECT_TRUE(point["peak_memory_bytes"].is_number_integer());
  EXPECT_EQ(point["peak_memory_bytes"], sum);
  EXPECT_EQ(
      json["largest"][0],
      (Json{{"batch", 1}, {"largest_seq_length", 64}, {"bytes", json["largest"][0]["bytes"]}, {"measured", false}}));
  EXPECT_EQ(memory("--mode sideways").exit_code, 2);
  EXPECT_EQ(memory("--checkpointing").exit_code, 2);  // of decoding
}

}  // namespace
}  // namespace bench::harness
