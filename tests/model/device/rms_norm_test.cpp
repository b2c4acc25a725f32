#include "model/device/rms_norm.h"

#include "model/rms_norm.h"
#include "tests/model/equals_plain.h"
#include "tests/model/random_sizes.h"

#include <fmt/format.h>

namespace bench::model {
namespace {

TEST(DeviceRmsNorm, EqualsPlainForwardAndBackwardInRandomSizes) {
  RandomSizes random(4);
  for (int i = 0; i < 20; ++i) {
    const std::int64_t batch = random.up_to(3), tokens = i == 0 ? 1 : random.odd_up_to(59);
    const std::int64_t columns = 2 + random.odd_up_to(199);
    expect_equal([](const Tensors& in) { return device_rms_norm(in[0], in[1], 1e-5); },
                 [](const Tensors& in) { return rms_norm(in[0], in[1], 1e-5); },
                 {torch::randn({batch, tokens, columns}), torch::randn({columns})},
                 fmt::format("{} x {} x {}", batch, tokens, columns));
  }
}

TEST(DeviceRmsNorm, KeepsTheWeightsOwnPrecision) {
  const torch::Tensor x = torch::randn({4, 64}).to(torch::kBFloat16);
  const torch::Tensor weight = torch::full({64}, 1.001f);  // which bf16 rounds to 1
  EXPECT_TRUE(torch::equal(device_rms_norm(x, weight, 1e-5), rms_norm(x, weight, 1e-5)));
}

}  // namespace
}  // namespace bench::model
