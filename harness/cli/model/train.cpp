#include "harness/training/train.h"

#include "harness/cli/checks.h"
#include "harness/cli/verbs.h"
#include "harness/core/progress.h"
#include "harness/core/units.h"
#include "harness/devices/device_names.h"
#include "harness/training/memory_estimate.h"
#include "harness/training/training_cost.h"

#include <algorithm>
#include <iostream>
#include <memory>
#include <numeric>

namespace bench::harness {
namespace {

struct Options {
  std::string model, training, device;
  std::vector<std::string> set;
  std::string micro_batch_size = "0", memory_budget;
  std::int64_t max_steps = 0;
  bool resume = false, accept_changes = false, overwrite = false;
};

MicroBatch micro_batch(const Options& options) {
  MicroBatch choice;
  choice.budget_key = "--memory-budget";
  choice.size.automatic = options.micro_batch_size == "auto";
  if (!choice.size.automatic) choice.size.count = std::stoll(options.micro_batch_size);  // checked when it was read
  if (options.memory_budget.empty()) return choice;
  if (!choice.size.automatic)
    throw Error("--memory-budget", "is for --micro-batch-size auto",
                "a micro-batch of a fixed size takes what it takes");
  choice.budget_bytes = parse_bytes(options.memory_budget, "--memory-budget");
  return choice;
}

/// Says once what the run will cost, as soon as that is known: after a slow step or the third.
class CostNotice {
 public:
  CostNotice(const model::ModelConfig& model, const TrainingConfig& config, const TrainingData& data,
             std::int64_t max_steps)
      : model_(model), config_(config) {
    pace_.last_step = max_steps > 0 ? std::min(max_steps, config.train.max_steps) : config.train.max_steps;
    pace_.text_tokens = data.train.size();
  }
  void after(const StepResult& result, double step_s) {
    constexpr std::int64_t kSteps = 3;  // the first is slower
    constexpr double kSlow_s = 20;
    if (said_ || (++steps_ < kSteps && step_s < kSlow_s)) return;
    said_ = true;
    pace_.steps_done = result.step;
    pace_.step_s = step_s;
    if (pace_.steps_done < pace_.last_step) print_status(training_cost_text(model_, config_, pace_));
  }

 private:
  const model::ModelConfig& model_;
  const TrainingConfig& config_;
  RunPace pace_;
  std::int64_t steps_ = 0;
  bool said_ = false;
};

Exit run(const Options& options) {
  const auto overrides = std::make_shared<Overrides>(options.set);
  const auto model = read_config<model::ModelConfig>(YamlNode::load(options.model));
  auto config = read_config<TrainingConfig>(YamlNode::load(options.training, overrides));
  overrides->check_all_used();
  if (!options.device.empty()) config.device = options.device;
  const Device& device =
      find_device(config.device, options.device.empty() ? options.training + ": device" : "--device");
  device.prepare();
  const Execution execution = choose_execution(model, config, micro_batch(options), device, "--micro-batch-size");
  check_training_fits(model, execution, config.train.max_seq_length, device);
  std::cerr << fmt::format("micro-batches of {}, checkpointing {}: {} predicted\n", execution.micro_batch_size,
                           execution.gradient_checkpointing ? "on" : "off",
                           estimate_training_memory(model, execution, config.train.max_seq_length, &device).text());
  const TrainingData data = load_training_data(config.data, model, std::max<std::int64_t>(config.train.num_workers, 1));
  std::cerr << fmt::format("{} parameters ({} without the embedding), {} tokens of {}\n", parameter_count(model),
                           parameter_count_without_embedding(model), data.train.size(), data.train.source);
  if (!data.overlap.empty()) print_status("warning: " + data.overlap);
  CostNotice notice(model, config, data, options.max_steps);
  TrainOptions how{.max_steps = options.max_steps,
                   .execution = execution,
                   .resume = options.resume,
                   .accept_changes = options.accept_changes,
                   .overwrite = options.overwrite};
  how.on_step = [&](const StepResult& result, const std::vector<double>& micro_s, double update_s) {
    notice.after(result, std::accumulate(micro_s.begin(), micro_s.end(), update_s));
  };
  const TrainSummary summary = train(model, config, data, device, how);
  if (summary.signal != 0) {
    print_status(fmt::format("interrupted after step {}; checkpoint {}; go on with --resume", summary.steps,
                             summary.checkpoint.string()));
    return static_cast<Exit>(128 + summary.signal);  // as shells say that a signal ended a program
  }
  std::cout << fmt::format("{} steps ({})\nvalidation perplexity {:.3f} (disjoint, context {})\ncheckpoint {}\n",
                           summary.steps, summary.execution, summary.valid_perplexity, config.train.max_seq_length,
                           summary.checkpoint.string());
  return Exit::kOk;
}

}  // namespace

void add_train(CLI::App& app, Exit& exit) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("train", "Train a model; checkpoints are Hugging Face folders");
  verb->add_option("--model", options->model, "model config")->required();
  verb->add_option("--training", options->training, "training config")->required();
  verb->add_option("--max-steps", options->max_steps, "stop at this optimizer step; the schedule stays the config's")
      ->check(whole_number(1));
  verb->add_option(
          "--micro-batch-size", options->micro_batch_size,
          "sequences of one forward and backward pass, or auto: the fastest that fits [the config's batch_size]")
      ->check(whole_number_or_auto(1));
  verb->add_option("--memory-budget", options->memory_budget,
                   "of --micro-batch-size auto, such as 10GB [what is free]");
  verb->add_option("--device", options->device, device_choices() + " [the config's]");
  auto* resume = verb->add_flag("--resume", options->resume, "go on from the newest whole checkpoint in output_dir");
  verb->add_flag("--accept-changes", options->accept_changes, "of --resume: also if the config has changed since")
      ->needs(resume);
  verb->add_flag("--overwrite", options->overwrite, "replace a run that is in output_dir already")->excludes(resume);
  verb->add_option("--set", options->set, "KEY=VALUE of the training config, such as train.max_steps=100 or device=cpu")
      ->allow_extra_args(false);
  verb->callback([options, &exit] { exit = run(*options); });
}

}  // namespace bench::harness
