#include "harness/checkpoints/inference_config.h"

#include "harness/devices/device_names.h"

namespace bench::harness {

void InferenceConfig::Model::validate(const Require& require) const { require_device_name(require, device); }

void InferenceConfig::Generation::validate(const Require& require) const {
  require(max_length > 1, "max_length", "must be at least 2", "");
  require(temperature > 0, "temperature", "must be positive", "do_sample: false takes the most probable token");
  require(top_p > 0 && top_p <= 1, "top_p", "must be in (0, 1]", "");
  require(top_k >= 0, "top_k", "must not be negative", "0 keeps all tokens");
  require(repetition_penalty > 0, "repetition_penalty", "must be positive", "1 is no penalty");
  require(batch_size > 0, "batch_size", "must be positive", "");
  require_sizes(require, {{"max_length", max_length}, {"top_k", top_k}, {"batch_size", batch_size}});
}

}  // namespace bench::harness
