#include "harness/cases/operators.h"

#include "harness/training/optimizer.h"
#include "model/attention.h"
#include "model/dropout.h"
#include "model/feed_forward.h"
#include "model/fused/attention.h"
#include "model/fused/embedding.h"
#include "model/fused/head_loss.h"
#include "model/fused/rows.h"
#include "model/linear.h"
#include "model/loss.h"
#include "model/rms_norm.h"
#include "model/rope.h"

namespace bench::harness {
namespace {

struct Sizes {
  const model::ModelConfig& config;
  std::int64_t batch, tokens;
  torch::TensorOptions options;
  bool fused;

  torch::Tensor random(torch::IntArrayRef shape) const {
    return torch::randn(shape, torch::kFloat32).mul_(0.1).to(options.device(), compute()).requires_grad_();
  }
  torch::Dtype compute() const { return c10::typeMetaToScalarType(options.dtype()); }
  torch::TensorOptions master() const { return torch::TensorOptions().device(options.device()); }
  double rows() const { return static_cast<double>(batch * tokens); }
  double element() const { return static_cast<double>(options.dtype().itemsize()); }
};

double count(const torch::Tensor& t) { return static_cast<double>(t.numel()); }

/// Fills the weights and makes their gradients. Returns how many weights there are.
double make_trainable(torch::nn::Module& module) {
  const torch::NoGradGuard no_grad;
  double weights = 0;
  for (auto& parameter : module.parameters()) {
    parameter.copy_(torch::randn(parameter.sizes()).mul_(0.02));
    parameter.mutable_grad() = torch::zeros_like(parameter);
    weights += count(parameter);
  }
  return weights;
}

PreparedOperator rms_norm(const Sizes& s) {
  const torch::Tensor x = s.random({s.batch, s.tokens, s.config.hidden_size});
  model::RmsNorm norm(s.config.hidden_size, s.config.rms_norm_eps, s.master());
  make_trainable(*norm);
  norm->set_fused(s.fused);
  return {[=]() mutable { return norm(x); }, {x}, 4 * count(x), 2 * s.element() * count(x)};
}

PreparedOperator rope(const Sizes& s) {
  const torch::Tensor x = s.random({s.batch, s.config.num_heads, s.tokens, s.config.head_dim()});
  model::Rope rope(s.config.head_dim(), s.tokens, s.config.rope_theta);
  rope->to(s.options.device());
  return {[=]() mutable { return rope(x, 0); }, {x}, 3 * count(x), 2 * s.element() * count(x)};
}

/// Rotation and attention of whole sequences, as in training.
PreparedOperator attention(const Sizes& s) {
  const std::int64_t head_dim = s.config.head_dim();
  const torch::Tensor q = s.random({s.batch, s.tokens, s.config.num_heads * head_dim});
  const torch::Tensor k = s.random({s.batch, s.tokens, s.config.num_kv_heads * head_dim});
  const torch::Tensor v = s.random(k.sizes());
  model::Rope rope(head_dim, s.tokens, s.config.rope_theta);
  rope->to(s.options.device());
  const bool tiled = s.fused && model::has_kernels(q);
  const double keys = static_cast<double>(s.tokens + 1) / 2;  // that a query sees, on average
  return {[=]() mutable {
            if (tiled) return model::tiled_attention(q, k, v, rope->cos(s.tokens), rope->sin(s.tokens), head_dim);
            const auto split = [&](const torch::Tensor& x) {
              return x.view({s.batch, s.tokens, -1, head_dim}).transpose(1, 2);
            };
            const torch::Tensor turned_q = rope(split(q), 0), turned_k = rope(split(k), 0);
            return s.fused ? model::causal_attention(turned_q, turned_k, split(v))
                           : model::causal_attention_plain(turned_q, turned_k, split(v));
          },
          {q, k, v},
          4 * count(q) * keys,
          s.element() * (2 * count(q) + 2 * count(k)),
          2.5};  // five products, not four: the probabilities are made again
}

/// Maps ids to rows. The backward pass reads the gradients of these rows, and reads and writes rows of the table's
/// gradient.
PreparedOperator embedding(const Sizes& s) {
  const torch::Tensor ids =
      torch::randint(0, s.config.vocab_size, {s.batch, s.tokens}, torch::kInt64).to(s.options.device());
  model::Linear table(s.config.hidden_size, s.config.vocab_size, s.master());
  make_trainable(*table);
  const bool fused = s.fused;
  const torch::Dtype compute = s.compute();
  const double elements = s.rows() * static_cast<double>(s.config.hidden_size), master = sizeof(float);
  return {[=] {
            return fused ? model::fused_embedding(table->weight(), ids, compute)
                         : torch::embedding(table->weight(), ids).to(compute);
          },
          {},
          elements,
          (master + s.element()) * elements,
          (s.element() + 2 * master) / (master + s.element())};
}

PreparedOperator linear(const Sizes& s) {
  const torch::Tensor x = s.random({s.batch, s.tokens, s.config.hidden_size});
  model::Linear module(s.config.hidden_size, s.config.intermediate_size, s.master());
  const double weights = make_trainable(*module);
  module->set_fused(s.fused);
  const double outputs = s.rows() * static_cast<double>(s.config.intermediate_size);
  return {
      [=]() mutable { return module(x); }, {x}, 2 * s.rows() * weights, s.element() * (count(x) + weights + outputs)};
}

PreparedOperator feed_forward(const Sizes& s) {
  const torch::Tensor x = s.random({s.batch, s.tokens, s.config.hidden_size});
  model::FeedForward module(s.config, s.master());
  const double weights = make_trainable(*module);
  for (const auto& part : module->modules())
    if (auto* switchable = dynamic_cast<model::Switchable*>(part.get())) switchable->set_fused(s.fused);
  return {[=]() mutable { return module(x); }, {x}, 2 * s.rows() * weights, s.element() * (2 * count(x) + weights)};
}

PreparedOperator cross_entropy(const Sizes& s) {
  const torch::Tensor logits = s.random({s.batch * s.tokens, s.config.vocab_size});
  const torch::Tensor targets =
      torch::randint(0, s.config.vocab_size, {s.batch * s.tokens}, torch::kInt64).to(s.options.device());
  return {[=] { return model::mean_nll(logits, targets); }, {logits}, 4 * count(logits), s.element() * count(logits)};
}

/// The head, the loss and the backward pass of both: three products.
PreparedOperator head_loss(const Sizes& s) {
  const torch::Tensor hidden = s.random({s.batch * s.tokens, s.config.hidden_size});
  model::Linear head(s.config.hidden_size, s.config.vocab_size, s.master());
  const double weights = make_trainable(*head);
  const torch::Tensor targets =
      torch::randint(0, s.config.vocab_size, {s.batch * s.tokens}, torch::kInt64).to(s.options.device());
  const bool fused = s.fused;
  return {[=]() mutable {
            if (fused)
              return model::head_loss_backward(hidden.detach(), head->weight_in(hidden.scalar_type()), targets, 1).loss;
            const torch::AutoGradMode with_grad(true);
            const torch::Tensor loss =
                model::mean_nll(torch::linear(hidden, head->weight().to(hidden.dtype())), targets);
            loss.backward();
            hidden.mutable_grad().reset();
            return loss.detach();
          },
          {},
          6 * s.rows() * weights,
          s.element() * (2 * count(hidden) + 2 * weights),
          /*backward=*/0};
}

PreparedOperator dropout_add(const Sizes& s) {
  const torch::Tensor x = s.random({s.batch, s.tokens, s.config.hidden_size}), residual = s.random(x.sizes());
  const bool fused = s.fused;
  const model::DropoutSite site;
  return {[=] { return fused ? model::dropout_add(residual, x, 0.1, site) : residual + model::dropout(x, 0.1, site); },
          {residual, x},
          2 * count(x),
          3 * s.element() * count(x)};
}

/// One update of a feed-forward's weights in fp32, whatever the dtype: 16 bytes read and 12 written for each.
PreparedOperator adamw(const Sizes& s) {
  model::FeedForward module(s.config, s.master());
  const double weights = make_trainable(*module);
  for (auto& parameter : module->parameters()) parameter.mutable_grad().fill_(0.01);
  const auto optimizer = std::make_shared<AdamW>(*module, OptimizerConfig{}, 0.1, s.fused);
  return {[=]() {
            optimizer->step(1e-4);
            return module->parameters()[0];
          },
          {},
          12 * weights,
          28 * weights,
          /*backward=*/0};
}

struct Row {
  const char* name;
  PreparedOperator (*prepare)(const Sizes&);
};
constexpr Row kOperators[] = {{"rms_norm", rms_norm},   {"rope", rope},
                              {"attention", attention}, {"feed_forward", feed_forward},
                              {"linear", linear},       {"cross_entropy", cross_entropy},
                              {"head_loss", head_loss}, {"dropout_add", dropout_add},
                              {"adamw", adamw},         {"embedding", embedding}};

}  // namespace

std::vector<std::string> operator_names() {
  std::vector<std::string> names;
  for (const auto& row : kOperators) names.push_back(row.name);
  return names;
}

PreparedOperator prepare_operator(const std::string& name, const model::ModelConfig& config, std::int64_t batch,
                                  std::int64_t tokens, const torch::TensorOptions& options, bool fused) {
  for (const auto& row : kOperators)
    if (name == row.name) return row.prepare({config, batch, tokens, options, fused});
  TORCH_CHECK(false, "unknown operator ", name);
}

}  // namespace bench::harness
