#include "model/decoder.h"

#include "model/device/decode.h"
#include "model/error.h"
#include "model/fused/embedding.h"
#include "model/fused/head_loss.h"
#include "model/fused/rows.h"
#include "model/loss.h"
#include "model/recompute.h"

namespace bench::model {
namespace {

constexpr double kInitStd = 0.02;  // initializer_range of Hugging Face's LlamaConfig

void check_length(const ModelConfig& config, std::int64_t past, std::int64_t tokens) {
  if (past + tokens <= config.max_seq_length) return;
  throw InputError("sequence",
                   std::to_string(past + tokens) + " tokens exceed the model's max_seq_length " +
                       std::to_string(config.max_seq_length),
                   "shorten the prompt or generate fewer tokens");
}

}  // namespace

DecoderImpl::DecoderImpl(const ModelConfig& config, const torch::TensorOptions& options) : dropout_(config.dropout) {
  embed_tokens_ = register_module("embed_tokens", Linear(config.hidden_size, config.vocab_size, options));
  for (std::int64_t i = 0; i < config.num_layers; ++i) layers_->push_back(Block(config, options));
  register_module("layers", layers_);
  norm_ = register_module("norm", RmsNorm(config.hidden_size, config.rms_norm_eps, options));
  rope_ = register_module("rope", Rope(config.head_dim(), config.max_seq_length, config.rope_theta));
}

torch::Tensor DecoderImpl::embed(const torch::Tensor& ids, torch::Dtype compute, const DropoutKey& key) {
  const torch::Tensor x = fused_ ? fused_embedding(embed_tokens_->weight(), ids, compute)
                                 : torch::embedding(embed_tokens_->weight(), ids).to(compute);  // [B, T, C]
  return is_training() && dropout_ > 0 ? dropout(x, dropout_, {key}) : x;
}

torch::Tensor DecoderImpl::forward(const torch::Tensor& ids, torch::Dtype compute, KvCache* cache, bool recompute,
                                   const DropoutKey& dropout) {
  torch::Tensor x = embed(ids, compute, dropout);
  for (std::size_t i = 0; i < layers_->size(); ++i) {
    const auto block = layers_->ptr<BlockImpl>(i);
    const LayerPass pass{*rope_, cache, static_cast<std::int64_t>(i), dropout};
    const auto layer = [block, pass](const torch::Tensor& y) { return block->forward(y, pass); };
    x = recompute && x.requires_grad() ? recompute_in_backward(layer, x) : layer(x);
  }
  if (cache) cache->advance(ids.size(1));
  return norm_(x);
}

void DecoderImpl::quantize(Quantization quantization) {
  device_weights_ = {};  // gives back what the integers replace
  for (std::size_t i = 0; i < layers_->size(); ++i) layers_->ptr<BlockImpl>(i)->quantize(quantization);
}

DecodeWeights DecoderImpl::decode_weights() const {
  DecodeWeights weights;
  weights.embedding = embedding();
  for (std::size_t i = 0; i < layers_->size(); ++i)
    weights.layers.push_back(layers_->ptr<BlockImpl>(i)->decode_layer());
  weights.norm = norm_->weight();
  weights.cos = rope_->all_cos();
  weights.sin = rope_->all_sin();
  return weights;
}

const DeviceWeights& DecoderImpl::device_weights() {
  DeviceWeights& weights = device_weights_;
  weights.embedding = embedding();
  weights.layers.resize(layers_->size());
  for (std::size_t i = 0; i < layers_->size(); ++i) layers_->ptr<BlockImpl>(i)->fill(weights.layers[i]);
  weights.norm = norm_->weight();
  if (!weights.tables.cos.defined() || weights.tables.cos.device() != rope_->all_cos().device())
    weights.tables = rotation_tables(rope_->all_cos(), rope_->all_sin());
  weights.eps = norm_->eps();
  return weights;
}

LanguageModelImpl::LanguageModelImpl(const ModelConfig& config, const torch::TensorOptions& options)
    : config_(config), compute_(c10::typeMetaToScalarType(options.dtype())) {
  model_ = register_module("model", Decoder(config, options));
  if (!config.tie_embeddings)
    lm_head_ = register_module("lm_head", Linear(config.hidden_size, config.vocab_size, options));
}

void LanguageModelImpl::set_all_fused(bool fused) {
  for (const auto& module : modules())
    if (auto* switchable = dynamic_cast<Switchable*>(module.get())) switchable->set_fused(fused);
}

void LanguageModelImpl::set_tiled_gradient(bool on) {
  for (const auto& module : modules())
    if (auto* attention = module->as<AttentionImpl>()) attention->set_tiled_gradient(on);
}

torch::Tensor LanguageModelImpl::hidden(const torch::Tensor& ids, KvCache* cache) {
  check_length(config_, cache ? cache->length() : 0, ids.size(1));
  return model_->forward(ids, compute_, cache, recompute_ && is_training(), dropout_key_);
}

torch::Tensor LanguageModelImpl::head(const torch::Tensor& hidden) {
  if (lm_head_) return lm_head_(hidden);
  if (quantization_ != Quantization::kNone) return quantized_linear(hidden, tied_head_);
  return fused_ ? fused_linear(hidden, head_weight()) : linear_formula(hidden, model_->embedding().to(hidden.dtype()));
}

Weight LanguageModelImpl::head_weight() {
  return lm_head_ ? lm_head_->weight_in(compute_) : model_->embedding_in(compute_);
}

torch::Tensor LanguageModelImpl::loss_backward(const torch::Tensor& ids, const torch::Tensor& targets, double scale) {
  const torch::Tensor states = hidden(ids);
  if (!fused_) {
    const torch::Tensor loss = mean_nll(head(states), targets);
    (loss * scale).backward();
    return loss.detach();
  }
  const HeadLoss result = head_loss_backward(states.detach(), head_weight(), targets, scale);
  states.backward(result.hidden_gradient);
  return result.loss;
}

void LanguageModelImpl::quantize(Quantization quantization) {
  TORCH_CHECK(quantization_ == Quantization::kNone, "quantize: the model is quantised already");
  if (quantization == Quantization::kNone) return;
  quantization_ = quantization;
  if (lm_head_)
    lm_head_->quantize(Quantization::kInt8);
  else
    tied_head_ = model::quantize(model_->embedding(), Quantization::kInt8);
  model_->quantize(quantization);
}

std::int64_t LanguageModelImpl::weight_bytes() const {
  const torch::Tensor embedding = model_->embedding();
  const std::int64_t norms = (2 * config_.num_layers + 1) * config_.hidden_size * embedding.itemsize();
  const bool head_is_embedding = !lm_head_ && quantization_ == Quantization::kNone;
  return decode_weight_bytes() + norms + (head_is_embedding ? 0 : static_cast<std::int64_t>(embedding.nbytes()));
}

DecodeWeights LanguageModelImpl::decode_weights() const {
  DecodeWeights weights = model_->decode_weights();
  weights.head = lm_head_                               ? lm_head_->rows()
                 : quantization_ == Quantization::kNone ? weight_rows(model_->embedding())
                                                        : weight_rows(tied_head_);
  weights.eps = config_.rms_norm_eps;
  weights.heads = config_.num_heads;
  weights.kv_heads = config_.num_kv_heads;
  weights.head_dim = config_.head_dim();
  weights.inner = config_.intermediate_size;
  weights.vocab = config_.vocab_size;
  return weights;
}

bool LanguageModelImpl::decodes_by_rows(const torch::Tensor& ids) const {
  const bool few = ids.size(0) < kManyTokens || quantization_ != Quantization::kNone;
  return fused_ && ids.size(1) == 1 && few && !is_training() && !torch::GradMode::is_enabled() &&
         has_kernels(model_->embedding());
}

bool LanguageModelImpl::decodes_on_device() const {
  const torch::Tensor embedding = model_->embedding();
  // Weights of another dtype would have to be cast anew for each token.
  return fused_ && !is_training() && !torch::GradMode::is_enabled() && !has_kernels(embedding) &&
         embedding.scalar_type() == compute_ && (quantization_ == Quantization::kNone || !on_native_path(embedding));
}

torch::Tensor LanguageModelImpl::next_logits(const torch::Tensor& ids, KvCache& cache) {
  if (decodes_by_rows(ids)) {
    check_length(config_, cache.length(), 1);
    return decode_step(decode_weights(), ids.select(1, 0), cache);
  }
  if (!cache.same_lengths()) {  // one by one
    std::vector<torch::Tensor> logits;
    for (std::int64_t row = 0; row < cache.batch(); ++row) {
      KvCache one = cache.row(row);
      logits.push_back(next_logits(ids.narrow(0, row, 1), one));
    }
    return torch::cat(logits);
  }
  if (decodes_on_device()) {
    check_length(config_, cache.length(), ids.size(1));
    return head(device_hidden(model_->device_weights(), ids, cache).select(1, -1));
  }
  return head(hidden(ids, &cache).select(1, -1));  // [B, V]
}

KvCache LanguageModelImpl::make_cache(std::int64_t batch, std::int64_t capacity) const {
  return KvCache(config_, batch, capacity, compute_, device());
}

void init_weights(LanguageModel& model, std::uint64_t seed) {
  const torch::NoGradGuard no_grad;
  const at::Generator generator = at::detail::createCPUGenerator(seed);
  for (auto& parameter : model->parameters()) {
    if (parameter.dim() < 2)
      parameter.fill_(1);
    else
      parameter.copy_(torch::empty(parameter.sizes(), torch::kFloat32).normal_(0, kInitStd, generator));
  }
}

}  // namespace bench::model
