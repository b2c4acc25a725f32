#include "harness/planning/plan.h"

#include "harness/cost/forward_work.h"
#include "harness/cost/memory_fit.h"
#include "harness/training/training_config.h"
#include "model/config.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

namespace bench::harness {
namespace {

/// A config inside a case's effective config.
template <class T>
T read_part(const CaseSpec& spec, const char* key) {
  FileOr<T> part;
  read_value(YamlNode::parse(dumped(spec.config.at(key)), spec.name), part);
  return part.value;
}

bool has(const CaseSpec& spec, const char* key) {
  return spec.config.contains(key) && !spec.config.at(key).is_null() && spec.config.at(key) != "";
}

std::string folder_name(const std::string& path) {
  std::string name = std::filesystem::path(path).lexically_normal().string();
  while (name.size() > 1 && name.back() == '/') name.pop_back();
  return name;
}

/// The train case whose training config writes that checkpoint, or nullptr.
const CaseSpec* trainer_of(const Suite& suite, const std::string& checkpoint) {
  for (const auto& spec : suite.cases)
    if (spec.type == "train" &&
        folder_name(read_part<TrainingConfig>(spec, "training").train.output_dir + "/final") == folder_name(checkpoint))
      return &spec;
  return nullptr;
}

std::optional<model::ModelConfig> model_of(const Suite& suite, const CaseSpec& spec) {
  if (has(spec, "model")) return read_part<model::ModelConfig>(spec, "model");
  const CaseSpec* trainer = has(spec, "checkpoint") ? trainer_of(suite, spec.config.at("checkpoint")) : nullptr;
  return trainer ? std::optional(read_part<model::ModelConfig>(*trainer, "model")) : std::nullopt;
}

std::int64_t element_bytes(const std::string& dtype) { return dtype == "fp32" ? 4 : 2; }

void bound_time(const Ceilings& ceilings, CasePlan& plan) {
  const double compute_s = plan.flops / ceilings.matmul(plan.dtype).rate, read_s = plan.bytes / ceilings.read.rate;
  plan.bound_by_memory = read_s > compute_s;
  plan.seconds = std::max(compute_s, read_s);
}

bool value_or(const CaseSpec& spec, const char* key, bool otherwise) {
  return has(spec, key) ? spec.config.at(key).get<bool>() : otherwise;
}

/// Puts the case's micro-batch into the shape, by the same decision as when the case runs.
void choose_micro_batch(const CaseSpec& spec, const model::ModelConfig& model, const Ceilings& ceilings,
                        const TrainConfig& config, TrainingShape& shape) {
  MicroBatch asked{.budget_bytes = spec.config.value("memory_budget_gb", 0.0) * 1e9,
                   .budget_key = "memory_budget_gb, or --machine"};
  const Json& size = spec.config.at("micro_batch_size");
  asked.size.automatic = size == "auto";
  if (!asked.size.automatic) asked.size.count = size;
  const FreeMemory free{ceilings.memory_bytes, "the system does not tell"};
  const StepDivision division =
      divide_step(model, shape, config.effective_batch_size, asked, free, spec.name + ": micro_batch_size");
  shape.batch = division.micro_batch_size;
  shape.gradient_checkpointing = division.gradient_checkpointing;
}

void plan_training(const CaseSpec& spec, const model::ModelConfig& model, const Ceilings& ceilings, CasePlan& plan) {
  const TrainConfig config = read_part<TrainingConfig>(spec, "training").train;
  TrainingPlan& training = plan.training.emplace();
  training.batch_size = config.batch_size;
  training.accumulation_steps = config.gradient_accumulation_steps;
  training.seq_length = config.max_seq_length;
  training.config_checkpointing = config.gradient_checkpointing;
  training.gradient_checkpointing = value_or(spec, "gradient_checkpointing", config.gradient_checkpointing);
  training.tokens_per_step = static_cast<double>(config.effective_batch_size * config.max_seq_length);
  training.max_steps = static_cast<double>(config.max_steps);
  training.flops_without_attention = 6 * plan.parameters * training.tokens_per_step;
  plan.dtype = config.mixed_precision ? ceilings.mixed_dtype : "fp32";
  plan.batch = static_cast<double>(config.effective_batch_size);
  plan.tokens = training.tokens_per_step;
  plan.flops = training_flops_per_token(model, config.max_seq_length) * plan.tokens;
  TrainingShape shape{config.batch_size,
                      config.max_seq_length,
                      element_bytes(plan.dtype),
                      training.gradient_checkpointing,
                      value_or(spec, "compile_model", config.compile_model),
                      ceilings.kernels,
                      ceilings.tiled_attention};
  choose_micro_batch(spec, model, ceilings, config, shape);
  training.micro_batch_size = shape.batch;
  training.gradient_checkpointing = shape.gradient_checkpointing;
  // Each micro-batch reads every weight forward and backward, and adds its gradient up.
  const auto element = static_cast<double>(element_bytes(plan.dtype));
  plan.bytes = plan.batch / static_cast<double>(training.micro_batch_size) * 4 * plan.parameters * element;
  plan.memory = estimate_training_memory(model, shape);
  shape.batch = config.batch_size;
  shape.gradient_checkpointing = config.gradient_checkpointing;
  training.config_memory = estimate_training_memory(model, shape);
}

void plan_forward(const ForwardWork& work, const Ceilings& ceilings, CasePlan& plan) {
  plan.flops = work.flops;
  plan.bytes = work.bytes();
  plan.weight_bytes = work.weight_bytes;
  plan.kv_bytes = work.kv_bytes;
  bound_time(ceilings, plan);
}

void plan_inference(const CaseSpec& spec, const model::ModelConfig& model, const Ceilings& ceilings, CasePlan& plan) {
  const std::string dtype = spec.config.at("dtype");
  plan.dtype = dtype == "auto" ? ceilings.mixed_dtype : dtype;
  const std::int64_t batch = spec.config.at("batch"), element = element_bytes(plan.dtype);
  plan.batch = static_cast<double>(batch);
  if (spec.type == "memory") {
    const std::int64_t longest = spec.config.at("seq_lengths").back();
    plan.tokens = plan.batch * static_cast<double>(longest);
    if (spec.config.at("mode") == "train")
      plan.memory = estimate_training_memory(
          model, {batch, longest, element, spec.config.at("gradient_checkpointing").get<bool>(),
                  spec.config.value("compile_model", true), ceilings.kernels, ceilings.tiled_attention});
    else
      plan.memory = estimate_decode_memory(model, {batch, std::max<std::int64_t>(longest - 1, 1), longest, element, 0});
    return;
  }
  const std::int64_t prompt = spec.config.at("prompt_tokens");
  const std::int64_t new_tokens = spec.type == "decode" ? spec.config.at("new_tokens").get<std::int64_t>() : 0;
  plan.memory = estimate_decode_memory(model, {batch, prompt, prompt + new_tokens, element, 0});
  if (spec.type == "decode") {
    plan.tokens = plan.batch;
    const std::string quantize = spec.config.value("quantize", "none");
    plan_forward(decode_step_work(model, batch, prompt, new_tokens, element, quantize), ceilings, plan);
  } else {
    plan.tokens = plan.batch * static_cast<double>(prompt);
    plan_forward(forward_work(model, {plan.batch, static_cast<double>(prompt), 0, element}), ceilings, plan);
  }
}

std::optional<CasePlan> plan_case(const Suite& suite, const CaseSpec& spec, const Ceilings& ceilings) {
  const bool known = spec.type == "train" || spec.type == "prefill" || spec.type == "decode" || spec.type == "memory";
  const auto model = known ? model_of(suite, spec) : std::nullopt;
  if (!model) return {};
  CasePlan plan;
  plan.name = spec.name;
  plan.type = spec.type;
  plan.parameters = static_cast<double>(parameter_count(*model));
  plan.parameters_without_embedding = static_cast<double>(parameter_count_without_embedding(*model));
  if (spec.type != "train") {
    plan_inference(spec, *model, ceilings, plan);
    return plan;
  }
  plan_training(spec, *model, ceilings, plan);
  bound_time(ceilings, plan);
  return plan;
}

/// The best value of a metric that arithmetic allows, or NaN. For a training step attention is not counted, so that
/// nobody can say a target was put out of reach by counting too much.
double bound_of(const std::string& metric, const CasePlan& plan, const Ceilings& ceilings) {
  if (metric == "peak_memory") return plan.memory.total() * 1e-9;
  if (plan.training) {
    const double flops_per_s = ceilings.matmul(plan.dtype).rate;
    const double steps_per_s = flops_per_s / plan.training->flops_without_attention;
    if (metric == "train_steps_per_s") return steps_per_s;
    if (metric == "train_hours") return plan.training->max_steps / steps_per_s / 3600;
    if (metric == "train_days") return plan.training->max_steps / steps_per_s / 86400;
    if (metric == "train_tokens_per_s") return steps_per_s * plan.tokens;
    if (metric == "train_micro_steps_per_s")
      return steps_per_s * plan.batch / static_cast<double>(plan.training->micro_batch_size);
    if (metric == "train_tflops") return flops_per_s * 1e-12;
  }
  if (metric == plan.type + "_tokens_per_s") return plan.tokens / plan.seconds;
  return std::nan("");
}

TargetPlan plan_target(const GateConfig& gate, const std::string& case_name, const CasePlan* plan,
                       const Ceilings& ceilings) {
  TargetPlan target;
  target.case_name = case_name;
  target.gate = gate;
  const bool wants_more = gate.allowed().only_from_below();
  target.low = target.high = gate.limit()[0];
  if (!gate.target.empty()) target.high = gate.target[1];
  target.bound = plan ? bound_of(gate.metric, *plan, ceilings) : std::nan("");
  target.low_factor = wants_more ? target.low / target.bound : target.bound / gate.limit().back();
  target.high_factor = wants_more ? target.high / target.bound : target.low_factor;
  if (!std::isnan(target.bound)) target.reach = target.low_factor > 1 ? Reach::kOut : Reach::kNotExcluded;
  return target;
}

}  // namespace

const char* reach_name(Reach reach) {
  switch (reach) {
    case Reach::kOut:
      return "out_of_reach";
    case Reach::kNotExcluded:
      return "not_excluded";
    case Reach::kNoBound:
      return "no_bound";
  }
  return "?";
}

const CasePlan* Plan::find(const std::string& case_name) const {
  const auto found =
      std::find_if(cases.begin(), cases.end(), [&](const CasePlan& one) { return one.name == case_name; });
  return found == cases.end() ? nullptr : &*found;
}

Plan make_plan(const Suite& suite, const Ceilings& ceilings) {
  Plan plan;
  plan.suite = suite.name;
  plan.ceilings = ceilings;
  for (const auto& spec : suite.cases)
    if (auto one = plan_case(suite, spec, ceilings)) plan.cases.push_back(std::move(*one));
  for (const auto& spec : suite.cases)
    for (const auto& gate : spec.gates) {
      if (gate.limit().size() > 1 || !gate.relative_to.empty()) continue;
      plan.targets.push_back(plan_target(gate, spec.name, plan.find(spec.name), ceilings));
      const CaseSpec* trainer = has(spec, "checkpoint") ? trainer_of(suite, spec.config.at("checkpoint")) : nullptr;
      if (trainer) plan.targets.back().trained_by = trainer->name;
    }
  return plan;
}

double tokens_in_hours(const CasePlan& plan, double hours) { return hours * 3600 * plan.tokens / plan.seconds; }

double days_of_training(const CasePlan& plan) {
  return plan.training ? plan.training->max_steps * plan.seconds / 86400 : 0;
}

}  // namespace bench::harness
