// The distribution that Sampler::next draws from, against the one that Transformers' generate() makes of the same
// logits: what the processors do one by one says nothing of their order and settings in there.
#include "model/safetensors.h"
#include "model/sampler.h"

#include <cmath>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace bench::model {
namespace {

class GoldenDraws : public testing::TestWithParam<const char*> {
 protected:
  std::string row_ = GetParam(), folder_ = std::string(BENCH_SOURCE_DIR) + "/tests/golden/";
  NamedTensors golden_ = read_safetensors(folder_ + "sampling.safetensors");
  nlohmann::json json_ = nlohmann::json::parse(std::ifstream(folder_ + "sampling.json"));
  torch::Tensor logits_ = golden_.at(row_ + ".logits"), probability_ = golden_.at(row_ + ".prob").to(torch::kFloat64);
  std::vector<std::int64_t> history_ = json_["rows"][row_]["history"];
  SamplingConfig config_{true, json_["temperature"], json_["top_k"], json_["top_p"], json_["repetition_penalty"]};

  /// How often each token comes in so many draws, each with a seed of its own.
  torch::Tensor counts(std::int64_t draws) const {
    torch::Tensor count = torch::zeros_like(probability_);
    for (std::int64_t seed = 0; seed < draws; ++seed)
      count.mutable_data_ptr<double>()[Sampler(config_, static_cast<std::uint64_t>(seed)).next(logits_, history_)] += 1;
    return count;
  }
};
INSTANTIATE_TEST_SUITE_P(Rows, GoldenDraws, testing::Values("random", "model"),
                         [](const auto& row) { return std::string(row.param); });

TEST_P(GoldenDraws, OfSamplerNextFollowTransformersProbabilities) {
  constexpr std::int64_t kDraws = 10'000;
  const torch::Tensor count = counts(kDraws), expected = probability_ * static_cast<double>(kDraws);
  EXPECT_EQ(count.masked_select(probability_.eq(0)).sum().item<double>(), 0) << "tokens that Transformers removes";
  const torch::Tensor often = expected.ge(5);  // below, counts are no longer near to normal
  const auto cells = often.sum().item<std::int64_t>();
  ASSERT_GE(cells, 25);
  const torch::Tensor chi = ((count - expected).pow(2) / expected).masked_select(often);
  const auto freedom = static_cast<double>(cells - 1);
  // Its mean is `freedom`, its variance twice that: five standard deviations.
  EXPECT_LE(chi.sum().item<double>(), freedom + 5 * std::sqrt(2 * freedom));
}

TEST_P(GoldenDraws, GreedyIsTheMostProbableAfterThePenalty) {
  config_.do_sample = false;
  EXPECT_EQ(Sampler(config_, 0).next(logits_, history_), probability_.argmax().item<std::int64_t>());
}

}  // namespace
}  // namespace bench::model
