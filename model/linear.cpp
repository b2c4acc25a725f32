#include "model/linear.h"

namespace bench::model {
namespace {

/// True if the parts lie in `all` one behind the other.
bool are_parts_of(const torch::Tensor& all, const std::vector<torch::Tensor*>& parts) {
  if (!all.defined()) return false;
  std::int64_t bytes = 0;
  for (const torch::Tensor* part : parts) {
    if (part->const_data_ptr() != static_cast<const char*>(all.const_data_ptr()) + bytes || !part->is_alias_of(all))
      return false;
    bytes += static_cast<std::int64_t>(part->nbytes());
  }
  return true;
}

/// Puts the rows of all parts into one tensor, of which the parts are views afterwards.
torch::Tensor joined(const std::vector<torch::Tensor*>& parts) {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> values;
  for (const torch::Tensor* part : parts) values.push_back(part->detach());
  const torch::Tensor all = torch::cat(values);
  std::int64_t first = 0;
  for (torch::Tensor* part : parts) {
    part->set_data(all.narrow(0, first, part->size(0)));
    first += part->size(0);
  }
  return all;
}

}  // namespace

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

void LinearImpl::join(DeviceMatrix& all, std::initializer_list<LinearImpl*> linears) {
  std::vector<torch::Tensor*> values, scales;
  for (LinearImpl* linear : linears) {
    values.push_back(linear->quantized() ? &linear->quantized_.values : &linear->weight_);
    if (linear->quantized()) scales.push_back(&linear->quantized_.scales);
  }
  if (are_parts_of(all.values, values)) return;
  all = {joined(values), scales.empty() ? torch::Tensor() : joined(scales)};
}

void LinearImpl::quantize(Quantization quantization) {
  quantized_ = model::quantize(weight_, quantization);
  weight_.set_data(torch::empty({0}, weight_.options()));
  cast_.reset();
}

}  // namespace bench::model
