#pragma once

#include "model/config.h"
#include "model/tensor.h"

#include <vector>

namespace bench::model {

/// Keys and values of the tokens seen so far, in memory allocated once for the longest sequence: [B, G, capacity, D]
/// per layer. The sequences of a batch may have different lengths. Cost: 2 * layers * B * G * capacity * D elements.
class KvCache {
 public:
  KvCache(const ModelConfig& config, std::int64_t batch, std::int64_t capacity, torch::Dtype dtype,
          const torch::Device& device);

  /// Returns views of the keys and values [B, G, S, D] of all S = length() + tokens tokens. The last `tokens` of them
  /// are for the caller to write. Needs sequences of equal length.
  std::pair<torch::Tensor, torch::Tensor> with_room(std::int64_t layer, std::int64_t tokens) const;
  /// Writes k and v [B, G, T, D] behind the tokens present, and returns the keys and values of all S = length() + T
  /// tokens [B, G, S, D] as views. The length moves on only with advance(), after every layer has written. Needs
  /// sequences of equal length.
  std::pair<torch::Tensor, torch::Tensor> append(std::int64_t layer, const torch::Tensor& k, const torch::Tensor& v);
  /// Adds `tokens` to the length of every sequence.
  void advance(std::int64_t tokens);
  /// Keeps only these sequences, which get new places in this order, and forgets all others. Needs memory for one more
  /// layer while it works.
  void keep(const std::vector<std::int64_t>& rows);
  /// Forgets the tokens, keeps the memory.
  void clear() { lengths_.zero_(); }
  /// Sequence `row` alone: a cache of batch 1 in the same memory, with the length of that sequence.
  KvCache row(std::int64_t row) const;

  std::int64_t batch() const { return lengths_.size(0); }
  /// The number of tokens of the longest sequence, and of sequence `row`.
  std::int64_t length() const;
  std::int64_t length(std::int64_t row) const { return lengths_.const_data_ptr<std::int64_t>()[row]; }
  bool same_lengths() const;
  std::int64_t capacity() const { return keys_.front().size(2); }
  std::int64_t bytes() const;
  const torch::Tensor& keys(std::int64_t layer) const { return keys_[static_cast<std::size_t>(layer)]; }
  const torch::Tensor& values(std::int64_t layer) const { return values_[static_cast<std::size_t>(layer)]; }

 private:
  KvCache() = default;

  std::vector<torch::Tensor> keys_, values_;
  torch::Tensor lengths_;  // [B] int64 on the CPU
};

}  // namespace bench::model
