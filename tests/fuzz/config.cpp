// Every config but the suite: YAML, then a --set behind each zero byte.
#include "model/config.h"

#include "harness/checkpoints/inference_config.h"
#include "harness/host/machine.h"
#include "harness/judging/gate.h"
#include "harness/training/training_config.h"
#include "tests/fuzz/entry.h"

namespace bench::tests {
namespace {

using namespace harness;

/// One key of each kind that a config may have.
struct AllKinds {
  FileOr<model::ModelConfig> model;
  std::vector<GateConfig> gates;
  std::vector<std::string> names;
  std::optional<bool> maybe;
  CountOrAuto count;
  double number = 0;
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("model", self.model, "");
    visit("gates", self.gates, "");
    visit("names", self.names, "");
    visit("maybe", self.maybe, "");
    visit("count", self.count, "");
    visit("number", self.number, "");
  }
};

/// What was read is written and read again as the same.
template <class Config>
Config read(const std::string& text, const std::vector<std::string>& sets) {
  const auto overrides = std::make_shared<Overrides>(sets);
  const auto config = read_config<Config>(YamlNode::parse(text, "input.yaml", overrides));
  overrides->check_all_used();
  if constexpr (!std::is_same_v<Config, AllKinds>) {  // a gate's JSON leaves its other kinds out: gate_json
    const Json json = to_json(config);
    claim(to_json(read_config<Config>(YamlNode::parse(dumped(json), "again"))) == json, "a config reads back");
  }
  return config;
}

}  // namespace
}  // namespace bench::tests

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bench::tests;
  namespace harness = bench::harness;
  namespace model = bench::model;
  const auto parts = parts_of(data, size);
  const std::vector<std::string> sets(parts.begin() + 1, parts.end());
  take_or_refuse([&] {
    const auto config = read<model::ModelConfig>(parts[0], sets);
    claim(model::parameter_count(config) > 0, "parameters are counted without overflow");
    claim(model::training_flops_per_token(config, config.max_seq_length) > 0, "so is the work");
  });
  take_or_refuse([&] { claim(read<harness::TrainingConfig>(parts[0], sets).tokens_per_step() > 0, "tokens"); });
  take_or_refuse([&] { read<harness::InferenceConfig>(parts[0], sets); });
  take_or_refuse([&] { read<harness::Machine>(parts[0], sets); });
  take_or_refuse([&] { read<AllKinds>(parts[0], sets); });
  return take_or_refuse([&] {
    const auto overrides = std::make_shared<harness::Overrides>(sets);
    const auto gate =
        harness::read_config<harness::GateConfig>(harness::YamlNode::parse(parts[0], "gate.yaml", overrides));
    claim(harness::gate_from_json(harness::gate_json(gate), "again").text() == gate.text(), "a gate reads back");
  });
}
