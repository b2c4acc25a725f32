#include "tests/harness/cli/program.h"

namespace bench::harness {
namespace {

TEST_F(RunTest, ExitsZeroWhenEveryGatePassed) {
  const Outcome outcome = run(suite("{metric: cached_uncached_mismatches, at_most: 0, unit: tokens}"));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.text;
  EXPECT_TRUE(contains(outcome.text, "1 of 1 gates passed"));
  const Json json = report();
  EXPECT_EQ(json["schema"], "bench-report/2");
  EXPECT_EQ(json["exit_code"], 0);
  EXPECT_EQ(json["cases"][0]["processes"][0]["series"]["decode_step_time_s"]["samples"].size(), 3u);
  EXPECT_EQ(json["cases"][0]["processes"][0]["config"]["model"]["read_from"], "model.yaml");
  EXPECT_EQ(json["cases"][0]["processes"][0]["config"]["model"]["hidden_size"], 32);
  EXPECT_TRUE(json["environment"].contains("processor"));
  for (const char* file : {"report.md", "report.html"})
    EXPECT_TRUE(std::filesystem::exists(folder_.path() / "out" / file));
}

TEST_F(RunTest, ExitsOneWhenAGateFailed) {
  EXPECT_EQ(run(suite("{metric: peak_memory, at_most: 0.001, unit: GB}")).exit_code, 1);
}

TEST_F(RunTest, ExitsTwoForAMistakeInTheSuiteAndRunsNothing) {
  const Outcome outcome = run("name: tiny\ncases:\n  - name: a\n    case: decode\n    modell: model.yaml\n");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_TRUE(contains(outcome.text, "suite.yaml:3:5")) << outcome.text;
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "out"));
  EXPECT_EQ(run("name: tiny\ncases: []\n").exit_code, 2);
  EXPECT_EQ(run(suite(""), "--case nothing").exit_code, 2);
  EXPECT_EQ(run(suite(""), "--format pdf").exit_code, 2);
  EXPECT_EQ(run(suite(""), "--device tpu").exit_code, 2);
  EXPECT_EQ(run(suite(""), "--set cases.decode.bach=3").exit_code, 2);
  EXPECT_EQ(bench("run no-such-suite.yaml").exit_code, 2);
}

TEST_F(RunTest, WhatAnEarlierRunLeftIsGoneWhereThisOneCannotWrite) {
  const std::string text = suite("{metric: cached_uncached_mismatches, at_most: 0, unit: tokens}");
  ASSERT_EQ(run(text, "--format json,junit").exit_code, 0);
  const std::string again = "run suite.yaml --device cpu --out out --format json,junit";
  const Outcome outcome = bench(again, folder_.path().string(), "ulimit -f 1;");  // kilobytes: as on a full disk
  EXPECT_EQ(outcome.exit_code, 3) << outcome.text;
  EXPECT_TRUE(contains(outcome.text, "what was there is removed")) << outcome.text;
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "out/report.json"));
}

TEST_F(RunTest, SaysThatCasesWereLeftOut) {
  const std::string other = "  - {name: other, case: prefill, model: model.yaml, prompt_tokens: 8}\n";
  const std::string text = suite("{metric: cached_uncached_mismatches, at_most: 0, unit: tokens}") + other;
  const Outcome outcome = run(text, "--case decode --processes 1");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.text;
  EXPECT_TRUE(contains(outcome.text, "1 of 1 gates passed; 1 case left out by --case")) << outcome.text;
  EXPECT_EQ(report()["left_out"], Json::array({"other"}));
  EXPECT_EQ(bench("verify out/report.json", folder_.path().string()).exit_code, 0);
  bench("run --from out/report.json --out again", folder_.path().string());
  const Json again = Json::parse(read_file(folder_.path() / "again/report.json"));
  EXPECT_EQ(again["left_out"], Json::array({"other"}));
}

TEST_F(RunTest, ExitsThreeWhenACaseErrored) {
  const Outcome outcome = run("name: tiny\ncases:\n  - {name: a, case: decode, checkpoint: no/such/folder}\n" +
                              std::string(kDecodeCase) + "}\n");
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_TRUE(contains(outcome.text, "no/such/folder: is not a checkpoint")) << outcome.text;
  EXPECT_EQ(report()["cases"].size(), 2u);  // the other case ran all the same
  EXPECT_EQ(report()["cases"][1]["status"], "ok");
}

TEST_F(RunTest, ExitsFourWhenNothingFailedButSomethingWasNotJudged) {
  const std::string skipped =
      "  - {name: ppl, case: perplexity, checkpoint: none, when_missing: skip, gates: [{metric: perplexity, below: 15, "
      "unit: '1'}]}\n";
  const Outcome outcome = run(suite("{metric: cached_uncached_mismatches, at_most: 0, unit: tokens}") + skipped);
  EXPECT_EQ(outcome.exit_code, 4) << outcome.text;
  EXPECT_TRUE(contains(outcome.text, "train one: scripts/corpus; bench tokenizer train"));
  EXPECT_EQ(run(suite("{metric: decode_tokens_per_s, at_least: 1, unit: tokens/s, machine: Apple M4 Max}")).exit_code,
            4);  // nothing judged at all
}

TEST_F(RunTest, GatesOfOtherMachinesDoNotChangeTheExitCode) {
  EXPECT_EQ(run(suite("{metric: cached_uncached_mismatches, at_most: 0, unit: tokens}, {metric: decode_tokens_per_s, "
                      "at_least: 1e12, unit: tokens/s, machine: {contains: No Such Machine}}"))
                .exit_code,
            0);
}

TEST_F(RunTest, AGateForAMisspeltMachineIsAMistakeInTheSuite) {
  const Outcome outcome = run(suite("{metric: peak_memory, at_most: 10, unit: GB, machine: Apple M4 max}"));
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_TRUE(contains(outcome.text, "did you mean 'Apple M4 Max'?")) << outcome.text;
  EXPECT_EQ(bench("check suite.yaml", folder_.path().string()).exit_code, 2);
}

TEST_F(RunTest, ATrainingThatWasCutShortAndWhatComesAfterItAreNotJudged) {
  const std::string text =
      "name: cut\ncases:\n  - name: train\n    case: train\n    model: model.yaml\n    training: {train: {batch_size: "
      "2, "
      "gradient_accumulation_steps: 1, effective_batch_size: 2, max_seq_length: 16, output_dir: run, mixed_precision: "
      "false}}\n    keep_checkpoint: true\n    steps: 100000\n    budget_s: 2\n    gates: [{metric: final_loss, "
      "at_most: 0, "
      "unit: nats}, {metric: train_steps_per_s, at_most: 1e9, unit: steps/s}]\n"
      "  - {name: ppl, case: perplexity, after: [train], checkpoint: run/final, text: none, fallback: synthetic, "
      "context: "
      "16, max_tokens: 512, gates: [{metric: perplexity, at_most: 1, unit: '1'}]}\n"
      "  - {name: again, case: perplexity, after: [ppl], checkpoint: run/final, text: none, fallback: synthetic, "
      "context: "
      "16, max_tokens: 512, gates: [{metric: perplexity, at_most: 1, unit: '1'}]}\n";
  const Outcome outcome = run(text);
  EXPECT_EQ(outcome.exit_code, 4) << outcome.text;
  const Json cases = report()["cases"];
  const std::string why = cases[0]["gates"][0]["reason"];
  EXPECT_EQ(cases[0]["gates"][0]["verdict"], "not_judged");
  EXPECT_NE(why.find(" of 100000 steps in "), std::string::npos) << why;
  for (const std::size_t i : {1, 2}) {
    EXPECT_EQ(cases[i]["gates"][0]["verdict"], "not_judged");
    EXPECT_EQ(cases[i]["gates"][0]["reason"], "train: " + why);
  }
  EXPECT_EQ(bench("verify out/report.json", folder_.path().string()).exit_code, 0);
}

TEST_F(RunTest, AGateMayBeRelativeToAnotherCase) {
  const auto a_case = [](const std::string& name, const std::string& gates) {
    return fmt::format(
        "  - {{name: {}, case: prefill, model: model.yaml, prompt_tokens: 8, processes: 2, budget_s: 1, "
        "gates: [{}]}}\n",
        name, gates);
  };
  const Outcome outcome =
      run("name: tiny\ncases:\n" + a_case("base", "") +
          a_case("other",
                 "{metric: prefill_tokens_per_s, relative_to: base, at_least: 1e-6, unit: '1'}, {metric: "
                 "peak_memory, relative_to: base, at_most: 0.001, unit: '1'}, {metric: peak_memory, relative_to: base, "
                 "at_most: 100, unit: '1'}"));
  EXPECT_EQ(outcome.exit_code, 1) << outcome.text;
  const Json gates = report()["cases"][1]["gates"];
  EXPECT_NE(gates[0]["verdict"], "fail") << gates[0];  // beside other programs it may be not_judged
  EXPECT_LT(gates[0]["low"], gates[0]["value"]);
  EXPECT_LT(gates[0]["value"], gates[0]["high"]);
  EXPECT_EQ(gates[1]["verdict"], "fail") << gates[1];
  EXPECT_EQ(gates[2]["verdict"], "pass") << gates[2];
  EXPECT_EQ(bench(fmt::format("verify {}", (folder_.path() / "out/report.json").string())).exit_code, 0);
}

TEST_F(RunTest, SetChangesACaseByNameAndThroughItsModelFile) {
  run(suite(""), "--set cases.decode.new_tokens=6 --set cases.decode.model.num_layers=1");
  EXPECT_EQ(report()["cases"][0]["processes"][0]["series"]["decode_step_time_s"]["samples"].size(), 5u);
  run(suite(""),
      "--set cases.decode.new_tokens=6 --set cases.decode.model.num_layers=1 --set cases.decode.quantize=int8");
  const Json facts = report()["cases"][0]["processes"][0]["facts"];
  EXPECT_GT(facts["quantization_kl_nats"], 0);  // no speed without what it costs
  EXPECT_EQ(report()["cases"][0]["processes"][0]["config"]["model"]["num_layers"], 1);
}

TEST_F(RunTest, MistakesInSetSpeakOfTheKeyAsItWasGiven) {
  const auto says = [&](const std::string& set, const std::string& part) {
    const Outcome outcome = run(suite(""), "--set " + set);
    EXPECT_EQ(outcome.exit_code, 2) << set;
    EXPECT_TRUE(contains(outcome.text, part)) << outcome.text;
  };
  says("cases.decode.new_tokens=-3", "--set cases.decode.new_tokens: ");
  says("cases.decode.bach=3", "unknown key 'cases.decode.bach'\n  hint: did you mean 'batch'? known: ");
  says("cases.decode.model.num_layer=3", "hint: did you mean 'num_layers'?");
  says("cases.decod.batch=3", "unknown key 'cases.decod.batch'\n  hint: did you mean 'decode'? known: decode");
  says("devise=cpu", "hint: did you mean 'device'?");
}

TEST_F(RunTest, PromptLongerThanTheContextIsAnErrorWithPlaceAndHint) {
  const Outcome outcome =
      run("name: t\ncases:\n  - name: d\n    case: decode\n    model: model.yaml\n    prompt_tokens: 64\n    "
          "new_tokens: 4\n");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_TRUE(contains(outcome.text,
                       "suite.yaml:6:20: cases[0].prompt_tokens: 64 and 4 new tokens exceed the model's max_seq_length "
                       "64\n  hint: lower prompt_tokens"))
      << outcome.text;
}

TEST_F(RunTest, AnExpectedFailureIsAcceptedAndAnUnexpectedPassIsNot) {
  const std::string gate = "{metric: peak_memory, unit: GB, expected_failure: issue 7, ";
  EXPECT_EQ(run(suite(gate + "at_most: 0.001}")).exit_code, 0);
  EXPECT_EQ(run(suite(gate + "at_most: 100}")).exit_code, 1);
}

TEST_F(RunTest, ProcessesRunInTheOrderOfTheSeedAndAfterThoseTheyNeed) {
  const std::string two =
      "name: t\ncases:\n" + std::string(kDecodeCase) + "}\n" +
      "  - {name: second, case: decode, model: model.yaml, prompt_tokens: 8, new_tokens: 4, rounds: 1, "
      "after: [decode]}\n";
  ASSERT_EQ(run(two, "--processes 2 --seed 5").exit_code, 4);  // no gates
  const Json json = report();
  EXPECT_EQ(json["seed"], 5);
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(json["cases"][i]["processes"].size(), 2u);
  for (std::size_t i = 0; i < 2; ++i)
    EXPECT_LT(json["cases"][0]["processes"][i]["started_s"], json["cases"][1]["processes"][i]["started_s"]);
  EXPECT_EQ(run("name: t\ncases:\n" + std::string(kDecodeCase) + ", after: [later]}\n").exit_code, 2);
}

}  // namespace
}  // namespace bench::harness
