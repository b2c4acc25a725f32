#include "model/kv_cache.h"

namespace bench::model {

KvCache::KvCache(const ModelConfig& config, std::int64_t batch, std::int64_t capacity, torch::Dtype dtype,
                 const torch::Device& device) {
  const auto options = torch::TensorOptions().dtype(dtype).device(device);
  for (std::int64_t layer = 0; layer < config.num_layers; ++layer) {
    keys_.push_back(torch::zeros({batch, config.num_kv_heads, capacity, config.head_dim()}, options));
    values_.push_back(torch::zeros_like(keys_.back()));
  }
}

std::pair<torch::Tensor, torch::Tensor> KvCache::append(std::int64_t layer, const torch::Tensor& k,
                                                        const torch::Tensor& v) {
  const std::int64_t tokens = k.size(2);
  TORCH_CHECK(length_ + tokens <= capacity(), "KV cache: ", length_, " + ", tokens, " tokens exceed ", capacity());
  const auto i = static_cast<std::size_t>(layer);
  keys_[i].narrow(2, length_, tokens).copy_(k);
  values_[i].narrow(2, length_, tokens).copy_(v);
  return {keys_[i].narrow(2, 0, length_ + tokens), values_[i].narrow(2, 0, length_ + tokens)};
}

std::int64_t KvCache::bytes() const {
  return 2 * static_cast<std::int64_t>(keys_.size()) * static_cast<std::int64_t>(keys_.front().nbytes());
}

}  // namespace bench::model
