#include "model/device/rms_norm.h"

#include "model/fused/rows.h"

#include <torch/autograd.h>

namespace bench::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr auto kWide = torch::kFloat32;

struct DeviceRmsNorm : torch::autograd::Function<DeviceRmsNorm> {
  static torch::Tensor forward(AutogradContext* ctx, const torch::Tensor& x, const torch::Tensor& weight, double eps) {
    ctx->save_for_backward({x, weight});
    ctx->saved_data["eps"] = eps;
    return one_launch_rms_norm(x.to(kWide), weight.to(kWide), eps).to(x.scalar_type());
  }

  /// With r = 1 / sqrt(mean(x^2) + eps), u = x r and h = g weight: the gradient by x is r (h - u mean(h u)), and the
  /// gradient by the weight the sum of g u over all rows.
  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const torch::Tensor &x = saved[0], &weight = saved[1];
    const torch::Tensor wide = as_matrix(x).to(kWide), g = as_matrix(gradients[0]).to(kWide);
    const torch::Tensor r =
        wide.square().mean(-1, /*keepdim=*/true).add_(ctx->saved_data["eps"].toDouble()).rsqrt_();  // [N, 1]
    const torch::Tensor u = wide * r, h = g * weight;
    const torch::Tensor by_weight = (g * u).sum(0).to(weight.scalar_type());
    const torch::Tensor mean = (h * u).mean(-1, /*keepdim=*/true);
    return {(h - u * mean).mul_(r).to(x.scalar_type()).view(x.sizes()), by_weight, {}};
  }
};

}  // namespace

torch::Tensor one_launch_rms_norm(const torch::Tensor& x, const torch::Tensor& weight, double eps) {
  return std::get<0>(at::_fused_rms_norm(x, weight.sizes(), weight, eps));
}

torch::Tensor device_rms_norm(const torch::Tensor& x, const torch::Tensor& weight, double eps) {
  return DeviceRmsNorm::apply(x, weight, eps);
}

}  // namespace bench::model
