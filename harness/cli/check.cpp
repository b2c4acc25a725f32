#include "harness/checkpoints/inference_config.h"
#include "harness/cli/verbs.h"
#include "harness/planning/ceilings.h"
#include "harness/running/suite.h"
#include "harness/training/training_config.h"
#include "model/config.h"

#include <algorithm>
#include <iostream>
#include <memory>

#include <fmt/ranges.h>

namespace bench::harness {
namespace {

template <class Config>
std::vector<std::string> top_keys() {
  std::vector<std::string> keys;
  const Config config;
  Config::fields(config, [&](const char* key, const auto&, const char*) { keys.push_back(key); });
  return keys;
}

/// A kind of file: the keys that only it has, and how it is checked.
struct Kind {
  const char* name;
  std::vector<std::string> keys;
  std::string (*check)(const YamlNode& root, const std::string& file);
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all{
      {"suite",
       {"cases", "machines"},
       [](const YamlNode&, const std::string& file) {
         return fmt::format("suite of {} cases", read_suite(file).cases.size());
       }},
      {"training config",
       {"train", "data", "optimizer", "wandb"},
       [](const YamlNode& root, const std::string&) {
         return fmt::format("training config, {} tokens a step", read_config<TrainingConfig>(root).tokens_per_step());
       }},
      {"inference config",
       {"generation", "model"},
       [](const YamlNode& root, const std::string&) {
         read_config<InferenceConfig>(root);
         return std::string("inference config");
       }},
      {"machine",
       {"memory_gb_per_s", "memory_bytes", "match"},
       [](const YamlNode& root, const std::string&) {
         const auto machine = read_config<Machine>(root);
         ceilings_of(machine);  // what a plan needs of it
         return fmt::format("machine, {}", machine.description);
       }},
      {"model config", top_keys<model::ModelConfig>(), [](const YamlNode& root, const std::string&) {
         const auto config = read_config<model::ModelConfig>(root);
         return fmt::format("model config, {} parameters, {} without the embedding", parameter_count(config),
                            parameter_count_without_embedding(config));
       }}};
  return all;
}

/// Tells a file's kind by the keys that only this kind has, checks the file, and says what it is.
std::string check_file(const std::string& file) {
  const YamlNode root = YamlNode::load(file);
  const std::vector<std::string> keys = root.keys();
  std::vector<std::string> known;
  for (const auto& kind : kinds()) {
    if (std::ranges::find_first_of(keys, kind.keys) != keys.end()) return kind.check(root, file);
    known.push_back(fmt::format("{} ({})", kind.name, kind.keys.front()));
  }
  throw Error(file, keys.empty() ? "is empty" : "is of no kind that bench knows",
              fmt::format("kinds, and a key of each: {}", fmt::join(known, ", ")));
}

}  // namespace

void add_check(CLI::App& app, Exit& exit) {
  auto files = std::make_shared<std::vector<std::string>>();
  CLI::App* verb = app.add_subcommand("check", "Validate configs and suites without running anything");
  verb->add_option("files", *files, "YAML files")->required();
  verb->callback([files, &exit] {
    for (const auto& file : *files) {
      try {
        std::cout << fmt::format("{}: {}\n", file, check_file(file));
      } catch (const Error& e) {
        std::cerr << e.what() << "\n";  // and on to the next file
        exit = Exit::kUsage;
      }
    }
  });
}

}  // namespace bench::harness
