#include "model/quantized_weight.h"

#include "model/decoder.h"
#include "model/fused/gemv.h"
#include "tests/model/instruction_sets.h"
#include "tests/model/tiny.h"

#include <gtest/gtest.h>

namespace bench::model {
namespace {

/// Largest difference over the largest value.
double error(const torch::Tensor& a, const torch::Tensor& exact) {
  return largest(a.to(torch::kFloat64) - exact) / largest(exact);
}

torch::Tensor products(const WeightRows& weight, std::int64_t rows, const torch::Tensor& x) {
  const torch::Tensor y = torch::empty({x.size(0), rows});
  const PreparedTokens tokens(x.const_data_ptr<float>(), x.size(0), x.size(1), weight.format);
  gemv_all({{weight, rows, y.mutable_data_ptr<float>(), rows}}, tokens);
  return y;
}

const std::vector<std::array<std::int64_t, 3>> kShapes{{1, 1, 1},    {1, 7, 64},    {2, 5, 129}, {3, 64, 128},
                                                       {7, 33, 200}, {4, 130, 1000}};  // tokens, rows, columns

TEST(RowProducts, DenseWeightsGiveTheProductOfMatrices) {
  on_every_instruction_set([] {
    for (const auto& [tokens, rows, columns] : kShapes)
      for (const auto dtype : {torch::kFloat32, torch::kBFloat16}) {
        const torch::Tensor weight = torch::randn({rows, columns}).to(dtype), x = torch::randn({tokens, columns});
        const torch::Tensor rounded = x.to(dtype);  // what is multiplied is stored like the weights
        const torch::Tensor exact = torch::matmul(rounded.to(torch::kFloat64), weight.to(torch::kFloat64).t());
        EXPECT_LE(error(products(weight_rows(weight), rows, x), exact), 1e-5)
            << tokens << " " << rows << " " << columns;
      }
  });
}

TEST(RowProducts, WholeNumbersGiveTheProductWithWhatTheyStandFor) {
  on_every_instruction_set([] {
    for (const auto& [tokens, rows, columns] : kShapes)
      for (const auto kind : {Quantization::kInt8, Quantization::kInt4}) {
        const QuantizedWeight weight = quantize(torch::randn({rows, columns}), kind);
        const torch::Tensor x = torch::randn({tokens, columns});
        const torch::Tensor exact =
            torch::matmul(x.to(torch::kFloat64), dequantize(weight, torch::kFloat32).to(torch::kFloat64).t());
        const torch::Tensor found = products(weight_rows(weight), rows, x);
        if (kind == Quantization::kInt8) {
          EXPECT_LE(error(found, exact), 2e-4) << tokens << " " << rows << " " << columns;
          continue;
        }
        // Beside int4 a token has 8 bits in each group of 64 columns: its numbers are off by half a step at most.
        torch::Tensor half_steps = torch::empty_like(x);
        for (std::int64_t group = 0; group < columns; group += 64) {
          torch::Tensor numbers = half_steps.slice(1, group, std::min(group + 64, columns));
          numbers.copy_((x.slice(1, group, group + 64).abs().amax(1, /*keepdim=*/true) / 254).expand_as(numbers));
        }
        const torch::Tensor most = half_steps.matmul(dequantize(weight, torch::kFloat32).abs().t()) + 1e-5;
        EXPECT_LE(((found - exact).abs() / most).max().item<double>(), 1) << tokens << " " << rows << " " << columns;
      }
  });
}

TEST(RowProducts, ATokenGetsTheSameBitsInAnyCompany) {
  const torch::Tensor x = torch::randn({7, 200}), weight = torch::randn({37, 200}), bf16 = weight.to(torch::kBFloat16);
  std::vector<QuantizedWeight> kept{quantize(weight, Quantization::kInt8), quantize(weight, Quantization::kInt4)};
  on_every_instruction_set([&] {
    for (const auto& rows : {weight_rows(weight), weight_rows(bf16), weight_rows(kept[0]), weight_rows(kept[1])}) {
      const torch::Tensor all = products(rows, 37, x);
      for (std::int64_t t = 0; t < 7; ++t)
        EXPECT_TRUE(torch::equal(products(rows, 37, x.narrow(0, t, 1).contiguous())[0], all[t])) << t;
    }
  });
}

TEST(QuantizedLinear, ManyTokensGetTheProductWithWhatTheNumbersStandFor) {
  for (const auto kind : {Quantization::kInt8, Quantization::kInt4}) {
    const QuantizedWeight weight = quantize(torch::randn({1030, 200}) * 0.1, kind);
    const torch::Tensor x = torch::randn({2, kManyTokens, 200}).to(torch::kBFloat16);
    const torch::Tensor exact =
        torch::linear(x.to(torch::kFloat64), dequantize(weight, torch::kFloat32).to(torch::kFloat64));
    const torch::Tensor found = quantized_linear(x, weight);
    EXPECT_EQ(found.scalar_type(), torch::kBFloat16);
    EXPECT_LE(error(found, exact), 2.0 / 256);  // where bf16 has products, the weight is rounded as well
    EXPECT_LE(error(quantized_linear(x.to(torch::kFloat32), weight), exact), 1e-5);
  }
}

TEST(Quantize, RoundsToTheNearestWithinHalfAStep) {
  const torch::Tensor weight = torch::randn({20, 300}) * 0.02;
  const torch::Tensor int8 = dequantize(quantize(weight, Quantization::kInt8), torch::kFloat32);
  const torch::Tensor step = weight.abs().amax(1, /*keepdim=*/true) / 127;
  EXPECT_LE(((int8 - weight).abs() / step).max().item<double>(), 0.5001);
  const QuantizedWeight four = quantize(weight, Quantization::kInt4);
  const torch::Tensor off = (dequantize(four, torch::kFloat32) - weight).pow(2).mean().sqrt();
  EXPECT_LE(off.item<double>() / 0.02, 0.11);  // 16 steps over +-2.5 sigma, uniform rounding: 0.09
  EXPECT_EQ(four.values.nbytes() + four.scales.nbytes(), 20u * (384 / 2 + 384 / 64 * 2));
  EXPECT_EQ(matrix_bytes(weight_rows(four), 20), 20 * (384 / 2 + 384 / 64 * 2));
}

TEST(Quantize, ZerosAndExtremesSurvive) {
  torch::Tensor weight = torch::zeros({3, 130});
  weight[1][7] = 3.0;
  weight[2].fill_(-1e-30);
  for (const auto kind : {Quantization::kInt8, Quantization::kInt4}) {
    const torch::Tensor back = dequantize(quantize(weight, kind), torch::kFloat32);
    EXPECT_TRUE(torch::isfinite(back).all().item<bool>());
    EXPECT_EQ(back[0].abs().sum().item<double>(), 0);
    EXPECT_NEAR(back[1][7].item<double>(), 3.0, 0.2);
    EXPECT_EQ(back[1].count_nonzero().item<std::int64_t>(), 1);
  }
}

TEST(Quantize, ManyTokensAndFewAgree) {
  const torch::Tensor x = torch::randn({kManyTokens, 200});
  // Of values up to 40. Few tokens have 16 bits beside int8 and 8 beside int4; many stay as they are.
  for (const auto& [kind, most] : {std::pair{Quantization::kInt8, 1e-2}, {Quantization::kInt4, 0.3}}) {
    const QuantizedWeight weight = quantize(torch::randn({50, 200}), kind);
    const torch::Tensor many = quantized_linear(x, weight), few = quantized_linear(x.narrow(0, 0, 3), weight);
    EXPECT_LE(largest(many.narrow(0, 0, 3) - few), most);
  }
}

TEST(Quantize, LibTorchsProductGivesTheSame) {  // which serves where our kernels don't
  const torch::Tensor x = torch::randn({2, 3, 256});
  const QuantizedWeight weight = quantize(torch::randn({64, 256}), Quantization::kInt8);
  const torch::Tensor ours = quantized_linear(x, weight);
  const torch::Tensor theirs = int8_linear(x.to(torch::kBFloat16), weight.values, weight.scales);
  EXPECT_EQ(theirs.sizes(), ours.sizes());
  EXPECT_LE(error(theirs, ours.to(torch::kFloat64)), 0.02);
}

TEST(QuantizedModel, LogitsStayNearAndDecodingEqualsTheFullForward) {
  const torch::NoGradGuard no_grad;
  for (const bool tied : {true, false})
    for (const auto kind : {Quantization::kInt8, Quantization::kInt4}) {
      ModelConfig config = tiny_config();
      config.tie_embeddings = tied;
      LanguageModel model = tiny_model(config);
      model->eval();
      const torch::Tensor ids = tiny_ids(2, 20);
      const torch::Tensor before = model(ids);
      const std::int64_t bytes = model->decode_weight_bytes(), embedding = config.vocab_size * config.hidden_size * 4;
      EXPECT_EQ(model->weight_bytes(), 4 * parameter_count(config));
      model->quantize(kind);
      EXPECT_LT(model->decode_weight_bytes(), bytes);
      const std::int64_t norms = 4 * (2 * config.num_layers + 1) * config.hidden_size;
      EXPECT_EQ(model->weight_bytes(), model->decode_weight_bytes() + embedding + norms);
      const torch::Tensor after = model(ids);
      EXPECT_LE(error(after, before.to(torch::kFloat64)), kind == Quantization::kInt8 ? 0.03 : 0.4);
      EXPECT_GT(largest(after - before), 0);
      KvCache cache = model->make_cache(2, 20);
      model->next_logits(ids.slice(1, 0, 5), cache);
      for (std::int64_t t = 5; t < 20; ++t)
        EXPECT_LE(largest(model->next_logits(ids.slice(1, t, t + 1), cache) - after.select(1, t)),
                  kind == Quantization::kInt8 ? 2e-2 : 5e-2)
            << t;
    }
}

TEST(QuantizedModel, TwiceIsAnError) {
  LanguageModel model = tiny_model();
  model->quantize(Quantization::kNone);
  model->quantize(Quantization::kInt8);
  EXPECT_THROW(model->quantize(Quantization::kInt4), c10::Error);
}

}  // namespace
}  // namespace bench::model
