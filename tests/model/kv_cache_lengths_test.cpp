// The cache at every length up to the model's max_seq_length, in every format of the weights.
#include "model/fused/gemv.h"
#include "model/fused/products.h"
#include "tests/model/tiny.h"

#include <gtest/gtest.h>

namespace bench::model {
namespace {

struct Way {
  torch::Dtype dtype;
  Quantization quantization;
  const char* name;
  /// Of the largest logit, between two ways to read the same tokens. fp32: sums in another order. bf16: 8 bits at each
  /// of some ten places. Whole-number weights: fewer than kManyTokens tokens become whole numbers as well, 16 bits
  /// beside int8 and 8 beside int4, and more do not; two ways that cut a sequence differently differ by that rounding,
  /// and two that cut it alike by the few numbers that another order of sums tips over to the next whole one.
  double tolerance;
  bool bf16_products = false;
};

class KvCacheLengths : public testing::TestWithParam<Way> {
 protected:
  KvCacheLengths() {
    model_->quantize(GetParam().quantization);
    model_->eval();
  }
  /// Largest difference of logits over the largest logit.
  static double error(const torch::Tensor& logits, const torch::Tensor& expected) {
    const torch::Tensor exact = expected.to(torch::kFloat32);
    return largest(logits.to(torch::kFloat32) - exact) / largest(exact);
  }
  const torch::NoGradGuard no_grad_;
  const AssumedBf16Products assumed_{GetParam().bf16_products};
  LanguageModel model_ = tiny_model(tiny_config(), GetParam().dtype);
  const std::int64_t longest_ = tiny_config().max_seq_length;
  const torch::Tensor ids_ = tiny_ids(2, longest_);
};
INSTANTIATE_TEST_SUITE_P(Ways, KvCacheLengths,
                         testing::Values(Way{torch::kFloat32, Quantization::kNone, "fp32", 1e-5},
                                         Way{torch::kBFloat16, Quantization::kNone, "bf16", 0.03, true},
                                         Way{torch::kBFloat16, Quantization::kNone, "bf16Widened", 0.03},
                                         Way{torch::kFloat32, Quantization::kInt8, "int8", 1e-3},
                                         Way{torch::kFloat32, Quantization::kInt4, "int4", 0.03}),
                         [](const auto& way) { return std::string(way.param.name); });

TEST_P(KvCacheLengths, EveryStepUpToTheLastEqualsTheWholeSequence) {
  const torch::Tensor whole = model_(ids_);
  for (const std::int64_t prompt : {1, 40, 63}) {
    KvCache cache = model_->make_cache(2, longest_);
    torch::Tensor logits = model_->next_logits(ids_.slice(1, 0, prompt), cache);
    for (std::int64_t t = prompt;; ++t) {
      EXPECT_LE(error(logits, whole.select(1, t - 1)), GetParam().tolerance) << "prompt " << prompt << ", length " << t;
      if (t == longest_) break;
      logits = model_->next_logits(ids_.slice(1, t, t + 1), cache);
    }
    EXPECT_EQ(cache.length(), longest_);
  }
}

TEST_P(KvCacheLengths, PromptsInPiecesEqualPromptsAtOnceAndWithoutACache) {
  const torch::Tensor one = ids_.narrow(0, 0, 1);
  for (const std::int64_t prompt : {1, 5, 15, 16, 17, 40}) {
    const torch::Tensor whole = one.slice(1, 0, prompt), uncached = model_(whole).select(1, -1);
    KvCache cache = model_->make_cache(1, longest_);
    EXPECT_LE(error(model_->next_logits(whole, cache), uncached), GetParam().tolerance) << prompt;
    for (const std::int64_t piece : {std::int64_t{1}, std::int64_t{4}, kManyTokens - 1, kManyTokens, kManyTokens + 1}) {
      KvCache pieces = model_->make_cache(1, longest_);
      torch::Tensor logits;
      for (std::int64_t t = 0; t < prompt; t += piece)
        logits = model_->next_logits(whole.slice(1, t, std::min(t + piece, prompt)), pieces);
      EXPECT_EQ(pieces.length(), prompt);
      EXPECT_LE(error(logits, uncached), GetParam().tolerance) << prompt << " in pieces of " << piece;
    }
  }
}

}  // namespace
}  // namespace bench::model
