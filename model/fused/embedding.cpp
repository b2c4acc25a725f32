#include "model/fused/embedding.h"

#include <torch/autograd.h>

namespace bench::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct FusedEmbedding : torch::autograd::Function<FusedEmbedding> {
  static torch::Tensor forward(AutogradContext* ctx, const torch::Tensor& table, const torch::Tensor& ids,
                               std::int64_t compute) {
    ctx->save_for_backward({table, ids});
    return at::embedding(table, ids).to(static_cast<torch::Dtype>(compute));
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const torch::Tensor &table = saved[0], &ids = saved[1];
    const torch::NoGradGuard no_grad;
    torch::Tensor sum = table.grad();
    const bool in_place = sum.defined();
    if (!in_place) sum = torch::zeros_like(table);
    sum.index_add_(0, ids.reshape({-1}), gradients[0].reshape({-1, table.size(1)}).to(sum.scalar_type()));
    return {in_place ? torch::Tensor() : sum, {}, {}};
  }
};

}  // namespace

torch::Tensor fused_embedding(const torch::Tensor& table, const torch::Tensor& ids, torch::Dtype compute) {
  return FusedEmbedding::apply(table, ids, static_cast<std::int64_t>(compute));
}

}  // namespace bench::model
