#include "harness/cases/operators.h"

#include "model/attention.h"
#include "model/feed_forward.h"
#include "model/loss.h"
#include "model/rms_norm.h"
#include "model/rope.h"

namespace bench::harness {
namespace {

struct Sizes {
  const model::ModelConfig& config;
  std::int64_t batch, tokens;
  torch::TensorOptions options;

  torch::Tensor random(torch::IntArrayRef shape) const {
    return torch::randn(shape, torch::kFloat32)
        .mul_(0.1)
        .to(options.device(), c10::typeMetaToScalarType(options.dtype()))
        .requires_grad_();
  }
  double rows() const { return static_cast<double>(batch * tokens); }
  double element() const { return static_cast<double>(options.dtype().itemsize()); }
};

double count(const torch::Tensor& t) { return static_cast<double>(t.numel()); }

PreparedOperator rms_norm(const Sizes& s) {
  const torch::Tensor x = s.random({s.batch, s.tokens, s.config.hidden_size}),
                      weight = s.random({s.config.hidden_size});
  return {[=, eps = s.config.rms_norm_eps] { return model::rms_norm(x, weight, eps); },
          {x, weight},
          4 * count(x),
          2 * s.element() * count(x)};
}

PreparedOperator rope(const Sizes& s) {
  const torch::Tensor x = s.random({s.batch, s.config.num_heads, s.tokens, s.config.head_dim()});
  model::Rope rope(s.config.head_dim(), s.tokens, s.config.rope_theta);
  rope->to(s.options.device());
  return {[=]() mutable { return rope(x, 0); }, {x}, 3 * count(x), 2 * s.element() * count(x)};
}

PreparedOperator attention(const Sizes& s) {
  const torch::Tensor q = s.random({s.batch, s.config.num_heads, s.tokens, s.config.head_dim()});
  const torch::Tensor k = s.random({s.batch, s.config.num_kv_heads, s.tokens, s.config.head_dim()});
  const torch::Tensor v = s.random(k.sizes());
  const double keys = static_cast<double>(s.tokens + 1) / 2;  // that a query sees, on average
  return {[=] { return model::causal_attention(q, k, v); },
          {q, k, v},
          4 * count(q) * keys,
          s.element() * (2 * count(q) + 2 * count(k))};
}

PreparedOperator linear(const Sizes& s) {
  const torch::Tensor x = s.random({s.batch, s.tokens, s.config.hidden_size});
  const torch::Tensor weight = s.random({s.config.intermediate_size, s.config.hidden_size});
  const double outputs = s.rows() * static_cast<double>(s.config.intermediate_size);
  return {[=] { return torch::linear(x, weight); },
          {x, weight},
          2 * s.rows() * count(weight),
          s.element() * (count(x) + count(weight) + outputs)};
}

PreparedOperator feed_forward(const Sizes& s) {
  const torch::Tensor x = s.random({s.batch, s.tokens, s.config.hidden_size});
  model::FeedForward module(s.config, s.options);
  double weights = 0;
  std::vector<torch::Tensor> inputs{x};
  for (auto& parameter : module->parameters()) {
    torch::NoGradGuard no_grad;
    parameter.copy_(torch::randn(parameter.sizes()).mul_(0.02));
    weights += count(parameter);
    inputs.push_back(parameter);
  }
  return {[=]() mutable { return module(x); }, inputs, 2 * s.rows() * weights, s.element() * (2 * count(x) + weights)};
}

PreparedOperator cross_entropy(const Sizes& s) {
  const torch::Tensor logits = s.random({s.batch * s.tokens, s.config.vocab_size});
  const torch::Tensor targets =
      torch::randint(0, s.config.vocab_size, {s.batch * s.tokens}, torch::kInt64).to(s.options.device());
  return {[=] { return model::mean_nll(logits, targets); }, {logits}, 4 * count(logits), s.element() * count(logits)};
}

struct Row {
  const char* name;
  PreparedOperator (*prepare)(const Sizes&);
};
constexpr Row kOperators[] = {{"rms_norm", rms_norm},         {"rope", rope},     {"attention", attention},
                              {"feed_forward", feed_forward}, {"linear", linear}, {"cross_entropy", cross_entropy}};

}  // namespace

std::vector<std::string> operator_names() {
  std::vector<std::string> names;
  for (const auto& row : kOperators) names.push_back(row.name);
  return names;
}

PreparedOperator prepare_operator(const std::string& name, const model::ModelConfig& config, std::int64_t batch,
                                  std::int64_t tokens, const torch::TensorOptions& options) {
  for (const auto& row : kOperators)
    if (name == row.name) return row.prepare({config, batch, tokens, options});
  TORCH_CHECK(false, "unknown operator ", name);
}

}  // namespace bench::harness
