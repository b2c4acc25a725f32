#include "model/fused/decode_step.h"

#include "model/fused/rows.h"
#include "model/kernels/cached_attention.h"
#include "model/kernels/convert.h"
#include "model/kernels/rms_norm.h"
#include "model/kernels/rotary.h"
#include "model/kernels/swiglu.h"

namespace bench::model {
namespace {

using Floats = std::vector<float>;

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

class Step {
 public:
  Step(const DecodeWeights& weights, KvCache& cache)
      : w_(weights),
        cache_(cache),
        batch_(cache.batch()),
        hidden_(weights.embedding.size(1)),
        x_(size(batch_ * hidden_)),
        normed_(x_.size()),
        sum_(x_.size()),
        norm_weight_(size(hidden_)),
        qkv_(size(batch_ * (weights.heads + 2 * weights.kv_heads) * weights.head_dim)),
        y_(size(batch_ * weights.heads * weights.head_dim)),
        gate_(size(batch_ * weights.inner)),
        up_(gate_.size()) {}

  torch::Tensor run(const std::int64_t* ids) {
    for (std::int64_t b = 0; b < batch_; ++b)
      widen(element_of(w_.embedding), row_of(w_.embedding, ids[b], hidden_), x_.data() + b * hidden_, hidden_);
    for (std::size_t i = 0; i < w_.layers.size(); ++i) {
      attention(w_.layers[i], static_cast<std::int64_t>(i));
      feed_forward(w_.layers[i]);
    }
    norm(w_.norm);
    const torch::Tensor logits = torch::empty({batch_, w_.vocab}, torch::kFloat32);
    gemv_all({{w_.head, w_.vocab, logits.mutable_data_ptr<float>(), w_.vocab}}, prepared(normed_, hidden_, w_.head));
    return logits;
  }

 private:
  PreparedTokens prepared(const Floats& x, std::int64_t columns, const WeightRows& weight) const {
    return PreparedTokens(x.data(), batch_, columns, weight.format);
  }

  void norm(const torch::Tensor& weight) {
    widen(element_of(weight), weight.const_data_ptr(), norm_weight_.data(), hidden_);
    for (std::int64_t b = 0; b < batch_; ++b)
      rms_norm_row(Element::kFp32, x_.data() + b * hidden_, norm_weight_.data(), normed_.data() + b * hidden_, hidden_,
                   static_cast<float>(w_.eps));
  }

  /// x += W y.
  void add_product(const WeightRows& weight, const Floats& y) {
    gemv_all({{weight, hidden_, sum_.data(), hidden_}}, prepared(y, weight.columns, weight));
    for (std::size_t i = 0; i < sum_.size(); ++i) x_[i] += sum_[i];
  }

  void attention(const DecodeLayer& layer, std::int64_t index) {
    norm(layer.input_norm);
    const std::int64_t dim = w_.head_dim, queries = w_.heads * dim, keys = w_.kv_heads * dim, all = queries + 2 * keys;
    gemv_all({{layer.q, queries, qkv_.data(), all},
              {layer.k, keys, qkv_.data() + queries, all},
              {layer.v, keys, qkv_.data() + queries + keys, all}},
             prepared(normed_, hidden_, layer.q));
    const std::int64_t group = w_.heads / w_.kv_heads;
    at::parallel_for(0, batch_ * w_.kv_heads, 1, [&](std::int64_t first, std::int64_t last) {
      Floats scores;
      for (std::int64_t i = first; i < last; ++i) {
        const std::int64_t b = i / w_.kv_heads, g = i % w_.kv_heads, past = cache_.length(b);
        float* row = qkv_.data() + b * all;
        float *q = row + g * group * dim, *k = row + queries + g * dim, *v = k + keys;
        for (std::int64_t h = 0; h < group; ++h) turn(q + h * dim, past);
        turn(k, past);
        const Element element = element_of(cache_.keys(index));
        char *all_keys = sequence(cache_.keys(index), b, g), *all_values = sequence(cache_.values(index), b, g);
        const std::int64_t bytes = dim * static_cast<std::int64_t>(cache_.keys(index).element_size());
        narrow(element, k, all_keys + past * bytes, dim);
        narrow(element, v, all_values + past * bytes, dim);
        scores.resize(size(group * (past + 1)));
        cached_attention(element, q, group, all_keys, all_values, past + 1, dim, scores.data(),
                         y_.data() + b * queries + g * group * dim);
      }
    });
    add_product(layer.o, y_);
  }

  void turn(float* head, std::int64_t position) const {
    const std::int64_t half = w_.head_dim / 2;
    rotate_heads(Element::kFp32, {head, 0}, w_.cos.const_data_ptr<float>() + position * half,
                 w_.sin.const_data_ptr<float>() + position * half, {head, 0}, /*count=*/1, half, /*inverse=*/false);
  }

  /// Where the keys or values [capacity, D] of sequence b and head g begin.
  static char* sequence(const torch::Tensor& all, std::int64_t b, std::int64_t g) {
    return static_cast<char*>(all.data_ptr()) +
           (b * all.stride(0) + g * all.stride(1)) * static_cast<std::int64_t>(all.element_size());
  }

  void feed_forward(const DecodeLayer& layer) {
    norm(layer.post_attention_norm);
    gemv_all({{layer.gate, w_.inner, gate_.data(), w_.inner}, {layer.up, w_.inner, up_.data(), w_.inner}},
             prepared(normed_, hidden_, layer.gate));
    swiglu(Element::kFp32, gate_.data(), up_.data(), gate_.data(), static_cast<std::int64_t>(gate_.size()));
    add_product(layer.down, gate_);
  }

  const DecodeWeights& w_;
  KvCache& cache_;
  std::int64_t batch_, hidden_;
  // Allocated once per token. An operator's own buffers would be filled with zeros in every layer, and no weights are
  // read meanwhile.
  Floats x_, normed_, sum_, norm_weight_, qkv_, y_, gate_, up_;
};

}  // namespace

std::int64_t bytes_read(const DecodeWeights& w) {
  const std::int64_t hidden = w.embedding.size(1), queries = w.heads * w.head_dim, keys = w.kv_heads * w.head_dim;
  std::int64_t sum = matrix_bytes(w.head, w.vocab);
  for (const auto& layer : w.layers)
    sum += matrix_bytes(layer.q, queries) + matrix_bytes(layer.k, keys) + matrix_bytes(layer.v, keys) +
           matrix_bytes(layer.o, hidden) + matrix_bytes(layer.gate, w.inner) + matrix_bytes(layer.up, w.inner) +
           matrix_bytes(layer.down, hidden);
  return sum;
}

torch::Tensor decode_step(const DecodeWeights& weights, const torch::Tensor& ids, KvCache& cache) {
  const torch::Tensor tokens = ids.contiguous();
  const auto* first = tokens.const_data_ptr<std::int64_t>();
  TORCH_CHECK(
      std::all_of(first, first + tokens.numel(), [&](std::int64_t id) { return id >= 0 && id < weights.vocab; }),
      "decode_step: a token is outside the vocabulary");
  for (std::int64_t b = 0; b < cache.batch(); ++b)
    TORCH_CHECK(cache.length(b) < cache.capacity(), "KV cache: no room for one more token behind ", cache.length(b));
  const torch::Tensor logits = Step(weights, cache).run(first);
  cache.advance(1);
  return logits;
}

}  // namespace bench::model
