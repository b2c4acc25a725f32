#pragma once

#include <cstdint>

namespace bench::model {

/// How the next token is chosen; the values are those of configs/inference.yaml.
struct SamplingConfig {
  bool do_sample = true;            // false: the most probable token
  double temperature = 0.8;         // > 0
  std::int64_t top_k = 50;          // 0: no limit
  double top_p = 0.95;              // (0, 1]
  double repetition_penalty = 1.1;  // 1: none
};

}  // namespace bench::model
