#include "tests/harness/cli/checkpoint.h"

#include <algorithm>

namespace bench::harness {
namespace {

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

TEST_F(CheckpointTest, WhatDoesNotFitTheBudgetNamesTheOption) {
  const Outcome outcome = train("run", "--micro-batch-size auto --memory-budget 1kB");
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_TRUE(contains(outcome.text, "hint: a larger --memory-budget")) << outcome.text;
}

TEST_F(CheckpointTest, TrainSaysOnceWhatItWillCost) {
  const Outcome outcome = train("run", "--max-steps 5 --set train.save_steps=2");
  const std::size_t said = outcome.text.find(" left; a checkpoint every ");
  ASSERT_NE(said, std::string::npos) << outcome.text;
  EXPECT_EQ(outcome.text.find(" left; a checkpoint every ", said + 1), std::string::npos) << outcome.text;
  EXPECT_TRUE(contains(outcome.text, "passes over the text")) << outcome.text;
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
  folder_.write("a/final/model.safetensors", "damaged");  // what is wrong with the options is said before it is read
  const auto says = [&](const std::string& options, const std::string& part) {
    const Outcome outcome = here("ppl a/final --tokens good.bin " + options);
    EXPECT_EQ(outcome.exit_code, 2) << options;
    EXPECT_TRUE(contains(outcome.text, part)) << outcome.text;
  };
  says("--context 65", "--context: 65 exceeds the model's max_seq_length 64");
  says("--context 1", "--context: 1 is too short");
  says("--context 8 --protocol sideways", "--protocol: unknown protocol 'sideways'");
  says("--context 8 --protocol strided --stride 8", "--stride: 8 is not in 1 .. context - 1 = 7");
  says("--context 8 --stride 4", "--stride: is for the strided protocol");
  says("--context 8 --dtype fp8", "--dtype: unknown dtype 'fp8'");
  says("--context 8 --quantize int5", "--quantize: ");
  says("--context 8", "model.safetensors");
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
  const int exit_code = shell("trap '' XFSZ && ulimit -f 16 && \"$BENCH\" " +
                              train_arguments("a", "--max-steps 2 --resume") + " >log 2>&1");
  EXPECT_EQ(exit_code, 3) << read_file(folder_.path() / "log");
  EXPECT_TRUE(contains(read_file(folder_.path() / "log"), "cannot be written")) << read_file(folder_.path() / "log");
  EXPECT_EQ(read_file(folder_.path() / "a/final/model.safetensors"), before);
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path() / "a"))
    EXPECT_NE(entry.path().filename().string().front(), '.');
}

TEST_F(TextCheckpointTest, CtrlCEndsGenerationWithWhatThereIs) {
  constexpr int kPrompts = 20000;  // far more than are done before the signal
  std::string prompts;
  for (int i = 0; i < kPrompts; ++i) prompts += "대한민국은\n";
  folder_.write("prompts.txt", prompts);
  const int exit_code = shell(
      "\"$BENCH\" generate --checkpoint a/final --device cpu --max-new-tokens 8 --file prompts.txt "
      "--set generation.batch_size=1 >out 2>err & "
      "i=0; while [ ! -s out ] && [ $i -lt 600 ]; do sleep 0.05; i=$((i+1)); done; kill -INT $!; wait $!");
  const std::string said = read_file(folder_.path() / "err"), written = read_file(folder_.path() / "out");
  EXPECT_EQ(exit_code, 0) << said;
  EXPECT_TRUE(contains(said, ", interrupted")) << said;
  EXPECT_EQ(written.rfind("대한민국은", 0), 0u);
  EXPECT_EQ(written.back(), '\n');
  EXPECT_LT(std::ranges::count(written, '\n'), kPrompts);
}

TEST_F(TextCheckpointTest, GenerateContinuesTextAndRefusesBadPrompts) {
  const std::string generate = "generate --checkpoint a/final --device cpu --max-new-tokens 8 ";
  const Outcome one = here(generate + "--prompt 대한민국은");
  EXPECT_EQ(one.exit_code, 0) << one.text;
  EXPECT_EQ(one.text.rfind("대한민국은", 0), 0u) << one.text;
  const auto first_line = [](const std::string& printed) { return printed.substr(0, printed.find('\n')); };
  EXPECT_EQ(first_line(one.text), first_line(here(generate + "--prompt 대한민국은").text));  // the same seed
  const Outcome several = here(generate + "--prompt 대한민국은 --prompt 대한민국은 --prompt 모든 --greedy");
  EXPECT_TRUE(contains(several.text, "\n모든")) << several.text;
  EXPECT_TRUE(contains(one.text, " (bf16, cpu): first after")) << one.text;
  folder_.write("prompts.txt", "대한민국은\r\n\n모든 국민은\n");
  const Outcome from_file = here(generate + "--file prompts.txt --greedy");
  EXPECT_EQ(from_file.exit_code, 0) << from_file.text;
  EXPECT_EQ(from_file.text.rfind("대한민국은", 0), 0u) << from_file.text;
  EXPECT_TRUE(contains(from_file.text, "\n모든 국민은")) << from_file.text;
  const Outcome from_input = here(generate + "--file - --greedy <prompts.txt");
  EXPECT_EQ(first_line(from_input.text), first_line(from_file.text));
  EXPECT_EQ(first_line(from_file.text), first_line(here(generate + "--greedy --prompt 대한민국은").text));  // alone
  const Outcome int8 = here(generate + "--quantize int8 --prompt 대한민국은");
  EXPECT_EQ(int8.exit_code, 0) << int8.text;
  EXPECT_TRUE(contains(int8.text, ", int8, cpu)")) << int8.text;
  EXPECT_FALSE(contains(int8.text, "tokens/s")) << int8.text;  // no speed without what it costs
  const Outcome with_cost = here(generate + "--quantize int4 --quality-text t.txt --prompt 대한민국은");
  EXPECT_EQ(with_cost.exit_code, 0) << with_cost.text;
  EXPECT_TRUE(contains(with_cost.text, "first after")) << with_cost.text;
  EXPECT_TRUE(contains(with_cost.text, "KL divergence")) << with_cost.text;
  EXPECT_EQ(here(generate + "--quantize int5 --prompt x").exit_code, 2);
  EXPECT_EQ(here(generate).exit_code, 2);
  EXPECT_EQ(here(generate + "--file nothing.txt").exit_code, 2);
  EXPECT_EQ(here(generate + "--file - </dev/null").exit_code, 2);
  const Outcome cost = here("ppl a/final --text t.txt --context 32 --quantize int4");
  EXPECT_EQ(cost.exit_code, 0) << cost.text;
  EXPECT_TRUE(contains(cost.text, "what quantising costs: perplexity")) << cost.text;
  EXPECT_EQ(here(generate + "--prompt ''").exit_code, 2);
  EXPECT_EQ(here("generate --checkpoint a/final --device cpu --max-new-tokens 80 --prompt 대한민국은").exit_code, 2);
  EXPECT_EQ(here("generate --checkpoint nowhere --prompt x --device cpu").exit_code, 2);
  folder_.write("small.yaml", kTinyModel);  // 64 tokens, the tokenizer has 320
  EXPECT_EQ(
      here("train --model small.yaml --training configs/training_quick.yaml --set data.train_path=t.txt --set "
           "data.valid_path=v.txt "
           "--set data.tokenizer_model=t.model --set train.max_seq_length=32 --set device=cpu --set train.output_dir=b")
          .exit_code,
      2);
  EXPECT_EQ(here("tokenizer train --text nothing.txt --out x.model --vocab-size 320").exit_code, 2);
  EXPECT_EQ(here("tokenizer train --text t.txt --out x.model").exit_code, 2);
}

}  // namespace
}  // namespace bench::harness
