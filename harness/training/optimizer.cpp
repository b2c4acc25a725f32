#include "harness/training/optimizer.h"

#include "harness/core/error.h"

#include <algorithm>
#include <cmath>

#include <ATen/ops/_fused_adamw.h>

namespace bench::harness {
namespace {

constexpr const char* kFirst = "exp_avg.";
constexpr const char* kSecond = "exp_avg_sq.";

const torch::Tensor& moment(const model::NamedTensors& state, const std::string& name, const torch::Tensor& parameter,
                            const std::string& where) {
  const auto found = state.find(name);
  if (found == state.end() || found->second.sizes() != parameter.sizes())
    throw Error(where, name + ": is missing or has another shape", "was the model config changed since the run began?");
  return found->second;
}

}  // namespace

AdamW::AdamW(const torch::nn::Module& model, const OptimizerConfig& config, double weight_decay, bool fused)
    : config_(config), fused_(fused) {
  groups_.resize(2);
  groups_[0].weight_decay = weight_decay;
  groups_[1].weight_decay = 0;
  for (const auto& item : model.named_parameters()) {
    Group& group = groups_[item.value().dim() >= 2 ? 0 : 1];
    group.names.push_back(item.key());
    group.parameters.push_back(item.value());
    group.exp_avg.push_back(torch::zeros_like(item.value()));
    group.exp_avg_sq.push_back(torch::zeros_like(item.value()));
    group.step.push_back(torch::zeros({}, item.value().options().dtype(torch::kFloat32).requires_grad(false)));
  }
}

void AdamW::step(double learning_rate, double gradient_factor) {
  const torch::NoGradGuard no_grad;
  ++updates_;
  for (auto& group : groups_)
    fused_ ? step_fused(group, learning_rate, gradient_factor) : step_plain(group, learning_rate, gradient_factor);
}

void AdamW::step_plain(Group& group, double learning_rate, double gradient_factor) {
  const double beta1 = config_.betas[0], beta2 = config_.betas[1];
  const auto t = static_cast<double>(updates_);
  const double correction1 = 1 - std::pow(beta1, t), correction2 = 1 - std::pow(beta2, t);
  for (std::size_t i = 0; i < group.parameters.size(); ++i) {
    torch::Tensor& weight = group.parameters[i];
    torch::Tensor &m = group.exp_avg[i], &v = group.exp_avg_sq[i];
    const torch::Tensor gradient = weight.grad() * gradient_factor;
    weight.mul_(1 - learning_rate * group.weight_decay);
    m.mul_(beta1).add_(gradient, 1 - beta1);
    v.mul_(beta2).addcmul_(gradient, gradient, 1 - beta2);
    weight.addcdiv_(m, (v.sqrt() / std::sqrt(correction2)).add_(config_.eps), -learning_rate / correction1);
  }
}

void AdamW::step_fused(Group& group, double learning_rate, double gradient_factor) {
  std::vector<torch::Tensor> gradients;
  for (std::size_t i = 0; i < group.parameters.size(); ++i) {
    gradients.push_back(group.parameters[i].grad());
    group.step[i].fill_(static_cast<double>(updates_));
  }
  if (gradients.empty()) return;
  std::optional<torch::Tensor> divisor;  // the operator divides by it, as if a loss scaler had multiplied the gradients
  if (gradient_factor != 1) divisor = torch::full({}, 1 / gradient_factor, gradients[0].options());
  at::_fused_adamw_(group.parameters, gradients, group.exp_avg, group.exp_avg_sq, /*max_exp_avg_sqs=*/{}, group.step,
                    learning_rate, config_.betas[0], config_.betas[1], group.weight_decay, config_.eps,
                    /*amsgrad=*/false, /*maximize=*/false, /*grad_scale=*/divisor);
  // The operator doesn't raise the version of the weights. Linear sees by the version that a weight's 16-bit copy is
  // out of date.
  for (auto& parameter : group.parameters) parameter.unsafeGetTensorImpl()->bump_version();
}

model::NamedTensors AdamW::state() const {
  model::NamedTensors state;
  for (const auto& group : groups_)
    for (std::size_t i = 0; i < group.names.size(); ++i) {
      state[kFirst + group.names[i]] = group.exp_avg[i];
      state[kSecond + group.names[i]] = group.exp_avg_sq[i];
    }
  return state;
}

void AdamW::check_state(const model::NamedTensors& state, const torch::nn::Module& model, const std::string& where) {
  for (const auto& parameter : model.named_parameters())
    for (const char* kind : {kFirst, kSecond}) moment(state, kind + parameter.key(), parameter.value(), where);
}

void AdamW::load_state(const model::NamedTensors& state, std::int64_t updates, const std::string& where) {
  const torch::NoGradGuard no_grad;
  for (auto& group : groups_)
    for (std::size_t i = 0; i < group.names.size(); ++i) {
      group.exp_avg[i].copy_(moment(state, kFirst + group.names[i], group.parameters[i], where));
      group.exp_avg_sq[i].copy_(moment(state, kSecond + group.names[i], group.parameters[i], where));
    }
  updates_ = updates;
}

torch::Tensor gradient_norm(const torch::nn::Module& model) {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> norms;
  for (const auto& parameter : model.parameters()) norms.push_back(parameter.grad().norm().to(torch::kFloat32));
  return torch::stack(norms).norm();
}

Clipping clip_factor(double scaled_norm, double max_norm, double loss_scale) {
  const double norm = scaled_norm / loss_scale;
  return {norm, std::min(1.0, max_norm / (norm + 1e-6)) / loss_scale};
}

}  // namespace bench::harness
