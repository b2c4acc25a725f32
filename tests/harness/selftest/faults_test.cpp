// A device with a fault, for every probe: the faults are like those that devices have had. Each is planted by putting
// another function in the place of one of LibTorch's kernels for the CPU. The device takes the portable path, as GPUs
// do. References are computed in fp64, which the faults spare as GPUs do: Apple's have none.
#include "harness/devices/device.h"
#include "harness/selftest/selftest.h"
#include "model/device/kernels.h"
#include "model/path.h"
#include "tests/harness/selftest/released_memory.h"

#include <ATen/ops/_fused_adamw_native.h>
#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu_native.h>
#include <ATen/ops/_softmax_backward_data_cpu_dispatch.h>
#include <ATen/ops/add_cpu_dispatch.h>
#include <ATen/ops/addmm_cpu_dispatch.h>
#include <ATen/ops/argmax_cpu_dispatch.h>
#include <ATen/ops/bernoulli_native.h>
#include <ATen/ops/index_add_cpu_dispatch.h>
#include <ATen/ops/masked_fill_native.h>
#include <ATen/ops/mm_cpu_dispatch.h>
#include <ATen/ops/silu_backward_cpu_dispatch.h>
#include <gtest/gtest.h>
#include <torch/library.h>

namespace bench::harness {
namespace {

using torch::Tensor;
using Pair = std::tuple<Tensor, Tensor>;
using Mask = std::optional<Tensor>;
using Scale = std::optional<double>;

bool spared(const Tensor& x) { return x.scalar_type() == torch::kFloat64; }

Pair attention(const Tensor& q, const Tensor& k, const Tensor& v, double dropout, bool causal, const Mask& mask,
               Scale scale) {
  return at::native::_scaled_dot_product_flash_attention_cpu(q, k, v, dropout, causal, mask, scale);
}

/// Four queries at a time see what the last of them may see.
Pair leaking(const Tensor& q, const Tensor& k, const Tensor& v, double dropout, const Mask& mask, Scale scale) {
  const std::int64_t queries = q.size(2), keys = k.size(2);
  const Tensor last = torch::arange(queries).div(4, "floor").mul(4).add(3).unsqueeze(1);
  const Tensor hidden = torch::arange(keys).unsqueeze(0) > last;
  const Tensor leaky = torch::zeros({queries, keys}, q.scalar_type()).masked_fill(hidden, -INFINITY);
  return attention(q, k, v, dropout, false, mask ? mask : leaky, scale);
}

/// pytorch/pytorch#195910: in 16 bits, without gradients.
Pair leaking_in_16_bits(const Tensor& q, const Tensor& k, const Tensor& v, double dropout, bool causal,
                        const Mask& mask, Scale scale) {
  const bool fault = causal && q.scalar_type() == torch::kBFloat16 && !torch::GradMode::is_enabled();
  return fault ? leaking(q, k, v, dropout, mask, scale) : attention(q, k, v, dropout, causal, mask, scale);
}

Pair leaking_with_gradients(const Tensor& q, const Tensor& k, const Tensor& v, double dropout, bool causal,
                            const Mask& mask, Scale scale) {
  const bool fault = causal && !spared(q) && torch::GradMode::is_enabled() && q.requires_grad();
  return fault ? leaking(q, k, v, dropout, mask, scale) : attention(q, k, v, dropout, causal, mask, scale);
}

/// The kernel for prompts computes something else than the one for training.
Pair differing_without_gradients(const Tensor& q, const Tensor& k, const Tensor& v, double dropout, bool causal,
                                 const Mask& mask, Scale scale) {
  auto result = attention(q, k, v, dropout, causal, mask, scale);
  if (!spared(q) && causal && q.size(2) > 128 && !torch::GradMode::is_enabled()) std::get<0>(result).mul_(1.3);
  return result;
}

/// pytorch/pytorch#174861: from 1024 keys on a kernel of two passes is taken, which loses some of them.
Pair losing_keys(const Tensor& q, const Tensor& k, const Tensor& v, double dropout, bool causal, const Mask& mask,
                 Scale scale) {
  constexpr std::int64_t kLost = 32;
  const std::int64_t kept = k.size(2) - kLost;
  if (spared(q) || kept + kLost < 1024 || q.size(2) > 8) return attention(q, k, v, dropout, causal, mask, scale);
  return attention(q, k.narrow(2, 0, kept), v.narrow(2, 0, kept), dropout, causal,
                   mask ? Mask(mask->narrow(-1, 0, kept)) : mask, scale);
}

/// A token that follows others sees only itself, and half of that.
Pair forgetting_the_cache(const Tensor& q, const Tensor& k, const Tensor& v, double dropout, bool causal,
                          const Mask& mask, Scale scale) {
  auto result = attention(q, k, v, dropout, causal, mask, scale);
  if (!spared(q) && q.size(2) == 1 && k.size(2) < 1000) std::get<0>(result).mul_(0.5);
  return result;
}

/// pytorch/pytorch#193487: sums of 32,767 products or more.
constexpr std::int64_t kLongest = 32766;
Tensor cut_product(const Tensor& a, const Tensor& b) {
  if (spared(a) || a.size(1) <= kLongest) return at::cpu::mm(a, b);
  return at::cpu::mm(a.narrow(1, 0, kLongest - 256), b.narrow(0, 0, kLongest - 256));
}
Tensor& cut_product_in_place(Tensor& sum, const Tensor& a, const Tensor& b, const at::Scalar& beta,
                             const at::Scalar& alpha) {
  if (spared(a) || a.size(1) <= kLongest) return at::cpu::addmm_(sum, a, b, beta, alpha);
  return at::cpu::addmm_(sum, a.narrow(1, 0, kLongest - 256), b.narrow(0, 0, kLongest - 256), beta, alpha);
}

/// The result lands where a contiguous tensor would have it.
Tensor& ignoring_strides(Tensor& self, const Tensor& other, const at::Scalar& alpha) {
  if (spared(self) || self.is_contiguous()) return at::cpu::add_(self, other, alpha);
  const Tensor contiguous = torch::empty(self.sizes(), torch::kInt8);
  Tensor there = self.as_strided(self.sizes(), contiguous.strides());
  at::cpu::add_(there, other, alpha);
  return self;
}

/// pytorch/pytorch#176171: a view is taken for the beginning of its memory.
Tensor& ignoring_the_offset(Tensor& self, const Tensor& mask, const at::Scalar& value) {
  if (spared(self)) return at::native::masked_fill__cpu(self, mask, value);
  Tensor there = self.as_strided(self.sizes(), self.strides(), 0);
  at::native::masked_fill__cpu(there, mask, value);
  return self;
}

/// The largest of the first half.
Tensor half_blind(const Tensor& self, std::optional<std::int64_t> dim, bool keepdim) {
  if (self.scalar_type() != torch::kBFloat16 || !dim) return at::cpu::argmax(self, dim, keepdim);
  return at::cpu::argmax(self.narrow(*dim, 0, self.size(*dim) / 2), dim, keepdim);
}

/// Of several rows that are added to one, the last.
Tensor& losing_repeated_rows(Tensor& self, std::int64_t dim, const Tensor& index, const Tensor& source,
                             const at::Scalar& alpha) {
  if (spared(self)) return at::cpu::index_add_(self, dim, index, source, alpha);
  return self.copy_(self.index_copy(dim, index, self.index_select(dim, index) + source));
}

/// pytorch/pytorch#186360: the step doesn't divide the gradients by their scale.
void ignoring_the_scale(at::TensorList weights, at::TensorList gradients, at::TensorList first, at::TensorList second,
                        at::TensorList most, at::TensorList steps, double learning_rate, double beta1, double beta2,
                        double decay, double eps, bool amsgrad, bool maximize, const std::optional<Tensor>&,
                        const std::optional<Tensor>& found_inf) {
  at::native::_fused_adamw_kernel_cpu_(weights, gradients, first, second, most, steps, learning_rate, beta1, beta2,
                                       decay, eps, amsgrad, maximize, {}, found_inf);
}

/// pytorch/pytorch#130613: a generator is given, and its state is not taken.
Tensor& ignoring_the_generator(Tensor& self, double p, std::optional<at::Generator>) {
  return at::native::bernoulli_(self, p, std::nullopt);
}

Tensor wrong_softmax_gradient(const Tensor& g, const Tensor& y, std::int64_t dim, at::ScalarType dtype) {
  const Tensor right = at::cpu::_softmax_backward_data(g, y, dim, dtype);
  return spared(y) ? right : right * 1.05;
}

Tensor wrong_silu_gradient(const Tensor& g, const Tensor& x) {
  return at::cpu::silu_backward(g, x) * (spared(x) ? 1.0 : 1.05);
}

constexpr const char* kAttention = "_scaled_dot_product_flash_attention_for_cpu";

struct Fault {
  const char* name;
  const char* probe;                                     // that must fail
  std::vector<std::string> others = {};                  // that fail as well, since they use the same operator
  std::function<void(torch::Library&)> plant = nullptr;  // into LibTorch
  void (*change)(Device&) = nullptr;                     // into the device's row
  const model::DeviceKernels* kernels = nullptr;         // in the place of those that the device has
};

/// Shows a fault's name where its test is listed.
void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

/// SwiGLU without its gate.
const model::DeviceKernels kUngated{
    model::operator_kernels().add_rms_norm, model::operator_kernels().rotate_into_cache, [](const Tensor& gate_and_up) {
      return gate_and_up.narrow(-1, gate_and_up.size(-1) / 2, gate_and_up.size(-1) / 2).clone();
    }};

const Fault kFaults[] = {
    {.name = "UngatedKernel", .probe = "device_kernels", .others = {"greedy_tokens"}, .kernels = &kUngated},
    {.name = "PeakThatStays",
     .probe = "memory_statistics",
     .change = [](Device& device) { device.peak_bytes = [] { return MemoryReading{1 << 20, ""}; }; }},
    {.name = "MemoryInUseThatStays",
     .probe = "memory_statistics",
     .change = [](Device& device) { device.current_bytes = [] { return MemoryReading{1 << 20, ""}; }; }},
    {.name = "UnreadableMemory",
     .probe = "memory_statistics",
     .change = [](Device& device) { device.current_bytes = [] { return MemoryReading::unread("no such file"); }; }},
    {.name = "LaterKeysIn16Bits",
     .probe = "causal_leak",
     .others = {"with_and_without_gradients"},
     .plant = [](torch::Library& library) { library.impl(kAttention, leaking_in_16_bits); }},
    {.name = "LaterKeysWithGradients",
     .probe = "causal_leak_with_gradients",
     .others = {"with_and_without_gradients"},
     .plant = [](torch::Library& library) { library.impl(kAttention, leaking_with_gradients); }},
    {.name = "SoftmaxGradient",
     .probe = "tiled_attention",
     .others = {"training_step"},
     .plant = [](torch::Library& library) { library.impl("_softmax_backward_data", wrong_softmax_gradient); }},
    {.name = "OtherKernelWithoutGradients",
     .probe = "with_and_without_gradients",
     .plant = [](torch::Library& library) { library.impl(kAttention, differing_without_gradients); }},
    {.name = "LostKeys",
     .probe = "grouped_queries",
     .plant = [](torch::Library& library) { library.impl(kAttention, losing_keys); }},
    {.name = "CutSums",
     .probe = "long_products",
     .plant =
         [](torch::Library& library) {
           library.impl("mm", cut_product);
           library.impl("addmm_", cut_product_in_place);
         }},
    {.name = "IgnoredStrides",
     .probe = "strided_add",
     .others = {"tiled_attention"},
     .plant = [](torch::Library& library) { library.impl("add_.Tensor", ignoring_strides); }},
    {.name = "IgnoredOffset",
     .probe = "masked_fill_on_view",
     .others = {"tiled_attention"},
     .plant = [](torch::Library& library) { library.impl("masked_fill_.Scalar", ignoring_the_offset); }},
    {.name = "HalfBlind",
     .probe = "argmax",
     .plant = [](torch::Library& library) { library.impl("argmax", half_blind); }},
    {.name = "LostRows",
     .probe = "embedding_gradient",
     .others = {"training_step"},
     .plant = [](torch::Library& library) { library.impl("index_add_", losing_repeated_rows); }},
    {.name = "IgnoredScale",
     .probe = "adamw_step",
     .others = {"training_step"},
     .plant = [](torch::Library& library) { library.impl("_fused_adamw_", ignoring_the_scale); }},
    {.name = "IgnoredGenerator",
     .probe = "recomputed_dropout",
     .plant = [](torch::Library& library) { library.impl("bernoulli_.float", ignoring_the_generator); }},
    {.name = "SiluGradient",
     .probe = "training_step",
     .plant = [](torch::Library& library) { library.impl("silu_backward", wrong_silu_gradient); }},
    {.name = "ForgottenCache",
     .probe = "greedy_tokens",
     .plant = [](torch::Library& library) { library.impl(kAttention, forgetting_the_cache); }},
};

/// LibTorch warns of each kernel that takes the place of another.
struct NoWarnings : c10::WarningHandler {
  void process(const c10::Warning&) override {}
};

/// The names of the probes that fail on a processor with that fault.
std::vector<std::string> failing_with(const Fault& fault) {
  Device device = *device_named("portable");
  if (fault.change) fault.change(device);
  NoWarnings handler;
  const c10::WarningUtils::WarningHandlerGuard silent(&handler);
  torch::Library library(torch::Library::IMPL, "aten", c10::DispatchKey::CPU, __FILE__, __LINE__);
  if (fault.plant) fault.plant(library);
  std::optional<model::AssumedDeviceKernels> kernels;
  if (fault.kernels) kernels.emplace(*fault.kernels);
  tests::release_freed_memory();
  const SelfTest test = run_selftest(device);
  std::vector<std::string> names;
  for (const ProbeResult* result : test.failed()) names.push_back(result->probe);
  return names;
}

class PlantedFault : public testing::TestWithParam<Fault> {
 protected:
  const model::AssumedPath portable_{model::Path::kPortable};
};
INSTANTIATE_TEST_SUITE_P(Faults, PlantedFault, testing::ValuesIn(kFaults),
                         [](const auto& one) { return std::string(one.param.name); });

TEST_P(PlantedFault, FailsItsProbeAndThoseThatShareTheOperator) {
  std::vector<std::string> expected = GetParam().others;
  expected.push_back(GetParam().probe);
  std::vector<std::string> found = failing_with(GetParam());
  std::ranges::sort(expected);
  std::ranges::sort(found);
  EXPECT_EQ(found, expected);
}

TEST(PlantedFaults, ThereIsOneForEachProbe) {
  for (const Probe& probe : probes())
    EXPECT_TRUE(std::ranges::any_of(kFaults, [&](const Fault& f) { return std::string(f.probe) == probe.name; }))
        << probe.name;
}

TEST(PlantedFaults, AreGoneWithTheirTest) {
  const model::AssumedPath portable(model::Path::kPortable);
  ASSERT_FALSE(failing_with(kFaults[4]).empty());
  tests::release_freed_memory();
  const SelfTest test = run_selftest(*device_named("portable"));
  EXPECT_TRUE(test.passed()) << test.reason();
}

}  // namespace
}  // namespace bench::harness
