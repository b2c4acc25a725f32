#pragma once

#include "harness/cases/model_source.h"
#include "harness/cost/case_plan.h"

namespace bench::harness {

struct DecodeConfig {
  ModelSource source;
  std::int64_t batch = 1, prompt_tokens = 512, new_tokens = 64, rounds = 0, compare_tokens = 0;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    ModelSource::fields(self.source, visit);
    visit("batch", self.batch, "sequences decoded together");
    visit("prompt_tokens", self.prompt_tokens, "tokens prefilled before the first timed step");
    visit("new_tokens", self.new_tokens, "greedy tokens of one round");
    visit("rounds", self.rounds, "at most so many timed rounds; 0: as many as it takes, within budget_s");
    visit("compare_tokens", self.compare_tokens,
          "so many greedy tokens are also made without the cache and compared; 0: none");
  }
  void validate(const Require& require) const;
};

/// Prefills random prompts, then times one greedy token after another, in rounds of new_tokens.
void run_decode(const DecodeConfig& config, Context& context, Record& record);

/// Computes what one new token of each sequence must cost.
void plan_decode(const DecodeConfig& config, const model::ModelConfig& model, const Ceilings& ceilings, CasePlan& plan);

}  // namespace bench::harness
