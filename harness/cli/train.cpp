#include "harness/training/train.h"

#include "harness/cli/verbs.h"
#include "harness/training/memory_estimate.h"

#include <iostream>
#include <memory>

namespace bench::harness {
namespace {

struct Options {
  std::string model, training, device;
  std::vector<std::string> set;
  std::int64_t max_steps = 0, micro_batch_size = 0;
  bool resume = false, overwrite = false;
};

void run(const Options& options) {
  const auto overrides = std::make_shared<Overrides>(options.set);
  const auto model = read_config<model::ModelConfig>(YamlNode::load(options.model));
  auto config = read_config<TrainingConfig>(YamlNode::load(options.training, overrides));
  overrides->check_all_used();
  if (!options.device.empty()) config.device = options.device;
  const Device& device =
      find_device(config.device, options.device.empty() ? options.training + ": device" : "--device");
  device.prepare();
  check_training_fits(model, execution_for(config, device, options.micro_batch_size, "--micro-batch-size"),
                      config.train.max_seq_length, device);
  const TrainingData data = load_training_data(config.data, model, std::max<std::int64_t>(config.train.num_workers, 1));
  std::cerr << fmt::format("{} parameters ({} without the embedding), {} tokens of {}\n", parameter_count(model),
                           parameter_count_without_embedding(model), data.train.size(), data.train.source);
  const TrainSummary summary = train(model, config, data, device,
                                     {.max_steps = options.max_steps,
                                      .micro_batch_size = options.micro_batch_size,
                                      .resume = options.resume,
                                      .overwrite = options.overwrite});
  std::cout << fmt::format("{} steps ({})\nvalidation perplexity {:.3f} (disjoint, context {})\ncheckpoint {}\n",
                           summary.steps, summary.execution, summary.valid_perplexity, config.train.max_seq_length,
                           summary.checkpoint.string());
}

}  // namespace

void add_train(CLI::App& app, Exit&) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("train", "Train a model; checkpoints are Hugging Face folders");
  verb->add_option("--model", options->model, "model config")->required();
  verb->add_option("--training", options->training, "training config")->required();
  verb->add_option("--max-steps", options->max_steps, "stop at this optimizer step; the schedule stays the config's")
      ->check(CLI::PositiveNumber);
  verb->add_option("--micro-batch-size", options->micro_batch_size,
                   "sequences of one forward and backward pass [the config's batch_size]")
      ->check(CLI::PositiveNumber);
  verb->add_option("--device", options->device, "auto, mps, cuda or cpu [the config's]");
  verb->add_flag("--resume", options->resume, "go on from the newest checkpoint in output_dir");
  verb->add_flag("--overwrite", options->overwrite, "replace a run that is in output_dir already");
  verb->add_option("--set", options->set, "KEY=VALUE of the training config, such as train.max_steps=100 or device=cpu")
      ->allow_extra_args(false);
  verb->callback([options] { run(*options); });
}

}  // namespace bench::harness
