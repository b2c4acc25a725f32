#include "tests/kept_threads.h"
#include "tests/model/tiny.h"

#include <gtest/gtest.h>

namespace bench::model {
namespace {

/// Large enough that the products of a step are several pieces of work in every format.
ModelConfig wide_config() {
  ModelConfig config = tiny_config();
  config.vocab_size = 1500;
  config.hidden_size = 256;
  config.intermediate_size = 1024;
  config.num_layers = 2;
  config.num_heads = 8;
  return config;
}

struct Way {
  torch::Dtype dtype;
  Quantization quantization;
  const char* name;
};

class DecodeThreads : public testing::TestWithParam<Way> {
  KeptThreads threads_;
};
INSTANTIATE_TEST_SUITE_P(Ways, DecodeThreads,
                         testing::Values(Way{torch::kFloat32, Quantization::kNone, "fp32"},
                                         Way{torch::kBFloat16, Quantization::kNone, "bf16"},
                                         Way{torch::kFloat32, Quantization::kInt8, "int8"},
                                         Way{torch::kFloat32, Quantization::kInt4, "int4"},
                                         Way{torch::kBFloat16, Quantization::kInt8, "int8InBf16"},
                                         Way{torch::kBFloat16, Quantization::kInt4, "int4InBf16"}),
                         [](const auto& way) { return std::string(way.param.name); });

TEST_P(DecodeThreads, DoNotChangeABitOfTheLogits) {
  const torch::NoGradGuard no_grad;
  LanguageModel model = tiny_model(wide_config(), GetParam().dtype);
  model->quantize(GetParam().quantization);
  model->eval();
  for (const std::int64_t batch : {1, 3}) {
    const torch::Tensor ids = tiny_ids(batch, 12);
    std::vector<torch::Tensor> known;
    for (const int threads : {1, 2, 3}) {
      at::set_num_threads(threads);
      KvCache cache = model->make_cache(batch, 12);
      for (std::int64_t t = 0; t < 12; ++t) {
        const torch::Tensor logits = model->next_logits(ids.slice(1, t, t + 1), cache);
        ASSERT_EQ(logits.scalar_type(), torch::kFloat32);  // decode_step's: the modules' are of the compute dtype
        if (threads == 1)
          known.push_back(logits);
        else
          EXPECT_TRUE(torch::equal(logits, known[static_cast<std::size_t>(t)])) << threads << " threads, token " << t;
      }
    }
  }
}

}  // namespace
}  // namespace bench::model
