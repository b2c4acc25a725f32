#include "model/device/kernels.h"

#include "model/device/metal.h"
#include "model/device/metal_launch.h"
#include "model/kv_cache.h"
#include "model/rms_norm.h"
#include "model/rope.h"
#include "tests/model/device/metal_as_cpp.h"
#include "tests/model/device/operators.h"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace bench::model {
namespace {

constexpr torch::Dtype kDtypes[] = {torch::kFloat32, torch::kFloat16, torch::kBFloat16};

struct KernelSet {
  const char* name;
  const DeviceKernels& (*kernels)();
};

void PrintTo(const KernelSet& set, std::ostream* out) { *out << set.name; }

/// So many roundings to the dtype, and 1e-6 for the arithmetic in fp32: of a number, or of the largest where that is 16
/// times larger.
void expect_equal(const torch::Tensor& result, const torch::Tensor& expected, torch::Dtype dtype, int roundings = 1) {
  ASSERT_EQ(result.scalar_type(), dtype);
  ASSERT_EQ(result.sizes(), expected.sizes());
  const double rounding = dtype == torch::kFloat32 ? 0 : dtype == torch::kFloat16 ? 0x1p-11 : 0x1p-8;
  const torch::Tensor wide = expected.to(torch::kFloat64), size = wide.abs();
  const torch::Tensor allowed = (roundings * rounding + 1e-6) * torch::maximum(size, size.max() / 16);
  const torch::Tensor wrong = ((result.to(torch::kFloat64) - wide).abs() <= allowed).logical_not();
  EXPECT_EQ(wrong.sum().item<std::int64_t>(), 0) << dtype << ' ' << result.sizes() << "\n"
                                                 << result << "\n"
                                                 << expected;
}

class DeviceKernelsTest : public testing::TestWithParam<KernelSet> {
 protected:
  const DeviceKernels& kernels_ = GetParam().kernels();
  const torch::NoGradGuard no_grad_;
};
INSTANTIATE_TEST_SUITE_P(, DeviceKernelsTest,
                         testing::Values(KernelSet{"Operators", operator_kernels},
                                         KernelSet{"Metal", metal_kernels_as_cpp}),
                         [](const auto& set) { return set.param.name; });

TEST_P(DeviceKernelsTest, AddAndNormEachRow) {
  for (const auto dtype : kDtypes)
    for (const auto& [rows, columns] : {std::pair{1, 1}, {1, 1024}, {5, 130}, {3, 7}, {2, 257}, {4, 256}}) {
      torch::Tensor x = torch::randn({rows, columns}).to(dtype);
      const torch::Tensor branch = torch::randn({rows, columns}).to(dtype), before = x.clone();
      const torch::Tensor weight = (1 + 0.2 * torch::randn({columns})).to(dtype);
      const double eps = 0.01;
      const auto [sum, normed] = kernels_.add_rms_norm(x, branch, weight, eps);
      EXPECT_TRUE(torch::equal(sum, x + branch)) << dtype;
      EXPECT_TRUE(torch::equal(x, before)) << dtype;
      const auto wide = [](const torch::Tensor& y) { return y.to(torch::kFloat64); };
      expect_equal(normed, rms_norm(wide(sum), wide(weight), eps), dtype);
    }
}

struct RotationCase {
  std::int64_t batch, tokens, heads, kv_heads, dim, position, capacity;
};

/// Caches of `more` sequences more than the tokens are of: their part is the view from the first sequence after those.
void expect_rotation(const DeviceKernels& kernels, const RotationCase& c, std::int64_t more, torch::Dtype dtype) {
  const torch::Tensor qkv = torch::randn({c.batch, c.tokens, (c.heads + 2 * c.kv_heads) * c.dim}).to(dtype);
  RopeImpl rope(c.dim, c.capacity, 10000.0);
  const torch::Tensor cos = rope.cos(c.tokens, c.position), sin = rope.sin(c.tokens, c.position);
  const RotationTables tables = rotation_tables(rope.all_cos(), rope.all_sin()).rows(c.position, c.tokens);
  const torch::Tensor keys = torch::randn({c.batch + more, c.kv_heads, c.capacity, c.dim}).to(dtype);
  const torch::Tensor values = torch::randn(keys.sizes()).to(dtype);
  const torch::Tensor expected_keys = keys.clone(), expected_values = values.clone();
  const auto of_batch = [&](const torch::Tensor& cache) { return cache.narrow(0, more, c.batch); };
  const auto new_ones = [&](const torch::Tensor& cache) { return of_batch(cache).narrow(2, c.position, c.tokens); };
  const auto parts =
      qkv.view({c.batch, c.tokens, -1, c.dim}).transpose(1, 2).split_with_sizes({c.heads, c.kv_heads, c.kv_heads}, 1);
  const torch::Tensor turned_keys = rotate(parts[1].to(torch::kFloat32), cos, sin);
  new_ones(expected_values).copy_(parts[2]);

  const torch::Tensor queries = kernels.rotate_into_cache(qkv, tables, {of_batch(keys), of_batch(values), c.position});
  EXPECT_TRUE(queries.is_contiguous());
  expect_equal(queries, rotate(parts[0].to(torch::kFloat32), cos, sin), dtype);
  expect_equal(new_ones(keys), turned_keys, dtype);
  new_ones(expected_keys).copy_(new_ones(keys));
  EXPECT_TRUE(torch::equal(keys, expected_keys)) << "a place that belongs to other tokens was written";
  EXPECT_TRUE(torch::equal(values, expected_values)) << dtype;
}

TEST_P(DeviceKernelsTest, RotateIntoTheCacheAndNowhereElse) {
  for (const auto dtype : kDtypes)
    for (const RotationCase& c : {RotationCase{1, 1, 16, 4, 64, 5, 9},
                                  {1, 1, 1, 1, 2, 0, 1},
                                  {2, 3, 6, 2, 96, 0, 3},
                                  {3, 2, 3, 3, 10, 4, 7},
                                  {1, 5, 2, 1, 128, 1, 6},
                                  {4, 1, 4, 2, 66, 3, 5}})
      for (const std::int64_t more : {0, 1}) {
        SCOPED_TRACE(testing::Message() << dtype << ' ' << c.dim << " dimensions, " << more << " more sequences");
        expect_rotation(kernels_, c, more, dtype);
      }
}

TEST_P(DeviceKernelsTest, WriteOneSequenceOfACacheWithOtherStrides) {
  const torch::Tensor memory = torch::zeros({7, 2, 3, 2, 10});  // [capacity, G, B, keys or values, D]
  const auto cache = [&](std::int64_t kind) { return memory.select(3, kind).permute({2, 1, 0, 3}).narrow(0, 1, 1); };
  const torch::Tensor qkv = torch::randn({1, 2, 80}), cos = torch::randn({2, 5}), sin = torch::randn({2, 5});
  kernels_.rotate_into_cache(qkv, rotation_tables(cos, sin), {cache(0), cache(1), 3});
  const torch::Tensor heads = qkv.view({1, 2, 8, 10}).transpose(1, 2);
  expect_equal(cache(0).narrow(2, 3, 2), rotate(heads.narrow(1, 4, 2), cos, sin), torch::kFloat32);
  EXPECT_TRUE(torch::equal(cache(1).narrow(2, 3, 2), heads.narrow(1, 6, 2)));
  EXPECT_EQ(memory.count_nonzero().item<std::int64_t>(), 2 * 2 * 2 * 10);
}

TEST_P(DeviceKernelsTest, SwigluIsSiluOfTheGateTimesUp) {
  for (const auto dtype : kDtypes)
    for (const auto& [rows, columns] : {std::pair{1, 1}, {1, 512}, {3, 301}, {257, 2}}) {
      const torch::Tensor gate_and_up = (5 * torch::randn({rows, 2 * columns})).to(dtype);
      const auto halves = gate_and_up.to(torch::kFloat64).chunk(2, -1);
      expect_equal(kernels_.swiglu(gate_and_up), torch::silu(halves[0]) * halves[1], dtype, /*roundings=*/2);
    }
}

TEST_P(DeviceKernelsTest, SwigluOfALargeNegativeGateIsNothing) {
  for (const auto dtype : kDtypes) {
    const torch::Tensor product = kernels_.swiglu(torch::tensor({{-1000.0, 1000.0, 2.0, 2.0}}).to(dtype));
    EXPECT_TRUE(torch::equal(product, torch::tensor({{0.0, 2000.0}}).to(dtype))) << dtype << product;
  }
}

TEST(MetalLaunch, NormsRowsInGroupsOfAnySize) {
  const torch::Tensor x = torch::randn({2, 130}), weight = torch::randn({130}), zero = torch::zeros_like(x);
  // The largest first: what it leaves in the memory of the group must not count in the others.
  for (const std::uint64_t threads : {1024, 32, 256}) {
    const torch::Tensor sum = torch::empty_like(x), normed = torch::empty_like(x);
    MetalLaunch launch = add_rms_norm_launch(x, zero, weight, 1e-5, sum, normed);
    launch.grid[0] = 2 * threads;
    launch.group[0] = threads;
    launch_as_cpp(launch);
    expect_equal(normed, rms_norm(x, weight, 1e-5), torch::kFloat32);
  }
}

TEST(OperatorKernels, RotateAsRotateToTheBitInFp32) {
  const torch::Tensor qkv = torch::randn({2, 3, 8 * 64}), cos = torch::randn({3, 32}), sin = torch::randn({3, 32});
  const torch::Tensor keys = torch::zeros({2, 2, 3, 64}), values = torch::zeros_like(keys);
  const torch::Tensor queries = operator_kernels().rotate_into_cache(qkv, rotation_tables(cos, sin), {keys, values, 0});
  const torch::Tensor expected = rotate(qkv.view({2, 3, 8, 64}).transpose(1, 2), cos, sin);
  EXPECT_TRUE(torch::equal(queries, expected.narrow(1, 0, 4)));
  EXPECT_TRUE(torch::equal(keys, expected.narrow(1, 4, 2)));
}

using Names = std::vector<std::string>;

/// The operators of one call of each kernel, without those that make views and memory.
struct OperatorsOfKernels {
  explicit OperatorsOfKernels(const DeviceKernels& kernels) {
    const torch::NoGradGuard no_grad;
    const torch::Tensor x = torch::ones({2, 8}), weight = torch::ones({8}), qkv = torch::ones({1, 2, 16});
    const RotationTables tables = rotation_tables(torch::ones({2, 2}), torch::ones({2, 2}));
    const CachePlace place{torch::ones({1, 1, 3, 4}), torch::ones({1, 1, 3, 4}), 1};
    add_rms_norm = outermost_operators([&] { kernels.add_rms_norm(x, x, weight, 1e-5); });
    rotate_into_cache = outermost_operators([&] { kernels.rotate_into_cache(qkv, tables, place); });
    swiglu = outermost_operators([&] { kernels.swiglu(x); });
  }
  Names add_rms_norm, rotate_into_cache, swiglu;
};

TEST(OperatorKernels, LaunchTwoSevenAndTwoOperators) {
  const OperatorsOfKernels operators(operator_kernels());
  EXPECT_EQ(operators.add_rms_norm, Names({"aten::add", "aten::_fused_rms_norm"}));
  EXPECT_EQ(operators.rotate_into_cache,
            Names({"aten::mul", "aten::roll", "aten::mul", "aten::add_", "aten::copy_", "aten::copy_", "aten::copy_"}));
  EXPECT_EQ(operators.swiglu, Names({"aten::silu", "aten::mul_"}));
}

TEST(MetalLaunch, IsOneOperatorToLibTorch) {
  const OperatorsOfKernels operators(metal_kernels_as_cpp());
  EXPECT_EQ(operators.add_rms_norm, Names{"bench::add_rms_norm"});
  EXPECT_EQ(operators.rotate_into_cache, Names{"bench::rotate_into_cache"});
  EXPECT_EQ(operators.swiglu, Names{"bench::swiglu"});
}

TEST(MetalLaunch, RefusesWhatAKernelWouldMisread) {
  const DeviceKernels& kernels = metal_kernels_as_cpp();
  const torch::Tensor x = torch::ones({2, 8}), weight = torch::ones({8});
  EXPECT_THROW(kernels.add_rms_norm(x.t(), x.t(), torch::ones({2}), 1e-5), c10::Error);
  EXPECT_THROW(kernels.add_rms_norm(x, torch::ones({1, 8}), weight, 1e-5), c10::Error);
  EXPECT_THROW(kernels.add_rms_norm(x, x, torch::ones({7}), 1e-5), c10::Error);
  EXPECT_THROW(kernels.add_rms_norm(x, x, weight.to(torch::kBFloat16), 1e-5), c10::Error);
  EXPECT_THROW(kernels.swiglu(torch::ones({2, 7})), c10::Error);
  EXPECT_THROW(kernels.swiglu(torch::ones({2, 8}, torch::kFloat64)), c10::Error);
  const torch::Tensor qkv = torch::ones({1, 2, 16}), half = torch::ones({2, 2});
  const torch::Tensor keys = torch::ones({1, 1, 3, 4}), values = torch::ones({1, 1, 3, 4});
  const RotationTables tables = rotation_tables(half, half);
  EXPECT_NO_THROW(kernels.rotate_into_cache(qkv, tables, {keys, values, 1}));
  EXPECT_THROW(kernels.rotate_into_cache(qkv, tables, {keys, values, 2}), c10::Error) << "no room";
  EXPECT_THROW(kernels.rotate_into_cache(qkv, tables, {keys, values, -1}), c10::Error);
  EXPECT_THROW(kernels.rotate_into_cache(qkv, tables.rows(0, 1), {keys, values, 1}), c10::Error) << "one token's";
  EXPECT_THROW(kernels.rotate_into_cache(qkv, {half, half}, {keys, values, 1}), c10::Error) << "half a table";
  const torch::Tensor other = torch::ones({1, 1, 4, 3}).transpose(2, 3);
  EXPECT_THROW(kernels.rotate_into_cache(qkv, tables, {other, other, 1}), c10::Error) << "numbers apart";
}

TEST(AssumedDeviceKernels, HoldAsLongAsTheyLive) {
  const torch::Tensor x = torch::ones({1});
  {
    const AssumedDeviceKernels outer(metal_kernels_as_cpp());
    {
      const AssumedDeviceKernels inner(operator_kernels());
      EXPECT_EQ(&device_kernels(x), &operator_kernels());
    }
    EXPECT_EQ(&device_kernels(x), &metal_kernels_as_cpp());
    EXPECT_EQ(why_no_device_kernels(x), "");
  }
  EXPECT_EQ(&device_kernels(x), &operator_kernels());
}

TEST(DeviceKernels, OfTheCpuAreOperatorsAndSaySo) {
  EXPECT_EQ(why_no_device_kernels(torch::ones({1})), "no kernels of ours for cpu");
}

TEST(MetalSource, IsTheFileInAscii) {
  std::ifstream file(BENCH_SOURCE_DIR "/model/device/kernels.metal");
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), metal_source());
  // LibTorch takes the source as ASCII and would hand on nothing at all otherwise.
  for (const char c : text.str()) ASSERT_TRUE(c == '\n' || (c >= ' ' && c <= '~'));
}

}  // namespace
}  // namespace bench::model
