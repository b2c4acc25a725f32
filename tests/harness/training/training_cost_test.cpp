#include "harness/training/training_cost.h"

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

TEST(TrainingCost, SaysTimeCheckpointsAndPasses) {
  TrainingConfig config;  // the plan's: 131,072 tokens a step, a checkpoint every 5000 of 200000 steps
  const model::ModelConfig medium = model::ModelConfig::medium();
  RunPace pace{.steps_done = 3, .last_step = 200000, .step_s = 3.6, .text_tokens = std::int64_t{131072} * 25000};
  EXPECT_EQ(training_cost_text(medium, config, pace),
            "about 8.3 days left; a checkpoint every 5.0 h, 4.8 GB each, 40 of them (191 GB); max_steps 200000 are 8 "
            "passes over the text");
  pace.text_tokens /= 5;
  EXPECT_NE(training_cost_text(medium, config, pace).find("40 passes over the text\nwarning: beyond about 10 passes"),
            std::string::npos);
  pace = {.steps_done = 7000, .last_step = 7100, .step_s = 1, .text_tokens = std::int64_t{131072} * 25000};
  EXPECT_EQ(training_cost_text(medium, config, pace).find("about 100 s left; one checkpoint of 4.8 GB at the end; "),
            0u);
}

}  // namespace
}  // namespace bench::harness
