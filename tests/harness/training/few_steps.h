#pragma once

// A training run of a few steps of the tiny model.
#include "harness/checkpoints/checkpoints.h"
#include "harness/core/files.h"
#include "harness/training/train.h"
#include "tests/harness/training/processor.h"
#include "tests/model/tiny.h"
#include "tests/temporary_folder.h"

namespace bench::harness {

inline TrainingConfig few_steps(const std::filesystem::path& output) {
  TrainingConfig config;
  config.train.batch_size = config.train.effective_batch_size = 4;
  config.train.gradient_accumulation_steps = 1;
  config.train.max_seq_length = 16;
  config.train.learning_rate = 5e-3;
  config.train.warmup_steps = 2;
  config.train.max_steps = 6;
  config.train.num_workers = 0;
  config.train.mixed_precision = false;
  config.train.output_dir = output.string();
  return config;
}

inline TrainingData synthetic(std::uint64_t seed = 1) {
  TrainingData data;
  data.train = synthetic_tokens(96, 5'000, seed);
  data.valid = synthetic_tokens(96, 500, 2);
  return data;
}

/// The whole text of the error that `work` ends with.
inline std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

inline bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace bench::harness
