#include "model/fused/linear.h"

#include "model/fused/products.h"
#include "model/fused/rows.h"
#include "model/fused/weight_gradient.h"

#include <torch/autograd.h>

namespace bench::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct FusedLinear : torch::autograd::Function<FusedLinear> {
  static torch::Tensor forward(AutogradContext* ctx, const torch::Tensor& x, const torch::Tensor& weight,
                               const torch::Tensor& in_compute) {
    ctx->save_for_backward({x, weight, in_compute});
    return linear_product(x, in_compute);
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const torch::Tensor& g = gradients[0];
    const torch::Tensor gx =
        ctx->needs_input_grad(0) ? at::mm(as_matrix(g), saved[2]).view_as(saved[0]) : torch::Tensor();
    return {gx, add_weight_gradient(saved[1], as_matrix(g), as_matrix(saved[0])), {}};
  }
};

}  // namespace

torch::Tensor fused_linear(const torch::Tensor& x, const Weight& weight) {
  return FusedLinear::apply(x, weight.master, weight.in_compute);
}

}  // namespace bench::model
