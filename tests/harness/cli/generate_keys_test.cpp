// Every key of configs/inference.yaml is honoured by `bench generate`.
#include "tests/harness/cli/checkpoint.h"

#include <regex>
#include <sstream>

namespace bench::harness {
namespace {

class GenerateKeys : public TextCheckpointTest {
 protected:
  /// With the built-in config and those of its keys changed, space-separated KEY=VALUE of it.
  Outcome generate(const std::string& keys, const std::string& options) {
    std::istringstream all(keys);
    std::string arguments = "generate --dtype fp32 --prompt 대한민국은 " + options;
    for (std::string key; all >> key;) arguments += " --set " + key;
    return here(arguments);
  }
  /// What is written with these keys: all that is printed but the last line, which tells the speed.
  std::string text(const std::string& keys, const std::string& options = "--max-new-tokens 16") {
    const Outcome outcome = generate(keys, "--checkpoint a/final --device cpu " + options);
    EXPECT_EQ(outcome.exit_code, 0) << keys << ": " << outcome.text;
    return outcome.text.substr(0, outcome.text.rfind('\n', outcome.text.size() - 2));
  }
  /// How many new tokens the last line says there were, as many as max_length leaves.
  std::int64_t count(const std::string& keys) {
    const Outcome outcome = generate(keys, "--checkpoint a/final --device cpu --greedy");
    std::smatch found;
    EXPECT_TRUE(std::regex_search(outcome.text, found, std::regex("([0-9]+) new tokens"))) << outcome.text;
    return found.empty() ? -1 : std::stoll(found[1]);
  }
  int exit_code(const std::string& keys) { return generate(keys, "--checkpoint a/final --device cpu").exit_code; }
};

TEST(GenerateKeysThemselves, EachHasATestInThisFile) {
  const std::string config = read_file(BENCH_SOURCE_DIR "/configs/inference.yaml");
  const std::string tests = read_file(BENCH_SOURCE_DIR "/tests/harness/cli/generate_keys_test.cpp");
  const std::regex key("\n  ([a-z_]+):");
  int keys = 0;
  for (std::sregex_iterator one(config.begin(), config.end(), key), end; one != end; ++one, ++keys)
    EXPECT_TRUE(contains(tests, "." + (*one)[1].str() + "=")) << (*one)[1];
  EXPECT_EQ(keys, 11);
}

TEST_F(GenerateKeys, OfSamplingChangeTheTextOrMakeItGreedy) {
  const std::string greedy = text("", "--max-new-tokens 16 --greedy"), sampled = text("");
  EXPECT_NE(sampled, greedy);
  for (const char* keys : {"generation.top_k=1", "generation.top_p=0.000001", "generation.do_sample=false"})
    EXPECT_EQ(text(keys), greedy) << keys;
  EXPECT_EQ(text("generation.temperature=0.000001"), greedy);
  bool another = false;  // with one seed or other the texts may be the same
  for (const char* seed :
       {"--max-new-tokens 16 --seed 1", "--max-new-tokens 16 --seed 2", "--max-new-tokens 16 --seed 3"})
    another = another || text("generation.temperature=50", seed) != text("generation.temperature=0.05", seed);
  EXPECT_TRUE(another);
  EXPECT_NE(text("generation.top_k=0 generation.top_p=1"), sampled);
  EXPECT_NE(text("generation.do_sample=false generation.repetition_penalty=1"),
            text("generation.do_sample=false generation.repetition_penalty=100"));
}

TEST_F(GenerateKeys, OfExecutionDoNotChangeTheText) {
  const std::string several = "--max-new-tokens 12 --greedy --prompt 모든 --prompt '법 앞에'";
  const std::string together = text("", several);
  for (const char* keys : {"generation.use_cache=false", "model.compile=false", "generation.batch_size=1",
                           "generation.batch_size=2", "generation.use_cache=false model.compile=false"})
    EXPECT_EQ(text(keys, several), together) << keys;
}

TEST_F(GenerateKeys, OfLengthAndPlaceAreFollowed) {
  EXPECT_EQ(count("generation.max_length=30") - count("generation.max_length=20"), 10);
  const char* longer = "--checkpoint a/final --device cpu --prompt '모든 국민은 법 앞에 평등하다 999'";
  EXPECT_EQ(generate("generation.max_length=2", longer).exit_code, 2);  // than the prompt alone
  const Outcome placed = generate("model.checkpoint_path=a/final model.device=cpu", "--max-new-tokens 2");
  EXPECT_EQ(placed.exit_code, 0) << placed.text;
  EXPECT_TRUE(contains(placed.text, ", cpu)")) << placed.text;
  EXPECT_EQ(generate("model.checkpoint_path=nowhere model.device=cpu", "").exit_code, 2);
  // Writing text needs no special device, so another one serves, and that is said.
  const Outcome elsewhere = generate("model.device=abacus", "--checkpoint a/final --max-new-tokens 2");
  EXPECT_TRUE(contains(elsewhere.text, "abacus")) << elsewhere.text;
}

TEST_F(GenerateKeys, ThatAreUnknownOrImpossibleAreErrors) {
  for (const char* keys : {"generation.top_q=1", "top_k=1", "generation.top_k=many", "generation.temperature=0",
                           "generation.top_p=0", "generation.top_p=1.5", "generation.top_k=-1",
                           "generation.repetition_penalty=0", "generation.batch_size=0", "generation.max_length=1"})
    EXPECT_EQ(exit_code(keys), 2) << keys;
  folder_.write("mine.yaml", "generation:\n  top_k: 1\n  top_q: 1\n");
  const Outcome mine = generate("", "--checkpoint a/final --device cpu --config mine.yaml");
  EXPECT_EQ(mine.exit_code, 2);
  EXPECT_TRUE(contains(mine.text, "mine.yaml:3")) << mine.text;
}

}  // namespace
}  // namespace bench::harness
