#pragma once

#include "model/config.h"
#include "model/tensor.h"

#include <vector>

namespace bench::model {

/// Keys and values of the tokens seen so far, in memory allocated once for the longest sequence: [B, G, capacity, D]
/// per layer. All sequences of a batch have the same length. Cost: 2 * layers * B * G * capacity * D elements.
class KvCache {
 public:
  KvCache(const ModelConfig& config, std::int64_t batch, std::int64_t capacity, torch::Dtype dtype,
          const torch::Device& device);

  /// Writes k and v [B, G, T, D] behind the tokens present, and returns the keys and values of all S = length() + T
  /// tokens [B, G, S, D] as views. The length moves on only with advance(), after every layer has written.
  std::pair<torch::Tensor, torch::Tensor> append(std::int64_t layer, const torch::Tensor& k, const torch::Tensor& v);
  void advance(std::int64_t tokens) { length_ += tokens; }
  /// Forgets the tokens, keeps the memory.
  void clear() { length_ = 0; }

  std::int64_t batch() const { return keys_.front().size(0); }
  std::int64_t length() const { return length_; }
  std::int64_t capacity() const { return keys_.front().size(2); }
  std::int64_t bytes() const;

 private:
  std::vector<torch::Tensor> keys_, values_;
  std::int64_t length_ = 0;
};

}  // namespace bench::model
