#include "harness/planning/plan.h"

namespace bench::harness {
namespace {

Json to_json(const MemoryEstimate& memory) {
  Json json = {{"total_bytes", memory.total()},
               {"live_bytes", memory.live()},
               {"least_total_bytes", memory.least_total()},
               {"moment", memory.moment}};
  memory.components([&](const char* name, double bytes) { json[fmt::format("{}_bytes", name)] = bytes; });
  return json;
}

const char* bound_name(bool by_memory) { return by_memory ? "memory reads" : "matrix products"; }

Json to_json(const LikelyTime& likely, bool by_memory) {
  return {{"launches", likely.launches},
          {"launches_with_operators", likely.launches_with_operators},
          {"work_s", likely.work_s},
          {"fast_s", likely.fast_s},
          {"likely_s", likely.likely_s},
          {"slow_s", likely.slow_s},
          {"bound_by", likely.bound_by_launches ? "launches" : bound_name(by_memory)}};
}

Json to_json(const LaunchCosts& launch) {
  Json json = Json::object();
  for (const auto& [name, cost] : {std::pair{"low", launch.low}, {"likely", launch.likely}, {"high", launch.high}})
    json[name] = {{"seconds", cost.seconds}, {"source", cost.source}};
  return json;
}

Json to_json(const std::optional<LikelyRange>& range) {
  if (!range) return nullptr;
  return {{"worst", range->worst}, {"likely", range->likely}, {"best", range->best}};
}

Json to_json(const CasePlan& plan) {
  Json json = {{"name", plan.name},
               {"type", plan.type},
               {"dtype", plan.dtype},
               {"parameters", plan.parameters},
               {"parameters_without_embedding", plan.parameters_without_embedding},
               {"batch", plan.batch},
               {"tokens", plan.tokens},
               {"flops", plan.flops},
               {"bytes", plan.bytes},
               {"least_time_s", plan.seconds},
               {"bound_by", plan.seconds == 0 ? "" : bound_name(plan.bound_by_memory)},
               {"memory", to_json(plan.memory)}};
  if (plan.likely) json["likely"] = to_json(*plan.likely, plan.bound_by_memory);
  if (!plan.training) return json;
  const TrainingPlan& training = *plan.training;
  json["training"] = {{"flops_without_attention", training.flops_without_attention},
                      {"max_steps", training.max_steps},
                      {"tokens_of_max_steps", training.max_steps * training.tokens_per_step},
                      {"tokens_per_parameter", training.max_steps * training.tokens_per_step / plan.parameters},
                      {"days_at_least", seconds_of_training(plan) / 86400},
                      {"tokens_in_22h", tokens_in_hours(plan, 22)},
                      {"memory_at_the_configs_batch_size", to_json(training.config_memory)}};
  return json;
}

}  // namespace

Json to_json(const Plan& plan) {
  const Ceilings& c = plan.ceilings;
  Json json = {{"schema", "bench-plan/1"},
               {"suite", plan.suite},
               {"machine", c.machine},
               {"ceilings",
                {{"fp32_flops_per_s", c.fp32.rate},
                 {"fp32_source", c.fp32.source},
                 {"mixed_dtype", c.mixed_dtype},
                 {"mixed_flops_per_s", c.mixed.rate},
                 {"mixed_source", c.mixed.source},
                 {"read_bytes_per_s", c.read.rate},
                 {"read_source", c.read.source},
                 {"read_share_of_programs", c.read_share},
                 {"memory_bytes", number_or_null(c.memory_bytes)},
                 {"launch", c.launch ? to_json(*c.launch) : Json(nullptr)}}},
               {"targets", Json::array()},
               {"cases", Json::array()}};
  for (const auto& target : plan.targets)
    json["targets"].push_back({{"case", target.case_name},
                               {"metric", target.gate.metric},
                               {"gate", target.gate.text()},
                               {"unit", target.gate.unit},
                               {"reach", reach_name(target.reach)},
                               {"low", target.low},
                               {"high", target.high},
                               {"bound", number_or_null(target.bound)},
                               {"likely", to_json(target.likely)},
                               {"low_factor", number_or_null(target.low_factor)},
                               {"high_factor", number_or_null(target.high_factor)}});
  for (const auto& one : plan.cases) json["cases"].push_back(to_json(one));
  return json;
}

}  // namespace bench::harness
