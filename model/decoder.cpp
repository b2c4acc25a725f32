#include "model/decoder.h"

#include "model/error.h"
#include "model/fused/dropout.h"
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

torch::Tensor DecoderImpl::embed(const torch::Tensor& ids, torch::Dtype compute) {
  const torch::Tensor x = fused_ ? fused_embedding(embed_tokens_->weight(), ids, compute)
                                 : torch::embedding(embed_tokens_->weight(), ids).to(compute);  // [B, T, C]
  if (!is_training() || dropout_ == 0) return x;
  return fused_ && kernels_serve(x) ? fused_dropout(x, dropout_) : torch::dropout(x, dropout_, /*train=*/true);
}

torch::Tensor DecoderImpl::forward(const torch::Tensor& ids, torch::Dtype compute, KvCache* cache, bool recompute) {
  torch::Tensor x = embed(ids, compute);
  for (std::size_t i = 0; i < layers_->size(); ++i) {
    const auto block = layers_->ptr<BlockImpl>(i);
    const auto layer = [this, block, cache, i](const torch::Tensor& y) {
      return block->forward(y, rope_, cache, static_cast<std::int64_t>(i));
    };
    x = recompute && x.requires_grad() ? recompute_in_backward(layer, x) : layer(x);
  }
  if (cache) cache->advance(ids.size(1));
  return norm_(x);
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
  return model_->forward(ids, compute_, cache, recompute_ && is_training());
}

torch::Tensor LanguageModelImpl::head(const torch::Tensor& hidden) {
  if (lm_head_) return lm_head_(hidden);
  return fused_ ? fused_linear(hidden, head_weight()) : torch::linear(hidden, model_->embedding().to(hidden.dtype()));
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

torch::Tensor LanguageModelImpl::next_logits(const torch::Tensor& ids, KvCache& cache) {
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
