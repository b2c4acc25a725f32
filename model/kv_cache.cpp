#include "model/kv_cache.h"

#include <algorithm>

namespace bench::model {

KvCache::KvCache(const ModelConfig& config, std::int64_t batch, std::int64_t capacity, torch::Dtype dtype,
                 const torch::Device& device)
    : lengths_(torch::zeros({batch}, torch::kInt64)) {
  const auto options = torch::TensorOptions().dtype(dtype).device(device);
  for (std::int64_t layer = 0; layer < config.num_layers; ++layer) {
    keys_.push_back(torch::zeros({batch, config.num_kv_heads, capacity, config.head_dim()}, options));
    values_.push_back(torch::zeros_like(keys_.back()));
  }
}

KvCache KvCache::row(std::int64_t row) const {
  KvCache one;
  for (const auto& keys : keys_) one.keys_.push_back(keys.narrow(0, row, 1));
  for (const auto& values : values_) one.values_.push_back(values.narrow(0, row, 1));
  one.lengths_ = lengths_.narrow(0, row, 1);
  return one;
}

void KvCache::advance(std::int64_t tokens) {
  auto* lengths = lengths_.mutable_data_ptr<std::int64_t>();
  for (std::int64_t row = 0; row < batch(); ++row) lengths[row] += tokens;
}

void KvCache::keep(const std::vector<std::int64_t>& rows) {
  const torch::Tensor indices = torch::tensor(rows, torch::kInt64), there = indices.to(keys_.front().device());
  for (auto& keys : keys_) keys = keys.index_select(0, there);
  for (auto& values : values_) values = values.index_select(0, there);
  lengths_ = lengths_.index_select(0, indices);
}

std::int64_t KvCache::length() const {
  const auto* lengths = lengths_.const_data_ptr<std::int64_t>();
  return *std::max_element(lengths, lengths + batch());
}

bool KvCache::same_lengths() const {
  const auto* lengths = lengths_.const_data_ptr<std::int64_t>();
  return std::all_of(lengths, lengths + batch(), [&](std::int64_t length) { return length == lengths[0]; });
}

std::pair<torch::Tensor, torch::Tensor> KvCache::with_room(std::int64_t layer, std::int64_t tokens) const {
  TORCH_CHECK(same_lengths(), "KV cache: sequences of different lengths are filled one by one, see row()");
  const std::int64_t past = length(0);
  TORCH_CHECK(past + tokens <= capacity(), "KV cache: ", past, " + ", tokens, " tokens exceed ", capacity());
  return {keys(layer).narrow(2, 0, past + tokens), values(layer).narrow(2, 0, past + tokens)};
}

std::pair<torch::Tensor, torch::Tensor> KvCache::append(std::int64_t layer, const torch::Tensor& k,
                                                        const torch::Tensor& v) {
  const std::int64_t tokens = k.size(2);
  auto [keys, values] = with_room(layer, tokens);
  keys.narrow(2, length(0), tokens).copy_(k);
  values.narrow(2, length(0), tokens).copy_(v);
  return {keys, values};
}

std::int64_t KvCache::bytes() const {
  return 2 * static_cast<std::int64_t>(keys_.size()) * static_cast<std::int64_t>(keys_.front().nbytes());
}

}  // namespace bench::model
