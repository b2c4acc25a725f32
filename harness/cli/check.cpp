#include "harness/cli/verbs.h"
#include "harness/inference_config.h"
#include "harness/machine.h"
#include "harness/suite.h"
#include "harness/training/training_config.h"
#include "model/config.h"

#include <iostream>
#include <memory>

namespace bench::harness {
namespace {

/// Checks a file by the key that only its kind has, and says what it is.
std::string check_file(const std::string& file) {
  const YamlNode root = YamlNode::load(file);
  if (root.child("cases").defined()) return fmt::format("suite of {} cases", read_suite(file).cases.size());
  if (root.child("train").defined()) {
    const auto config = read_config<TrainingConfig>(root);
    return fmt::format("training config, {} tokens a step", config.tokens_per_step());
  }
  if (root.child("generation").defined()) {
    read_config<InferenceConfig>(root);
    return "inference config";
  }
  if (root.child("memory_gb_per_s").defined())
    return fmt::format("machine, {}", read_config<Machine>(root).description);
  const auto config = read_config<model::ModelConfig>(root);
  return fmt::format("model config, {} parameters, {} without the embedding", parameter_count(config),
                     parameter_count_without_embedding(config));
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
