#pragma once

#include "harness/cases/context.h"
#include "harness/cost/case_plan.h"
#include "harness/training/training_config.h"
#include "model/config.h"

#include <optional>

namespace bench::harness {

struct TrainCaseConfig {
  FileOr<model::ModelConfig> model;
  FileOr<TrainingConfig> training;
  OneOf<"synthetic", "text", "text_or_synthetic"> tokens;
  bool train_tokenizer = false, keep_checkpoint = false, all_steps = false;
  std::int64_t steps = 10;
  CountOrAuto micro_batch_size;
  double memory_budget_gb = 0;
  std::optional<bool> gradient_checkpointing, compile_model;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("model", self.model, "model config, a file or its keys");
    visit("training", self.training, "training config, a file or its keys; its device is replaced by the run's");
    visit("tokens", self.tokens,
          "of the built-in language, of the training config's text, or of that if it is there and else the former");
    visit("train_tokenizer", self.train_tokenizer,
          "train the tokenizer on the text first, with the model's vocab_size");
    visit("keep_checkpoint", self.keep_checkpoint,
          "a whole run: log, evaluate, write the training config's output_dir (replacing a run in it)");
    visit("steps", self.steps, "at most so many optimizer steps, within the case's budget_s");
    visit("all_steps", self.all_steps,
          "make them all, with every micro-batch, even when their speed is known sooner or budget_s is used up");
    visit(
        "micro_batch_size", self.micro_batch_size,
        "sequences of one forward and backward pass; 0: the training config's batch_size; auto: the fastest that fits");
    visit("memory_budget_gb", self.memory_budget_gb, "of micro_batch_size: auto, in 1e9 bytes; 0: what is free");
    visit("gradient_checkpointing", self.gradient_checkpointing,
          "instead of the training config's; auto chooses itself");
    visit("compile_model", self.compile_model, "instead of the training config's");
  }
  void validate(const Require& require) const;
};

/// Runs optimizer steps at the config's effective batch. If there is no time for even one step, runs as many of its
/// micro-batches as there is time for and one update, and the record says so.
void run_train(const TrainCaseConfig& config, Context& context, Record& record);

/// Computes what an optimizer step must cost.
void plan_train(const TrainCaseConfig& config, const model::ModelConfig& model, const Ceilings& ceilings,
                CasePlan& plan);

}  // namespace bench::harness
