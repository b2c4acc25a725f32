#include "harness/planning/plan.h"

#include "harness/cases/cases.h"
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

std::optional<CasePlan> plan_case(const Suite& suite, const CaseSpec& spec, const Ceilings& ceilings) {
  const CaseType* type = find_case_type(spec.type);
  const auto model = type && type->plan ? model_of(suite, spec) : std::nullopt;
  if (!model) return {};
  CasePlan plan;
  plan.name = spec.name;
  plan.type = spec.type;
  plan.parameters = static_cast<double>(parameter_count(*model));
  plan.parameters_without_embedding = static_cast<double>(parameter_count_without_embedding(*model));
  type->plan(spec.config, *model, ceilings, plan);
  if (plan.type == "decode") plan_decode_launches(*model, ceilings, plan);
  return plan;
}

/// The best value of a metric that arithmetic allows, or NaN. The cost of a training step leaves attention out, so that
/// no target is ever called out of reach because too much was counted.
double bound_of(const std::string& metric, const CasePlan& plan, const Ceilings& ceilings) {
  if (metric == "peak_memory") return plan.memory.live() * 1e-9;
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

std::optional<LikelyRange> likely_range(const std::string& metric, const CasePlan& plan) {
  const MemoryEstimate& memory = plan.memory;
  if (metric == "peak_memory" && memory.pools > 0)
    return LikelyRange{memory.total() * 1e-9, (memory.least_total() + memory.total()) / 2 * 1e-9,
                       memory.least_total() * 1e-9};
  if (metric == plan.type + "_tokens_per_s" && plan.likely)
    return LikelyRange{plan.tokens / plan.likely->slow_s, plan.tokens / plan.likely->likely_s,
                       plan.tokens / plan.likely->fast_s};
  return {};
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
  if (plan) target.likely = likely_range(gate.metric, *plan);
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
  const auto found = std::ranges::find(cases, case_name, &CasePlan::name);
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

double seconds_of_training(const CasePlan& plan) { return plan.training ? plan.training->max_steps * plan.seconds : 0; }

}  // namespace bench::harness
