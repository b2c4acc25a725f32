#pragma once

#include "model/tensor.h"

#include <tuple>
#include <vector>

#include <torch/library.h>

namespace bench::tests {

/// LibTorch's device `meta` has shapes and no numbers, so a model of any size runs there in no time. While an object of
/// this class lives, it also has what LibTorch itself knows there only in Python.
class MetaKernels {
 public:
  MetaKernels()
      : kernels_(torch::Library::IMPL, "aten", c10::DispatchKey::Meta, __FILE__, __LINE__),
        differentiable_(torch::Library::IMPL, "aten", c10::DispatchKey::AutogradMeta, __FILE__, __LINE__) {
    kernels_.impl("copy_", copy);
    kernels_.impl("_local_scalar_dense", [](const at::Tensor&) { return at::Scalar(1.0); });
    kernels_.impl("index_select", index_select);
    kernels_.impl("roll", [](const at::Tensor& x, at::IntArrayRef, at::IntArrayRef) { return at::empty_like(x); });
    kernels_.impl("_fused_adamw_", torch::CppFunction::makeFromBoxedFunction<drop>());
    // Attention is one operator and its gradient, as on a device, and not all that they are made of.
    differentiable_.impl("scaled_dot_product_attention", choose_flash);
    kernels_.impl("_scaled_dot_product_flash_attention_for_cpu", flash);
    kernels_.impl("_scaled_dot_product_flash_attention_for_cpu_backward",
                  torch::CppFunction::makeFromBoxedFunction<flash_backward>());
    // So that set_data moves a model's buffers there.
    kernels_.impl("_has_compatible_shallow_copy_type", [](const at::Tensor&, const at::Tensor&) { return true; });
  }

 private:
  using Stack = torch::jit::Stack;

  /// To the host come zeros.
  static at::Tensor& copy(at::Tensor& to, const at::Tensor&, bool) { return to.is_meta() ? to : to.zero_(); }
  static at::Tensor index_select(const at::Tensor& x, std::int64_t dimension, const at::Tensor& index) {
    std::vector<std::int64_t> shape = x.sizes().vec();
    shape[static_cast<std::size_t>(at::maybe_wrap_dim(dimension, x.dim()))] = index.numel();
    return at::empty(shape, x.options());
  }
  static void drop(const c10::OperatorHandle& op, Stack* stack) {
    torch::jit::drop(*stack, op.schema().arguments().size());
  }
  static at::Tensor choose_flash(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                 const std::optional<at::Tensor>& mask, double dropout, bool is_causal,
                                 std::optional<double> scale, bool) {
    return std::get<0>(at::_scaled_dot_product_flash_attention_for_cpu(q, k, v, dropout, is_causal, mask, scale));
  }
  static std::tuple<at::Tensor, at::Tensor> flash(const at::Tensor& q, const at::Tensor&, const at::Tensor&, double,
                                                  bool, const std::optional<at::Tensor>&, std::optional<double>) {
    return {at::empty_like(q), at::empty({q.size(0), q.size(1), q.size(2)}, q.options().dtype(at::kFloat))};
  }
  static void flash_backward(const c10::OperatorHandle& op, Stack* stack) {
    const std::size_t arguments = op.schema().arguments().size();
    std::vector<at::Tensor> gradients;  // of q, k and v, which come behind that of the result
    for (std::size_t i = 1; i <= 3; ++i)
      gradients.push_back(at::empty_like(torch::jit::peek(*stack, i, arguments).toTensor()));
    drop(op, stack);
    for (at::Tensor& gradient : gradients) torch::jit::push(*stack, std::move(gradient));
  }

  torch::Library kernels_, differentiable_;
};

}  // namespace bench::tests
