#include "model/device/decode.h"

#include "model/attention.h"
#include "model/device/kernels.h"
#include "model/device/rms_norm.h"

namespace bench::model {

torch::Tensor device_hidden(const DeviceWeights& w, const torch::Tensor& ids, KvCache& cache) {
  const std::int64_t batch = ids.size(0), tokens = ids.size(1), past = cache.length(0);
  torch::Tensor x = at::embedding(w.embedding, ids.reshape({-1}));  // [N, C], N = B * T
  const DeviceKernels& kernels = device_kernels(x);
  const RotationTables tables = w.tables.rows(past, tokens);
  const auto mask = causal_mask(tokens, past + tokens, ids.device());
  torch::Tensor normed = one_launch_rms_norm(x, w.layers.front().input_norm, w.eps);
  for (std::size_t i = 0; i < w.layers.size(); ++i) {
    const DeviceLayer& layer = w.layers[i];
    const auto [keys, values] = cache.with_room(static_cast<std::int64_t>(i), tokens);  // [B, G, S, D]
    const torch::Tensor queries =
        kernels.rotate_into_cache(layer.qkv.product(normed).view({batch, tokens, -1}), tables, {keys, values, past});
    const torch::Tensor y = causal_attention(queries, keys, values, mask);  // [B, H, T, D]
    const torch::Tensor attended = layer.o.product(y.transpose(1, 2).reshape({batch * tokens, -1}));
    std::tie(x, normed) = kernels.add_rms_norm(x, attended, layer.post_attention_norm, w.eps);
    const torch::Tensor fed = layer.down.product(kernels.swiglu(layer.gate_up.product(normed)));
    const bool last = i + 1 == w.layers.size();
    std::tie(x, normed) = kernels.add_rms_norm(x, fed, last ? w.norm : w.layers[i + 1].input_norm, w.eps);
  }
  cache.advance(tokens);
  return normed.view({batch, tokens, -1});
}

}  // namespace bench::model
