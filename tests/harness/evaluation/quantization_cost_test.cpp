#include "harness/evaluation/quantization_cost.h"

#include "harness/core/error.h"
#include "tests/model/tiny.h"

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

TEST(QuantizationCost, IsNothingForTheSameModelAndMoreForFewerBits) {
  model::LanguageModel base = model::tiny_model(), int8 = model::tiny_model(), int4 = model::tiny_model();
  int8->quantize(model::Quantization::kInt8);
  int4->quantize(model::Quantization::kInt4);
  const torch::Tensor ids = model::tiny_ids(1, 64)[0];
  const QuantizationCost none = measure_quantization_cost(base, base, ids);
  EXPECT_EQ(none.kl_divergence_nats, 0);
  EXPECT_EQ(none.same_top_share, 1);
  EXPECT_EQ(none.perplexity_ratio(), 1);
  EXPECT_EQ(none.tokens, 63);
  const QuantizationCost eight = measure_quantization_cost(base, int8, ids);
  const QuantizationCost four = measure_quantization_cost(base, int4, ids);
  EXPECT_GT(eight.kl_divergence_nats, 0);
  EXPECT_LT(eight.kl_divergence_nats, 0.01);
  EXPECT_GT(four.kl_divergence_nats, 10 * eight.kl_divergence_nats);
  EXPECT_NEAR(eight.perplexity_ratio(), 1, 0.02);
  EXPECT_NEAR(eight.base_nll_nats, none.nll_nats, 1e-12);
}

TEST(QuantizationCost, ReadsMoreThanAContextInWindows) {
  model::LanguageModel base = model::tiny_model(), int4 = model::tiny_model();
  int4->quantize(model::Quantization::kInt4);
  const torch::Tensor ids = model::tiny_ids(1, 64 + 64 + 11)[0];
  const QuantizationCost whole = measure_quantization_cost(base, int4, ids);
  EXPECT_EQ(whole.tokens, 138);
  double nll = 0;
  for (const std::int64_t first : {0, 64, 128}) {
    const torch::Tensor window = ids.slice(0, first, std::min<std::int64_t>(first + 65, ids.size(0)));
    const QuantizationCost part = measure_quantization_cost(base, int4, window);
    nll += part.nll_nats * static_cast<double>(part.tokens) / 138;
  }
  EXPECT_NEAR(whole.nll_nats, nll, 1e-6);
}

TEST(QuantizationCost, UnknownNamesAreErrors) {
  EXPECT_EQ(quantization_named("int4", "x"), model::Quantization::kInt4);
  EXPECT_THROW(quantization_named("int5", "x"), Error);
}

}  // namespace
}  // namespace bench::harness
