// Kernels against their formulas in fp64, on every instruction set: the numbers that no larger test takes apart.
#include "model/fused/accumulate.h"
#include "model/fused/rows.h"
#include "model/kernels/convert.h"
#include "model/kernels/cross_entropy.h"
#include "model/kernels/dropout.h"
#include "model/kernels/rms_norm.h"
#include "model/kernels/rotary.h"
#include "model/kernels/swiglu.h"
#include "tests/model/instruction_sets.h"
#include "tests/model/tiny.h"

#include <cmath>

#include <gtest/gtest.h>

namespace bench::model {
namespace {

/// Shorter than a vector, a whole number of vectors, and some left over, for vectors of 4, 8 and 16 numbers.
constexpr std::int64_t kLengths[] = {1, 2, 3, 5, 8, 16, 31, 64, 67, 1003};
constexpr torch::Dtype kDtypes[] = {torch::kFloat32, torch::kBFloat16};

torch::Tensor wide(const torch::Tensor& x) { return x.to(torch::kFloat64); }

/// Numbers of about 1, exact in that dtype.
torch::Tensor numbers(std::int64_t n, torch::Dtype dtype) { return torch::randn({n}).to(dtype); }

/// Each number is the exact one to 1e-5 of it and of `size`, rounded to bf16 once where that is the dtype.
void expect_near(const torch::Tensor& found, const torch::Tensor& exact, double size, const std::string& what) {
  const double rounding = found.scalar_type() == torch::kBFloat16 ? 1.001 / 256 : 0;
  const torch::Tensor off = (wide(found) - exact).abs() - exact.abs() * (1e-5 + rounding);
  EXPECT_LE(off.max().item<double>(), 1e-5 * size) << what << ", " << found.numel() << " of " << found.scalar_type();
}

template <class F>
void for_all(const F& f) {
  on_every_instruction_set([&] {
    for (const torch::Dtype dtype : kDtypes)
      for (const std::int64_t n : kLengths) f(dtype, n);
  });
}

TEST(AddWidened, AddsInFp32) {
  for_all([](torch::Dtype dtype, std::int64_t n) {
    const torch::Tensor x = numbers(n, dtype), before = torch::randn({n});
    torch::Tensor sum = before.clone();
    add_widened(element_of(x), x.const_data_ptr(), sum.mutable_data_ptr<float>(), n);
    EXPECT_TRUE(torch::equal(sum, before + x.to(torch::kFloat32))) << n << " of " << dtype;
  });
}

TEST(Accumulate, EqualsAddOfWholeMatricesAndOfParts) {
  for (const auto dtype : {torch::kFloat32, torch::kBFloat16, torch::kHalf}) {
    const torch::Tensor addend = torch::randn({301, 517}).to(dtype), before = torch::randn({301, 600});
    for (const std::int64_t first : {0, 83}) {
      torch::Tensor sum = before.clone();
      accumulate(sum.narrow(1, first, 517), addend);
      torch::Tensor expected = before.clone();
      expected.narrow(1, first, 517).add_(addend);
      EXPECT_TRUE(torch::equal(sum, expected)) << dtype << " from column " << first;
    }
    torch::Tensor turned = before.t().contiguous().t().narrow(1, 0, 517), plain = turned.clone();
    accumulate(turned, addend);
    EXPECT_TRUE(torch::equal(turned, plain.add_(addend))) << dtype << " by columns";
  }
}

TEST(Accumulate, TakesATransposeAsItLies) {
  on_every_instruction_set([] {
    for (const auto dtype : {torch::kFloat32, torch::kBFloat16, torch::kHalf})
      for (const std::int64_t rows : {1, 7, 128, 301})
        for (const std::int64_t columns : {1, 8, 66, 517}) {
          const torch::Tensor addend = torch::randn({columns, rows}).to(dtype).t();
          torch::Tensor sum = torch::randn({rows, columns}), expected = sum + addend;
          accumulate(sum, addend);
          EXPECT_TRUE(torch::equal(sum, expected)) << dtype << ' ' << rows << " x " << columns;
        }
  });
}

TEST(RmsNormRow, EqualsTheFormulaForwardAndBackward) {
  for_all([](torch::Dtype dtype, std::int64_t n) {
    constexpr double kEps = 0.1;
    const torch::Tensor x = numbers(n, dtype), g = numbers(n, dtype), weight = torch::randn({n});
    const torch::Tensor y = torch::empty_like(x), gx = torch::empty_like(x), before = torch::randn({n});
    torch::Tensor gw = before.clone();
    const float scale = rms_norm_row(element_of(x), x.const_data_ptr(), weight.const_data_ptr<float>(),
                                     y.mutable_data_ptr(), n, static_cast<float>(kEps));
    rms_norm_backward_row(element_of(x), g.const_data_ptr(), x.const_data_ptr(), weight.const_data_ptr<float>(), scale,
                          gx.mutable_data_ptr(), gw.mutable_data_ptr<float>(), n);
    const double exact_scale = 1 / std::sqrt(wide(x).pow(2).mean().item<double>() + kEps);
    EXPECT_NEAR(scale, exact_scale, 1e-6 * exact_scale);
    const torch::Tensor h = wide(x) * exact_scale, weighted = wide(g) * wide(weight);
    expect_near(y, h * wide(weight), 0.01, "y");
    expect_near(gx, exact_scale * (weighted - h * (weighted * h).mean()), 1, "by x");
    expect_near(gw, wide(before) + wide(g) * h, 1, "by weight, added");
  });
}

TEST(RotateHeads, TurnsAndTurnsBackInPlaceToo) {
  constexpr std::int64_t kHeads = 3, kGap = 5;
  for_all([](torch::Dtype dtype, std::int64_t half) {
    const torch::Tensor x = torch::randn({kHeads, 2 * half + kGap}).to(dtype), angle = torch::randn({half});
    const torch::Tensor cos = torch::cos(angle), sin = torch::sin(angle), low = wide(x).narrow(1, 0, half),
                        high = wide(x).narrow(1, half, half), gap = wide(x).narrow(1, 2 * half, kGap);
    for (const bool inverse : {false, true}) {
      const torch::Tensor s = inverse ? -wide(sin) : wide(sin);
      const torch::Tensor exact = torch::cat({low * wide(cos) - high * s, high * wide(cos) + low * s, gap}, 1);
      const torch::Tensor other = x.clone(), in_place = x.clone();
      for (const auto& [from, to] : {std::pair{x, other}, {in_place, in_place}}) {
        rotate_heads(element_of(x), {from.const_data_ptr(), from.size(1)}, cos.const_data_ptr<float>(),
                     sin.const_data_ptr<float>(), {to.mutable_data_ptr(), to.size(1)}, kHeads, half, inverse);
        expect_near(to, exact, 0.1, inverse ? "back" : "forward");
      }
    }
  });
}

TEST(Dropout, DrawsPhiloxsNumbers) {
  // Random123's known answer of Philox 4x32-10 for counter 0 and key 0. A group's first counter gives these words to
  // places 0, 16, 32 and 48; an element is kept when its word is at least the threshold.
  constexpr std::uint32_t kWords[] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
  on_every_instruction_set([&] {
    const torch::Tensor x = torch::ones({kDropoutGroup}), y = torch::empty_like(x);
    for (std::int64_t i = 0; i < 4; ++i)
      for (const std::uint32_t above : {0u, 1u}) {
        dropout_add(Element::kFp32, {0, kWords[i] + above, 2}, nullptr, x.const_data_ptr(), y.mutable_data_ptr(), 0,
                    kDropoutGroup);
        EXPECT_EQ(y[16 * i].item<float>(), above ? 0 : 2) << i;
      }
  });
}

TEST(Dropout, IsTheSameOnEveryInstructionSetAndInPieces) {
  constexpr std::int64_t kCount = 1003, kFirst = 5 * kDropoutGroup;
  const DropoutMask mask{77, 0x40000000, 4.0F / 3};
  for (const torch::Dtype dtype : kDtypes) {
    const torch::Tensor x = numbers(kCount, dtype), residual = numbers(kCount, dtype);
    torch::Tensor known;
    on_every_instruction_set([&] {
      const torch::Tensor y = torch::empty_like(x);
      for (const auto& [first, count] : {std::pair{std::int64_t{0}, kFirst}, {kFirst, kCount - kFirst}})
        dropout_add(element_of(x), mask, row_of(residual, first, 1), row_of(x, first, 1), row_of(y, first, 1), first,
                    count);
      const torch::Tensor dropped = y.eq(residual);
      EXPECT_NEAR(wide(dropped).mean().item<double>(), 0.25, 0.07);  // five sigma
      expect_near(y, wide(residual) + wide(x) * dropped.logical_not() * 4 / 3, 0.1, "sum");
      if (!known.defined()) known = y.clone();
      EXPECT_TRUE(torch::equal(y, known));
    });
  }
}

TEST(Swiglu, BackwardEqualsTheFormulaForAnyGate) {
  for_all([](torch::Dtype dtype, std::int64_t n) {
    const torch::Tensor gate = torch::linspace(-100, 100, n).to(dtype), up = numbers(n, dtype), g = numbers(n, dtype);
    const torch::Tensor by_gate = g.clone(), by_up = torch::empty_like(g);  // in the place of the gradient by y
    swiglu_backward(element_of(g), by_gate.const_data_ptr(), gate.const_data_ptr(), up.const_data_ptr(),
                    by_gate.mutable_data_ptr(), by_up.mutable_data_ptr(), n);
    const torch::Tensor sigmoid = torch::sigmoid(wide(gate));
    expect_near(by_gate, wide(g) * wide(up) * sigmoid * (1 + wide(gate) * (1 - sigmoid)), 0.1, "by gate");
    expect_near(by_up, wide(g) * wide(gate) * sigmoid, 0.1, "by up");
  });
}

TEST(CrossEntropyRow, EqualsTheFormulaAndLeavesLogitsAloneWithoutAScale) {
  for_all([](torch::Dtype dtype, std::int64_t n) {
    const torch::Tensor logits = (torch::randn({n}) * 5).to(dtype), log_p = torch::log_softmax(wide(logits), 0);
    for (const std::int64_t target : {std::int64_t{0}, n / 2, n - 1})
      for (const double scale : {0.0, 0.25}) {
        torch::Tensor row = logits.clone();
        const float nll =
            cross_entropy_row(element_of(row), row.mutable_data_ptr(), n, target, static_cast<float>(scale));
        EXPECT_NEAR(nll, -log_p[target].item<double>(), 1e-5) << n << " " << target;
        torch::Tensor gradient = log_p.exp();
        gradient[target] -= 1;
        if (scale == 0) {
          EXPECT_TRUE(torch::equal(row, logits));
        } else {
          expect_near(row, gradient * scale, 0.1, "gradient");
        }
      }
  });
}

}  // namespace
}  // namespace bench::model
