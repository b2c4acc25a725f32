// The program as its users meet it: exit codes and what it prints.
#include "harness/core/fields.h"
#include "harness/core/files.h"
#include "tests/temporary_folder.h"

#include <array>
#include <cstdio>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

using tests::TemporaryFolder;

struct Outcome {
  int exit_code;
  std::string text;  // stdout and stderr
};

/// Runs `bench ARGUMENTS` in the repository's root, or in `folder`.
Outcome bench(const std::string& arguments, const std::string& folder = BENCH_SOURCE_DIR) {
  const std::string command = "cd '" + folder + "' && '" BENCH_PROGRAM "' " + arguments + " 2>&1";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  std::string text;
  std::array<char, 4096> buffer;
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe)) text.append(buffer.data(), n);
  const int status = ::pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text};
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

constexpr const char* kTinyModel =
    "vocab_size: 64\nhidden_size: 32\nnum_layers: 2\nnum_heads: 2\nnum_kv_heads: 1\nintermediate_size: "
    "48\nmax_seq_length: 64\ndropout: 0.0\n";
constexpr const char* kDecodeCase =
    "  - {name: decode, case: decode, model: model.yaml, prompt_tokens: 8, new_tokens: 4, rounds: 1, compare_tokens: 4";

/// A suite of one decode case on a tiny model, with those gates.
std::string suite(const std::string& gates) {
  return "name: tiny\ncases:\n" + std::string(kDecodeCase) + ", gates: [" + gates + "]}\n";
}

class RunTest : public testing::Test {
 protected:
  RunTest() { folder_.write("model.yaml", kTinyModel); }
  Outcome run(const std::string& suite_text, const std::string& options = "") {
    folder_.write("suite.yaml", suite_text);
    return bench("run suite.yaml --device cpu --out out " + options, folder_.path().string());
  }
  Json report() { return Json::parse(read_file(folder_.path() / "out/report.json")); }
  TemporaryFolder folder_;
};

TEST_F(RunTest, ExitsZeroWhenEveryGatePassed) {
  const Outcome outcome = run(suite("{metric: cached_uncached_mismatches, at_most: 0, unit: tokens}"));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.text;
  EXPECT_TRUE(contains(outcome.text, "1 of 1 gates passed"));
  const Json json = report();
  EXPECT_EQ(json["schema"], "bench-report/1");
  EXPECT_EQ(json["exit_code"], 0);
  EXPECT_EQ(json["cases"][0]["series"]["decode_step_time_s"]["samples"].size(), 3u);
  EXPECT_EQ(json["cases"][0]["config"]["model"]["read_from"], "model.yaml");
  EXPECT_EQ(json["cases"][0]["config"]["model"]["hidden_size"], 32);
  EXPECT_TRUE(json["environment"].contains("processor"));
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "out/report.md"));
}

TEST_F(RunTest, ExitsOneWhenAGateFailed) {
  EXPECT_EQ(run(suite("{metric: decode_tokens_per_s, at_least: 1e12, unit: tokens/s}")).exit_code, 1);
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
                      "at_least: 1e12, unit: tokens/s, machine: No Such Machine}"))
                .exit_code,
            0);
}

TEST_F(RunTest, SetChangesACaseByNameAndThroughItsModelFile) {
  run(suite(""), "--set cases.decode.new_tokens=6 --set cases.decode.model.num_layers=1");
  EXPECT_EQ(report()["cases"][0]["series"]["decode_step_time_s"]["samples"].size(), 5u);
  EXPECT_EQ(report()["cases"][0]["config"]["model"]["num_layers"], 1);
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

TEST_F(RunTest, CompareFindsNoRegressionAgainstItselfAndOneThatIsPlanted) {
  run(suite(""));
  Json json = report();
  const std::string now = folder_.path().string() + "/out/report.json";
  EXPECT_EQ(bench("compare '" + now + "' '" + now + "'").exit_code, 0);
  for (auto& sample : json["cases"][0]["series"]["peak_memory_bytes"]["samples"]) sample = sample.get<double>() * 1.2;
  const auto worse = folder_.write("worse.json", json.dump());
  const Outcome outcome = bench("compare '" + now + "' '" + worse.string() + "'");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_TRUE(contains(outcome.text, "worse     decode                   peak_memory")) << outcome.text;
  EXPECT_EQ(bench("compare '" + now + "' '" + worse.string() + "' --max-regression 25%").exit_code, 0);
  EXPECT_EQ(bench("compare '" + now + "' '" + worse.string() + "' --max-regression x").exit_code, 2);
}

TEST_F(RunTest, CompareRefusesBrokenReports) {
  run(suite(""));
  const std::string good = read_file(folder_.path() / "out/report.json");
  const std::string now = folder_.path().string() + "/out/report.json";
  const auto refused = [&](const std::string& text) {
    const auto file = folder_.write("broken.json", text);
    return bench("compare '" + now + "' '" + file.string() + "'").exit_code;
  };
  EXPECT_EQ(refused(good.substr(0, good.size() / 2)), 2);
  EXPECT_EQ(refused("{}"), 2);
  EXPECT_EQ(refused("{\"schema\": \"bench-report/99\"}"), 2);
  EXPECT_EQ(refused(""), 2);
}

/// A tiny model trained for a few steps on the synthetic language.
class CheckpointTest : public testing::Test {
 protected:
  CheckpointTest() { folder_.write("model.yaml", kTinyModel); }
  Outcome here(const std::string& arguments) { return bench(arguments, folder_.path().string()); }
  Outcome train(const std::string& output, const std::string& options) {
    return here(
        "train --model model.yaml --training configs/training_quick.yaml --set data.train_path=synthetic --set "
        "data.valid_path=synthetic "
        "--set train.max_seq_length=32 --set train.num_workers=0 --set device=cpu --set train.output_dir=" +
        output + " " + options);
  }
  TemporaryFolder folder_;
};

TEST_F(CheckpointTest, TrainResumesAndRefusesToOverwrite) {
  EXPECT_EQ(train("run", "--max-steps 3").exit_code, 0);
  EXPECT_EQ(train("run", "--max-steps 3").exit_code, 2);
  const Outcome resumed = train("run", "--max-steps 5 --resume");
  EXPECT_EQ(resumed.exit_code, 0);
  EXPECT_TRUE(contains(resumed.text, "5 steps")) << resumed.text;
  EXPECT_EQ(train("run", "--max-steps 2 --overwrite").exit_code, 0);
  EXPECT_EQ(train("nothing", "--resume").exit_code, 2);
  EXPECT_EQ(here("train --model model.yaml --training configs/training_m4max.yaml --set device=cpu").exit_code,
            2);  // too long a sequence
}

TEST_F(CheckpointTest, PplScoresRawIdsAndComparesCheckpoints) {
  ASSERT_EQ(train("a", "--max-steps 2").exit_code, 0);
  ASSERT_EQ(train("b", "--max-steps 12").exit_code, 0);
  std::string ids;
  for (int i = 0; i < 400; ++i) ids += std::string{static_cast<char>(i * i % 64), 0, 0, 0};
  folder_.write("ids.bin", ids);
  const Outcome outcome = here(
      "ppl a/final b/final --tokens ids.bin --protocol strided --context 32 --stride 16 --json out.json --device cpu");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.text;
  const Json json = Json::parse(read_file(folder_.path() / "out.json"));
  EXPECT_EQ(json["results"][0]["scored_tokens"], 399);
  EXPECT_EQ(json["differences"][0]["checkpoint"], "b/final");
  EXPECT_LT(json["differences"][0]["low"], json["differences"][0]["high"]);
  EXPECT_EQ(here("ppl a/final a/final --tokens ids.bin --context 32 --device cpu").exit_code, 0);
}

TEST_F(CheckpointTest, PplRefusesWhatItCannotScore) {
  ASSERT_EQ(train("a", "--max-steps 1").exit_code, 0);
  folder_.write("ids.bin", std::string("\x40\0\0\0\1\0\0\0", 8));  // 64 is one beyond the vocabulary
  EXPECT_EQ(here("ppl a/final --tokens ids.bin --context 32").exit_code, 2);
  EXPECT_EQ(here("ppl a/final").exit_code, 2);
  EXPECT_EQ(here("ppl a/final --text model.yaml").exit_code, 2);  // no tokenizer in there
  EXPECT_EQ(here("ppl nowhere --tokens ids.bin").exit_code, 2);
  folder_.write("good.bin", std::string(40, '\0'));
  EXPECT_EQ(here("ppl a/final --tokens good.bin --context 65").exit_code, 2);
  EXPECT_EQ(here("ppl a/final --tokens good.bin --context 8 --protocol sideways").exit_code, 2);
  EXPECT_EQ(here("ppl a/final --tokens good.bin --context 8 --dtype fp8").exit_code, 2);
}

TEST_F(CheckpointTest, DamagedCheckpointsAreRefused) {
  ASSERT_EQ(train("a", "--max-steps 1").exit_code, 0);
  std::string weights = read_file(folder_.path() / "a/final/model.safetensors");
  weights[weights.size() / 2] ^= 4;
  folder_.write("a/final/model.safetensors", weights);
  folder_.write("good.bin", std::string(40, '\0'));
  const Outcome outcome = here("ppl a/final --tokens good.bin --context 8");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_TRUE(contains(outcome.text, "model.safetensors: is damaged")) << outcome.text;
}

TEST_F(CheckpointTest, FullDiskLeavesTheOldCheckpointIntact) {
  ASSERT_EQ(train("a", "--max-steps 1").exit_code, 0);
  const std::string before = read_file(folder_.path() / "a/final/model.safetensors");
  // A limit on the size of files stands in for a full disk: writes fail half-way. 16 blocks of 512 or 1024 bytes.
  const std::string command =
      "cd '" + folder_.path().string() +
      "' && trap '' XFSZ && ulimit -f 16 && '" BENCH_PROGRAM
      "' train --model model.yaml --training configs/training_quick.yaml --set data.train_path=synthetic "
      "--set data.valid_path=synthetic --set train.max_seq_length=32 --set train.num_workers=0 --set device=cpu "
      "--set train.output_dir=a --max-steps 2 --resume >log 2>&1";
  const int status = std::system(command.c_str());
  EXPECT_EQ(WEXITSTATUS(status), 3) << read_file(folder_.path() / "log");
  EXPECT_TRUE(contains(read_file(folder_.path() / "log"), "cannot be written")) << read_file(folder_.path() / "log");
  EXPECT_EQ(read_file(folder_.path() / "a/final/model.safetensors"), before);
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path() / "a"))
    EXPECT_NE(entry.path().filename().string().front(), '.');
}

TEST_F(CheckpointTest, GenerateContinuesTextAndRefusesBadPrompts) {
  std::string text;
  for (int i = 0; i < 300; ++i)
    text += "대한민국은 민주공화국이다 모든 국민은 법 앞에 평등하다 " + std::to_string(i * i) + "\n";
  folder_.write("t.txt", text);
  ASSERT_EQ(here("tokenizer train --text t.txt --out t.model --vocab-size 320").exit_code, 0);
  folder_.write("model.yaml",
                "vocab_size: 320\nhidden_size: 32\nnum_layers: 1\nnum_heads: 2\nnum_kv_heads: 1\nintermediate_size: "
                "48\nmax_seq_length: 64\ndropout: 0.0\n");
  ASSERT_EQ(
      train("a",
            "--max-steps 2 --set data.train_path=t.txt --set data.valid_path=t.txt --set data.tokenizer_model=t.model")
          .exit_code,
      0);
  const std::string generate = "generate --checkpoint a/final --device cpu --max-new-tokens 8 ";
  const Outcome one = here(generate + "--prompt 대한민국은");
  EXPECT_EQ(one.exit_code, 0) << one.text;
  EXPECT_EQ(one.text.rfind("대한민국은", 0), 0u) << one.text;
  const auto first_line = [](const std::string& printed) { return printed.substr(0, printed.find('\n')); };
  EXPECT_EQ(first_line(one.text), first_line(here(generate + "--prompt 대한민국은").text));  // the same seed
  const Outcome several = here(generate + "--prompt 대한민국은 --prompt 대한민국은 --prompt 모든 --greedy");
  EXPECT_TRUE(contains(several.text, "\n모든")) << several.text;
  EXPECT_EQ(here(generate + "--prompt ''").exit_code, 2);
  EXPECT_EQ(here("generate --checkpoint a/final --device cpu --max-new-tokens 80 --prompt 대한민국은").exit_code, 2);
  EXPECT_EQ(here("generate --checkpoint nowhere --prompt x --device cpu").exit_code, 2);
  folder_.write("small.yaml", kTinyModel);  // 64 tokens, the tokenizer has 320
  EXPECT_EQ(
      here("train --model small.yaml --training configs/training_quick.yaml --set data.train_path=t.txt --set "
           "data.valid_path=t.txt "
           "--set data.tokenizer_model=t.model --set train.max_seq_length=32 --set device=cpu --set train.output_dir=b")
          .exit_code,
      2);
  EXPECT_EQ(here("tokenizer train --text nothing.txt --out x.model --vocab-size 320").exit_code, 2);
  EXPECT_EQ(here("tokenizer train --text t.txt --out x.model").exit_code, 2);
}

TEST(Cli, UsageMistakesExitTwo) {
  EXPECT_EQ(bench("").exit_code, 2);
  EXPECT_EQ(bench("fly").exit_code, 2);
  EXPECT_EQ(bench("run --no-such-option").exit_code, 2);
  EXPECT_EQ(bench("--help").exit_code, 0);
  EXPECT_EQ(bench("run --help").exit_code, 0);
  EXPECT_EQ(bench("--version").exit_code, 0);
}

TEST(Cli, CheckAcceptsEveryFileOfTheRepository) {
  const Outcome outcome = bench("check suites/*.yaml configs/*.yaml");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.text;
  EXPECT_TRUE(contains(
      outcome.text, "configs/model_medium.yaml: model config, 397722624 parameters, 364954624 without the embedding"));
}

TEST(Cli, CheckNamesFileLineAndColumn) {
  const TemporaryFolder folder;
  const auto file = folder.write(
      "t.yaml", "train:\n  batch_size: 16\n  gradient_accumulation_steps: 4\n  effective_batch_size: 60\n");
  const Outcome outcome = bench("check '" + file.string() + "'");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_TRUE(
      contains(outcome.text,
               "t.yaml:4:25: train.effective_batch_size: 60 is not batch_size 16 x gradient_accumulation_steps 4 = 64"))
      << outcome.text;
}

TEST(Cli, BuiltInFilesServeWhereThereIsNoRepository) {
  const TemporaryFolder folder;
  EXPECT_EQ(bench("check suites/quick.yaml configs/model_large.yaml", folder.path().string()).exit_code, 0);
}

TEST(Cli, ListShowsEveryTable) {
  const Outcome outcome = bench("list");
  for (const char* part : {"decode", "peak_memory", "at_most", "cpu", "markdown", "suites/quick.yaml"})
    EXPECT_TRUE(contains(outcome.text, part)) << part;
  EXPECT_TRUE(contains(bench("list decode").text, "prompt_tokens"));
  EXPECT_TRUE(contains(bench("list metrics").text, "bits_per_byte"));
  EXPECT_EQ(bench("list dance").exit_code, 2);
}

TEST(Cli, EnvShowsOneOpenMpRuntime) {
  const Json json = Json::parse(bench("env --json").text);
#ifndef __APPLE__
  ASSERT_EQ(json["openmp_runtimes"].size(), 1u) << json["openmp_runtimes"];
  EXPECT_TRUE(contains(json["openmp_runtimes"][0].get<std::string>(), "torch/lib/libgomp.so.1"));
#endif
  EXPECT_GT(json["memory_bytes"].get<std::int64_t>(), 0);
  EXPECT_GT(json["threads"].get<std::int64_t>(), 0);
}

}  // namespace
}  // namespace bench::harness
