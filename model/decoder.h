#pragma once

#include "model/block.h"
#include "model/config.h"
#include "model/fused/decode_step.h"
#include "model/kv_cache.h"
#include "model/linear.h"
#include "model/rms_norm.h"
#include "model/rope.h"
#include "model/tensor.h"

namespace bench::model {

/// Embedding, blocks and final norm: token ids -> hidden states.
class DecoderImpl : public Switchable {
 public:
  DecoderImpl(const ModelConfig& config, const torch::TensorOptions& options);
  /// ids [B, T] int64 -> [B, T, C] in `compute`.
  torch::Tensor forward(const torch::Tensor& ids, torch::Dtype compute, KvCache* cache, bool recompute,
                        const DropoutKey& dropout);
  const torch::Tensor& embedding() const { return embed_tokens_->weight(); }
  Weight embedding_in(torch::Dtype compute) { return embed_tokens_->weight_in(compute); }
  /// Quantises the blocks' matrices. The embedding stays as it is.
  void quantize(Quantization quantization);
  /// All weights that decode_step reads, except the head.
  DecodeWeights decode_weights() const;
  /// All weights that the device path reads. The first call, and the next one after weights were replaced, puts
  /// matrices with the same input into one.
  const DeviceWeights& device_weights();

 private:
  torch::Tensor embed(const torch::Tensor& ids, torch::Dtype compute, const DropoutKey& key);

  double dropout_;
  DeviceWeights device_weights_;
  Linear embed_tokens_{nullptr};  // used as a table of rows, and as the head when tied
  torch::nn::ModuleList layers_;
  RmsNorm norm_{nullptr};
  Rope rope_{nullptr};
};
TORCH_MODULE(Decoder);

/// A decoder-only language model whose parameters have the names of Hugging Face's LlamaForCausalLM.
class LanguageModelImpl : public Switchable {
 public:
  /// Weights are allocated with `options` (dtype, device) and not initialised: see init_weights and load_checkpoint.
  LanguageModelImpl(const ModelConfig& config, const torch::TensorOptions& options = {});

  /// Final hidden states of ids [B, T] int64 -> [B, T, C]. With a cache, the tokens follow those in the cache.
  torch::Tensor hidden(const torch::Tensor& ids, KvCache* cache = nullptr);
  /// hidden [..., C] -> logits [..., V] in the compute dtype.
  torch::Tensor head(const torch::Tensor& hidden);
  /// Logits of every position, without a cache: ids [B, T] -> [B, T, V].
  torch::Tensor forward(const torch::Tensor& ids) { return head(hidden(ids)); }
  /// Logits of the last position only: ids [B, T] -> [B, V]. Fills the cache, whose sequences may have different
  /// lengths. With fused operators, evaluating, without gradients: on the native path a single token of each of a few
  /// sequences goes through decode_step, and the result is then fp32; elsewhere, if the weights have the compute dtype,
  /// tokens go through device_hidden.
  torch::Tensor next_logits(const torch::Tensor& ids, KvCache& cache);

  /// Runs forward and backward. Returns the mean loss of predicting targets [B, T] from ids [B, T], detached. The
  /// gradient of scale * loss is added to the parameters' gradients, which must exist already.
  torch::Tensor loss_backward(const torch::Tensor& ids, const torch::Tensor& targets, double scale);

  /// The dtype of activations and matrix products; weights of another dtype are cast where they are used.
  void set_compute_dtype(torch::Dtype dtype) { compute_ = dtype; }
  torch::Dtype compute_dtype() const { return compute_; }
  /// The place of the next pass in the training run. Passes at the same place drop out the same elements.
  void set_dropout_key(const DropoutKey& key) { dropout_key_ = key; }
  /// Recompute each block's activations in the backward pass instead of keeping them.
  void set_gradient_checkpointing(bool on) { recompute_ = on; }

  /// Chooses between fused operators (the default) and the plain formulas, in all modules.
  void set_all_fused(bool fused);
  /// See AttentionImpl::set_tiled_gradient.
  void set_tiled_gradient(bool on);

  /// Keeps the matrices as integers from now on, for inference. The blocks have 8 or 4 bits. The head always
  /// has 8, since its errors go straight into the logits. The embedding stays as it is.
  void quantize(Quantization quantization);
  Quantization quantization() const { return quantization_; }
  /// Bytes of the matrices that are read to decode one token of every sequence.
  std::int64_t decode_weight_bytes() const { return bytes_read(decode_weights()); }
  /// Bytes of all weights as they are held.
  std::int64_t weight_bytes() const;

  const ModelConfig& config() const { return config_; }
  torch::Device device() const { return model_->embedding().device(); }
  /// An empty cache for this model in its compute dtype.
  KvCache make_cache(std::int64_t batch, std::int64_t capacity) const;

 private:
  Weight head_weight();
  DecodeWeights decode_weights() const;
  bool decodes_by_rows(const torch::Tensor& ids) const;
  bool decodes_on_device() const;

  ModelConfig config_;
  Quantization quantization_ = Quantization::kNone;
  QuantizedWeight tied_head_;  // of the embedding, when quantised
  torch::Dtype compute_;
  bool recompute_ = false;
  DropoutKey dropout_key_;
  Decoder model_{nullptr};
  Linear lm_head_{nullptr};  // null when tied
};
TORCH_MODULE(LanguageModel);

/// Draws the weights from normal(0, 0.02) and sets the norms to 1. This is done on the CPU and in fp32, so that all
/// devices start from the same weights.
void init_weights(LanguageModel& model, std::uint64_t seed);

}  // namespace bench::model
