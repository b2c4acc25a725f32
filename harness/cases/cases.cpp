#include "harness/cases/cases.h"

#include "harness/cases/command.h"
#include "harness/cases/decode.h"
#include "harness/cases/memory.h"
#include "harness/cases/operator.h"
#include "harness/cases/perplexity.h"
#include "harness/cases/prefill.h"
#include "harness/cases/train.h"

namespace bench::harness {
namespace {

template <class Config>
Json read_case(FieldReader& reader) {
  Config config;
  reader.read(config);
  reader.check(config);
  return to_json(config);
}

template <class Config>
Config config_of(const Json& json, const std::string& where) {
  return read_config<Config>(YamlNode::parse(dumped(json), where));
}

template <class Config>
Json without_defaults_of(const Json& config) {
  return without_defaults(config_of<Config>(config, "config"), to_json(Config{}));
}

template <class Config, void (*kRun)(const Config&, Context&, Record&)>
void run_case(const Json& json, Context& context, Record& record) {
  const Config config = config_of<Config>(json, context.case_name);
  record.config = to_json(config);
  record.notes["device"] = context.device.name;
  kRun(config, context, record);
}

template <class Config, void (*kRun)(const Config&, Context&, Record&)>
constexpr CaseType row(const char* name, const char* meaning) {
  return {.name = name,
          .meaning = meaning,
          .read = read_case<Config>,
          .run = run_case<Config, kRun>,
          .without_defaults = without_defaults_of<Config>,
          .keys = [] { return describe_fields<Config>(); }};
}

/// The same for work that arithmetic says something about.
template <class Config, void (*kRun)(const Config&, Context&, Record&),
          void (*kPlan)(const Config&, const model::ModelConfig&, const Ceilings&, CasePlan&)>
constexpr CaseType planned_row(const char* name, const char* meaning) {
  CaseType type = row<Config, kRun>(name, meaning);
  type.plan = [](const Json& config, const model::ModelConfig& model, const Ceilings& ceilings, CasePlan& plan) {
    kPlan(config_of<Config>(config, plan.name), model, ceilings, plan);
  };
  return type;
}

constexpr CaseType command_row() {
  CaseType type =
      row<CommandConfig, run_command_case>("command", "any program: its time, its memory, the numbers it prints");
  type.reads = [](const Json& config) { return metrics_read(config_of<CommandConfig>(config, "config")); };
  return type;
}

constexpr CaseType kCaseTypes[] = {
    planned_row<TrainCaseConfig, run_train, plan_train>(
        "train", "optimizer steps: speed, loss curve, peak memory; may keep the checkpoint"),
    planned_row<PrefillConfig, run_prefill, plan_prefill>("prefill", "processing a prompt into the KV cache"),
    planned_row<DecodeConfig, run_decode, plan_decode>("decode", "new tokens one by one with the KV cache"),
    row<PerplexityConfig, run_perplexity>("perplexity", "a checkpoint's perplexity on held-out text"),
    planned_row<MemoryConfig, run_memory, plan_memory>(
        "memory", "peak memory at a list of sequence lengths, each in a process of its own"),
    row<OperatorConfig, run_operator>("operator", "one operator of the model, timed by Google Benchmark"),
    command_row(),
};

}  // namespace

std::span<const CaseType> case_types() { return kCaseTypes; }

const CaseType* find_case_type(const std::string& name) {
  for (const auto& type : kCaseTypes)
    if (name == type.name) return &type;
  return nullptr;
}

std::vector<std::string> case_type_names() {
  std::vector<std::string> names;
  for (const auto& type : kCaseTypes) names.push_back(type.name);
  return names;
}

}  // namespace bench::harness
