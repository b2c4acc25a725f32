#include "model/device/kernels_agree.h"

#include "tests/model/device/metal_as_cpp.h"

#include <gtest/gtest.h>

namespace bench::model {
namespace {

const DeviceKernels& right() { return operator_kernels(); }

/// One kernel that is wrong, and how the difference begins.
struct Fault {
  const char* name;
  const char* kernel;
  DeviceKernels kernels;
};

DeviceKernels with_norm(decltype(DeviceKernels::add_rms_norm) norm) {
  return {norm, right().rotate_into_cache, right().swiglu};
}
DeviceKernels with_rotation(decltype(DeviceKernels::rotate_into_cache) rotation) {
  return {right().add_rms_norm, rotation, right().swiglu};
}
DeviceKernels with_swiglu(decltype(DeviceKernels::swiglu) swiglu) {
  return {right().add_rms_norm, right().rotate_into_cache, swiglu};
}

using torch::Tensor;

std::vector<Fault> norm_faults() {
  const auto fault = [](const char* name, decltype(DeviceKernels::add_rms_norm) norm) {
    return Fault{name, "add_rms_norm", with_norm(norm)};
  };
  return {
      fault("no eps", [](const Tensor& x, const Tensor& branch, const Tensor& weight,
                         double) { return right().add_rms_norm(x, branch, weight, 0); }),
      fault("no weight", [](const Tensor& x, const Tensor& branch, const Tensor& weight,
                            double eps) { return right().add_rms_norm(x, branch, torch::ones_like(weight), eps); }),
      fault("x for the sum",
            [](const Tensor& x, const Tensor& branch, const Tensor& weight, double eps) {
              return std::pair(x, right().add_rms_norm(x, branch, weight, eps).second);
            }),
      fault("norm of x",
            [](const Tensor& x, const Tensor& branch, const Tensor& weight, double eps) {
              return std::pair(x + branch, right().add_rms_norm(x, torch::zeros_like(x), weight, eps).second);
            }),
      fault("a column more in the mean",
            [](const Tensor& x, const Tensor& branch, const Tensor& weight, double eps) {
              auto [sum, normed] = right().add_rms_norm(x, branch, weight, eps);
              const double columns = static_cast<double>(x.size(1));
              return std::pair(sum, Tensor(normed * std::sqrt((columns + 1) / columns)));
            }),
      fault("no number in one place",
            [](const Tensor& x, const Tensor& branch, const Tensor& weight, double eps) {
              auto [sum, normed] = right().add_rms_norm(x, branch, weight, eps);
              normed[0][0] = NAN;
              return std::pair(sum, normed);
            }),
      fault("another shape",
            [](const Tensor& x, const Tensor& branch, const Tensor& weight, double eps) {
              const auto [sum, normed] = right().add_rms_norm(x, branch, weight, eps);
              return std::pair(sum, normed.unsqueeze(0));
            }),
      fault("another dtype",
            [](const Tensor& x, const Tensor& branch, const Tensor& weight, double eps) {
              const auto [sum, normed] = right().add_rms_norm(x, branch, weight, eps);
              return std::pair(sum, normed.to(torch::kFloat64));
            }),
  };
}

std::vector<Fault> rotation_faults() {
  const auto fault = [](const char* name, decltype(DeviceKernels::rotate_into_cache) rotation) {
    return Fault{name, "rotate_into_cache", with_rotation(rotation)};
  };
  return {
      fault("turned back",
            [](const Tensor& qkv, const RotationTables& tables, const CachePlace& place) {
              return right().rotate_into_cache(qkv, {tables.cos, -tables.sin}, place);
            }),
      fault("not turned",
            [](const Tensor& qkv, const RotationTables& tables, const CachePlace& place) {
              return right().rotate_into_cache(qkv, {torch::ones_like(tables.cos), torch::zeros_like(tables.sin)},
                                               place);
            }),
      fault("a place too far",
            [](const Tensor& qkv, const RotationTables& tables, const CachePlace& place) {
              return right().rotate_into_cache(qkv, tables, {place.keys, place.values, place.position + 1});
            }),
      fault("the next place written, too",
            [](const Tensor& qkv, const RotationTables& tables, const CachePlace& place) {
              place.values.select(2, place.position + qkv.size(1)).zero_();
              return right().rotate_into_cache(qkv, tables, place);
            }),
      fault("keys for values",
            [](const Tensor& qkv, const RotationTables& tables, const CachePlace& place) {
              return right().rotate_into_cache(qkv, tables, {place.values, place.keys, place.position});
            }),
      fault("every token at the first one's angle",
            [](const Tensor& qkv, const RotationTables& tables, const CachePlace& place) {
              const RotationTables first = tables.rows(0, 1);
              return right().rotate_into_cache(qkv, {first.cos.expand_as(tables.cos), first.sin.expand_as(tables.sin)},
                                               place);
            }),
      fault("all sequences as the first",
            [](const Tensor& qkv, const RotationTables& tables, const CachePlace& place) {
              return right().rotate_into_cache(qkv.narrow(0, 0, 1).repeat({qkv.size(0), 1, 1}), tables, place);
            }),
      fault("queries token by token",
            [](const Tensor& qkv, const RotationTables& tables, const CachePlace& place) {
              const Tensor queries = right().rotate_into_cache(qkv, tables, place);
              return queries.transpose(1, 2).contiguous().view(queries.sizes());
            }),
  };
}

std::vector<Fault> swiglu_faults() {
  const auto fault = [](const char* name, decltype(DeviceKernels::swiglu) swiglu) {
    return Fault{name, "swiglu", with_swiglu(swiglu)};
  };
  return {
      fault("up for the gate",
            [](const Tensor& x) {
              const auto halves = x.chunk(2, -1);
              return Tensor(torch::silu(halves[1]) * halves[0]);
            }),
      fault("no silu",
            [](const Tensor& x) {
              const auto halves = x.chunk(2, -1);
              return Tensor(halves[0] * halves[1]);
            }),
      fault("the last column missing",
            [](const Tensor& x) {
              const Tensor product = right().swiglu(x);
              product.select(1, -1).zero_();
              return product;
            }),
      fault("wrong in bf16",
            [](const Tensor& x) {
              const Tensor product = right().swiglu(x);
              return x.scalar_type() == torch::kBFloat16 ? product * 1.02 : product;
            }),
  };
}

TEST(KernelsDiffer, FindsNothingInMetalAsCpp) {
  EXPECT_EQ(kernels_differ(metal_kernels_as_cpp(), operator_kernels(), torch::kCPU), "");
}

TEST(KernelsDiffer, FindsEveryPlantedFaultAndNamesTheKernel) {
  std::vector<Fault> faults = norm_faults();
  for (const auto& more : {rotation_faults(), swiglu_faults()}) faults.insert(faults.end(), more.begin(), more.end());
  for (const Fault& fault : faults) {
    const std::string text = kernels_differ(fault.kernels, operator_kernels(), torch::kCPU);
    EXPECT_TRUE(text.starts_with(std::string(fault.kernel) + " in ")) << fault.name << ": " << text;
  }
}

TEST(KernelsDiffer, SaysHowAndByHowMuch) {
  const DeviceKernels doubled = with_swiglu([](const Tensor& x) { return right().swiglu(x).mul_(2); });
  const std::string text = kernels_differ(doubled, operator_kernels(), torch::kCPU);
  EXPECT_TRUE(text.starts_with("swiglu in Float [1, 2048]: product: ")) << text;
  EXPECT_NE(text.find(" is expected, "), std::string::npos) << text;
}

TEST(KernelsDiffer, LeavesTheGeneratorAlone) {
  torch::manual_seed(3);
  const Tensor expected = torch::randn({4});
  torch::manual_seed(3);
  kernels_differ(operator_kernels(), operator_kernels(), torch::kCPU);
  EXPECT_TRUE(torch::equal(torch::randn({4}), expected));
}

}  // namespace
}  // namespace bench::model
