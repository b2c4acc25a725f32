#pragma once

#include "harness/core/fields.h"

#include <cstdint>
#include <string>
#include <vector>

namespace bench::harness {

/// The parts of configs/training*.yaml. The default values are those of the plan for the medium model.
struct DataConfig {
  std::string train_path = "data/processed/train.txt", valid_path = "data/processed/valid.txt";
  std::string tokenizer_model = "models/tokenizer.model";

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("train_path", self.train_path,
          "text to train on, one paragraph a line; 'synthetic' for the built-in language");
    visit("valid_path", self.valid_path, "held-out text; 'synthetic' for the built-in language");
    visit("tokenizer_model", self.tokenizer_model, "SentencePiece model");
  }
};

struct OptimizerConfig {
  OneOf<"adamw"> name;
  std::vector<double> betas{0.9, 0.95};
  double eps = 1.0e-8;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("name", self.name, "of the optimizer");
    visit("betas", self.betas, "decay of the two moments");
    visit("eps", self.eps, "added to the root of the second moment");
  }
  void validate(const Require& require) const;
};

struct TrainConfig {
  std::int64_t batch_size = 16, gradient_accumulation_steps = 4, effective_batch_size = 64;
  std::int64_t max_seq_length = 2048;
  double learning_rate = 2.0e-4, weight_decay = 0.1, max_grad_norm = 1.0;
  std::int64_t warmup_steps = 4000, max_steps = 200000;
  OneOf<"cosine", "constant"> lr_scheduler;
  double min_lr = 2.0e-5;
  std::int64_t save_steps = 5000, eval_steps = 1000, logging_steps = 100;
  std::string output_dir = "checkpoints/medium/";
  OneOf<"auto", "bf16", "fp16"> mixed_dtype;
  bool mixed_precision = true, gradient_checkpointing = false, compile_model = true;
  std::int64_t num_workers = 8;
  bool pin_memory = true, persistent_workers = true;
  std::int64_t prefetch_factor = 4;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("batch_size", self.batch_size, "sequences of one accumulation step");
    visit("gradient_accumulation_steps", self.gradient_accumulation_steps, "of them in one optimizer step");
    visit("effective_batch_size", self.effective_batch_size, "sequences of one optimizer step; must be the product");
    visit("max_seq_length", self.max_seq_length, "tokens of each sequence");
    visit("learning_rate", self.learning_rate, "at its peak, after the warm-up");
    visit("weight_decay", self.weight_decay, "decoupled, on matrices only");
    visit("max_grad_norm", self.max_grad_norm, "gradients are scaled down to this global norm");
    visit("warmup_steps", self.warmup_steps, "optimizer steps in which the learning rate rises from 0");
    visit("max_steps", self.max_steps, "optimizer steps in all");
    visit("lr_scheduler", self.lr_scheduler, "how the learning rate goes on after the warm-up");
    visit("min_lr", self.min_lr, "at the end of the cosine");
    visit("save_steps", self.save_steps, "a checkpoint every so many steps");
    visit("eval_steps", self.eval_steps, "validation perplexity every so many steps");
    visit("logging_steps", self.logging_steps, "a line in metrics.jsonl every so many steps");
    visit("output_dir", self.output_dir, "run directory: checkpoints, metrics.jsonl; final/ is the last checkpoint");
    visit("mixed_precision", self.mixed_precision, "16-bit activations and products over fp32 master weights");
    visit("mixed_dtype", self.mixed_dtype,
          "of what mixed precision computes in; auto is bf16 where the device is fast at it, else fp32");
    visit("gradient_checkpointing", self.gradient_checkpointing,
          "recompute each block's activations in the backward pass");
    visit("compile_model", self.compile_model, "our fused operators; false: the plain ones");
    visit("num_workers", self.num_workers, "threads that tokenize, and that prepare batches");
    visit("pin_memory", self.pin_memory, "batches in page-locked memory (cuda only)");
    visit("persistent_workers", self.persistent_workers,
          "must be true while there are workers: ours live as long as the run");
    visit("prefetch_factor", self.prefetch_factor, "batches that each worker is ahead");
  }
  void validate(const Require& require) const;
};

struct WandbConfig {
  bool enabled = false;
  std::string project, name;
  std::vector<std::string> tags;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("enabled", self.enabled, "write wandb.json beside metrics.jsonl, for scripts/wandb_sync to send");
    visit("project", self.project, "of Weights & Biases");
    visit("name", self.name, "of the run");
    visit("tags", self.tags, "of the run");
  }
};

struct TrainingConfig {
  std::int64_t seed = 1337;
  std::string device = "auto";
  DataConfig data;
  TrainConfig train;
  OptimizerConfig optimizer;
  WandbConfig wandb;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("seed", self.seed, "of the weights, the batches and dropout");
    visit("device", self.device, "auto, or one of `bench list devices`");
    visit("data", self.data, "");
    visit("train", self.train, "");
    visit("optimizer", self.optimizer, "");
    visit("wandb", self.wandb, "");
  }
  void validate(const Require& require) const;

  std::int64_t tokens_per_step() const { return train.effective_batch_size * train.max_seq_length; }
};

}  // namespace bench::harness
