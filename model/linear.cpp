#include "model/linear.h"

namespace bench::model {

Weight LinearImpl::weight_in(torch::Dtype compute) {
  if (weight_.scalar_type() == compute) return {weight_, weight_};
  const torch::NoGradGuard no_grad;
  if (!cast_.defined() || cast_.scalar_type() != compute || cast_.device() != weight_.device()) {
    cast_ = weight_.to(compute);
  } else if (cast_version_ != weight_._version()) {
    cast_.copy_(weight_);
  }
  cast_version_ = weight_._version();
  return {weight_, cast_};
}

void LinearImpl::quantize(Quantization quantization) {
  quantized_ = model::quantize(weight_, quantization);
  weight_.set_data(torch::empty({0}, weight_.options()));
  cast_.reset();
}

}  // namespace bench::model
