#include "harness/training/training_cost.h"

#include "harness/core/units.h"

namespace bench::harness {
namespace {

// Muennighoff et al., 2023 (arXiv 2305.16264): repeating a text 4 times is nearly as good as new text, 16 times hardly
// helps any more.
constexpr double kMostPasses = 10;
constexpr double kCheckpointBytesPerParameter = 3 * 4;  // the weight and AdamW's two moments, fp32

std::string checkpoints_text(const model::ModelConfig& model, const TrainConfig& train, const RunPace& pace) {
  const double gb = kCheckpointBytesPerParameter * static_cast<double>(parameter_count(model)) / 1e9;
  // The last step writes only final/.
  const std::int64_t count = (pace.last_step - 1) / train.save_steps - pace.steps_done / train.save_steps + 1;
  if (count == 1) return fmt::format("one checkpoint of {:.1f} GB at the end", gb);
  return fmt::format("a checkpoint every {}, {:.1f} GB each, {} of them ({:.0f} GB)",
                     duration_text(static_cast<double>(train.save_steps) * pace.step_s), gb, count,
                     gb * static_cast<double>(count));
}

}  // namespace

std::string training_cost_text(const model::ModelConfig& model, const TrainingConfig& config, const RunPace& pace) {
  const double passes = static_cast<double>(config.tokens_per_step()) * static_cast<double>(config.train.max_steps) /
                        static_cast<double>(pace.text_tokens);
  std::string text = fmt::format("about {} left; {}; max_steps {} are {:.3g} passes over the text",
                                 duration_text(static_cast<double>(pace.last_step - pace.steps_done) * pace.step_s),
                                 checkpoints_text(model, config.train, pace), config.train.max_steps, passes);
  if (passes > kMostPasses)
    text += fmt::format(
        "\nwarning: beyond about {:.0f} passes a model learns the text by heart: lower max_steps or add text",
        kMostPasses);
  return text;
}

}  // namespace bench::harness
