#include "model/fused/rms_norm.h"

#include "model/fused/rows.h"
#include "model/kernels/rms_norm.h"

#include <torch/autograd.h>

namespace bench::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct FusedRmsNorm : torch::autograd::Function<FusedRmsNorm> {
  static torch::Tensor forward(AutogradContext* ctx, const torch::Tensor& input, const torch::Tensor& weight,
                               double eps) {
    const torch::Tensor x = input.contiguous(), w = weight.to(torch::kFloat32).contiguous();
    const std::int64_t columns = x.size(-1), rows = x.numel() / columns;
    const torch::Tensor y = torch::empty_like(x), scales = torch::empty({rows}, torch::kFloat32);
    in_parallel(rows, columns, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t r = first; r < last; ++r)
        scales.mutable_data_ptr<float>()[r] =
            rms_norm_row(element_of(x), row_of(x, r, columns), w.const_data_ptr<float>(), row_of(y, r, columns),
                         columns, static_cast<float>(eps));
    });
    ctx->save_for_backward({x, weight, scales});
    return y;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const torch::Tensor &x = saved[0], &weight = saved[1], &scales = saved[2];
    const torch::Tensor g = gradients[0].contiguous(), w = weight.to(torch::kFloat32).contiguous();
    const std::int64_t columns = x.size(-1), rows = x.numel() / columns;
    const torch::Tensor gx = torch::empty_like(x);
    // Each thread adds up its own rows, and the sums are added in the threads' order: the same bits each time.
    const torch::Tensor sums = torch::zeros({at::get_num_threads(), columns}, torch::kFloat32);
    in_parallel(rows, columns, [&](std::int64_t first, std::int64_t last) {
      float* sum = sums.mutable_data_ptr<float>() + at::get_thread_num() * columns;
      for (std::int64_t r = first; r < last; ++r)
        rms_norm_backward_row(element_of(x), row_of(g, r, columns), row_of(x, r, columns), w.const_data_ptr<float>(),
                              scales.const_data_ptr<float>()[r], row_of(gx, r, columns), sum, columns);
    });
    return {gx, sums.sum(0).to(weight.scalar_type()), {}};
  }
};

}  // namespace

torch::Tensor fused_rms_norm(const torch::Tensor& x, const torch::Tensor& weight, double eps) {
  return FusedRmsNorm::apply(x, weight, eps);
}

}  // namespace bench::model
