#pragma once

#include "harness/cases/model_source.h"
#include "harness/cost/case_plan.h"

namespace bench::harness {

struct PrefillConfig {
  ModelSource source;
  std::int64_t batch = 1, prompt_tokens = 512, samples = 0;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    ModelSource::fields(self.source, visit);
    visit("batch", self.batch, "prompts processed together");
    visit("prompt_tokens", self.prompt_tokens, "tokens of each prompt");
    visit("samples", self.samples, "at most so many timed prompts; 0: as many as it takes, within budget_s");
  }
  void validate(const Require& require) const;
};

/// Times a prompt's forward pass into an empty cache, last logits included.
void run_prefill(const PrefillConfig& config, Context& context, Record& record);

/// Computes what a prompt must cost.
void plan_prefill(const PrefillConfig& config, const model::ModelConfig& model, const Ceilings& ceilings,
                  CasePlan& plan);

}  // namespace bench::harness
