#include "model/kernels/convert.h"
#include "model/kernels/cross_entropy.h"
#include "model/kernels/softmax.h"
#include "model/kernels/swiglu.h"
#include "tests/model/instruction_sets.h"
#include "tests/model/tiny.h"

#include <bit>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace bench::model {
namespace {

/// Bits of what is not a number: made by arithmetic, signalling, and such as memory filled with ones has.
constexpr std::uint32_t kNaNs[] = {0x7FC00000, 0x7FC00001, 0x7F800001, 0x7FFFFFFF, 0xFFFFFFFF};

TEST(Swiglu, EqualsTheFormulaForAnyGate) {
  on_every_instruction_set([] {
    // Not to 100: the middle would be 0 or not as LibTorch rounds, and there is no error relative to a silu of 0.
    const torch::Tensor gate = torch::linspace(-100, 101, 1003), up = torch::ones({1003});
    torch::Tensor y = torch::empty({1003});
    swiglu(Element::kFp32, gate.const_data_ptr<float>(), up.const_data_ptr<float>(), y.mutable_data_ptr<float>(), 1003);
    const torch::Tensor exact = gate.to(torch::kFloat64), silu = exact * torch::sigmoid(exact);
    EXPECT_LE(((y.to(torch::kFloat64) - silu).abs() / silu.abs()).slice(0, 66).max().item<double>(), 5e-6);
    EXPECT_LE(largest(y.slice(0, 0, 66)), 1e-35);  // below -87
  });
}

TEST(CausalSoftmaxRow, SmallProbabilitiesAreRightAndNaNIsNotHidden) {
  const torch::Tensor scores = torch::linspace(-200, 7, 1003);
  const auto softmax = [](torch::Tensor& row) {
    auto* numbers = row.mutable_data_ptr<float>();
    return causal_softmax_row(Element::kFp32, numbers, 1003, 1001, 0.5F, numbers);
  };
  on_every_instruction_set([&] {
    torch::Tensor row = scores.clone();
    const float log_sum = softmax(row);
    const torch::Tensor scaled = scores.narrow(0, 0, 1001).to(torch::kFloat64) * 0.5;
    EXPECT_NEAR(log_sum, torch::logsumexp(scaled, 0).item<double>(), 1e-6);
    const torch::Tensor exact = torch::softmax(scaled, 0), got = row.narrow(0, 0, 1001).to(torch::kFloat64);
    EXPECT_LE(((got - exact).abs() / exact).masked_select(scaled > scaled.max() - 87).max().item<double>(), 1e-5);
    EXPECT_EQ(got.masked_select(scaled < scaled.max() - 87.1).sum().item<double>(), 0);
    EXPECT_EQ(row[1001].item<float>() + row[1002].item<float>(), 0);
    for (const std::uint32_t bits : kNaNs)
      for (const std::int64_t place : {500, 1000}) {  // in a vector and in what is left over
        row = scores.clone();
        row.mutable_data_ptr<float>()[place] = std::bit_cast<float>(bits);
        EXPECT_TRUE(std::isnan(softmax(row))) << bits << ' ' << place;
        torch::Tensor x = scores.clone(), g = torch::ones({1003});
        x.mutable_data_ptr<float>()[place] = std::bit_cast<float>(bits);
        causal_softmax_backward_row(Element::kFp32, x.mutable_data_ptr<float>(), g.mutable_data_ptr<float>(), 1003,
                                    1001, 0.5F, log_sum);
        EXPECT_TRUE(x[place].isnan().item<bool>()) << bits << ' ' << place;
        EXPECT_TRUE(g[0].isnan().item<bool>()) << bits << ' ' << place;
      }
    row = scores * 1e10;  // as in a run that has diverged
    EXPECT_TRUE(std::isnan(softmax(row)));
  });
}

TEST(CausalSoftmaxRow, RoundsToBf16Once) {
  on_every_instruction_set([] {
    const torch::Tensor scores = torch::randn({1001}).to(torch::kBFloat16);
    torch::Tensor row = scores.clone(), exponentials = torch::empty({1001});
    causal_softmax_row(Element::kBf16, row.mutable_data_ptr(), 1001, 1001, 1, exponentials.mutable_data_ptr<float>());
    const torch::Tensor exact = torch::softmax(scores.to(torch::kFloat64), 0);
    EXPECT_LE(((row.to(torch::kFloat64) - exact).abs() / exact).max().item<double>(), 1.001 / 256);
  });
}

TEST(CrossEntropyRow, NaNIsNotHidden) {
  on_every_instruction_set([] {
    for (const std::uint32_t bits : kNaNs) {
      torch::Tensor logits = torch::randn({37});
      logits.mutable_data_ptr<float>()[20] = std::bit_cast<float>(bits);
      EXPECT_TRUE(std::isnan(cross_entropy_row(Element::kFp32, logits.mutable_data_ptr<float>(), 37, 3, 1))) << bits;
    }
  });
}

TEST(Narrow, RoundsAsLibTorchDoes) {
  on_every_instruction_set([] {
    torch::Tensor x = torch::randn({1000}) * torch::exp2(torch::randint(-149, 128, {1000}).to(torch::kFloat32));
    x.view(torch::kInt32).slice(0, 0, 1000, 3).bitwise_and_(static_cast<std::int32_t>(0xFFFF8000));  // many are ties
    x[1] = std::numeric_limits<float>::max();                                                        // to infinity
    x[2] = -INFINITY;
    for (std::size_t i = 0; i < std::size(kNaNs); ++i)
      x.mutable_data_ptr<float>()[10 + i] = std::bit_cast<float>(kNaNs[i]);
    torch::Tensor got = torch::empty({1000}, torch::kBFloat16);
    narrow(Element::kBf16, x.const_data_ptr<float>(), got.mutable_data_ptr(), 1000);
    EXPECT_TRUE(torch::equal(got.isnan(), x.isnan()));
    EXPECT_TRUE(torch::equal(got.nan_to_num(0.0, INFINITY, -INFINITY),
                             x.to(torch::kBFloat16).nan_to_num(0.0, INFINITY, -INFINITY)));
  });
}

}  // namespace
}  // namespace bench::model
