#include "model/fused/feed_forward.h"

#include "model/fused/products.h"
#include "model/fused/rows.h"
#include "model/fused/weight_gradient.h"
#include "model/kernels/swiglu.h"

#include <torch/autograd.h>

namespace bench::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

torch::Tensor swiglu_of(const torch::Tensor& gate, const torch::Tensor& up) {
  const torch::Tensor y = torch::empty_like(gate);
  in_parallel(gate.numel(), 1, [&](std::int64_t first, std::int64_t last) {
    swiglu(element_of(y), row_of(gate, first, 1), row_of(up, first, 1), row_of(y, first, 1), last - first);
  });
  return y;
}

struct FusedFeedForward : torch::autograd::Function<FusedFeedForward> {
  static torch::Tensor forward(AutogradContext* ctx, const torch::Tensor& x, const torch::Tensor& gate_weight,
                               const torch::Tensor& up_weight, const torch::Tensor& down_weight,
                               const torch::Tensor& gate_in_compute, const torch::Tensor& up_in_compute,
                               const torch::Tensor& down_in_compute) {
    const torch::Tensor gate = linear_product(x, gate_in_compute), up = linear_product(x, up_in_compute);
    ctx->save_for_backward(
        {x, gate, up, gate_weight, up_weight, down_weight, gate_in_compute, up_in_compute, down_in_compute});
    return linear_product(swiglu_of(gate, up), down_in_compute);
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const torch::Tensor x = as_matrix(saved[0]), gate = as_matrix(saved[1]), up = as_matrix(saved[2]);
    const torch::Tensor g = as_matrix(gradients[0]);
    torch::Tensor inner = swiglu_of(gate, up);  // [N, F]
    const torch::Tensor down_gradient = add_weight_gradient(saved[5], g, inner);
    const torch::Tensor gate_gradient = at::mm(g, saved[8]);  // that of `inner`, until swiglu_backward
    const torch::Tensor& up_gradient = inner;                 // whose values are no longer needed
    in_parallel(gate.numel(), 1, [&](std::int64_t first, std::int64_t last) {
      swiglu_backward(element_of(gate), row_of(gate_gradient, first, 1), row_of(gate, first, 1), row_of(up, first, 1),
                      row_of(gate_gradient, first, 1), row_of(up_gradient, first, 1), last - first);
    });
    torch::Tensor gx;
    if (ctx->needs_input_grad(0))
      gx = at::mm(gate_gradient, saved[6]).addmm_(up_gradient, saved[7]).view(saved[0].sizes());
    return {gx,
            add_weight_gradient(saved[3], gate_gradient, x),
            add_weight_gradient(saved[4], up_gradient, x),
            down_gradient,
            {},
            {},
            {}};
  }
};

}  // namespace

torch::Tensor fused_feed_forward(const torch::Tensor& x, const Weight& gate, const Weight& up, const Weight& down) {
  return FusedFeedForward::apply(x, gate.master, up.master, down.master, gate.in_compute, up.in_compute,
                                 down.in_compute);
}

}  // namespace bench::model
