#pragma once

#include "harness/core/fields.h"
#include "model/sampling_config.h"

namespace bench::harness {

/// configs/inference.yaml.
struct InferenceConfig {
  struct Model {
    std::string checkpoint_path = "checkpoints/medium/final/", device = "auto";
    bool compile = true;

    template <class Self, class Visitor>
    static void fields(Self& self, Visitor&& visit) {
      visit("checkpoint_path", self.checkpoint_path, "Hugging Face folder with a tokenizer");
      visit("device", self.device, "auto, or one of `bench list devices`");
      visit("compile", self.compile, "our fused operators, where there are any; the results agree");
    }
    void validate(const Require& require) const;
  };
  struct Generation {
    std::int64_t max_length = 512;
    double temperature = 0.8, top_p = 0.95;
    std::int64_t top_k = 50;
    double repetition_penalty = 1.1;
    bool do_sample = true;
    std::int64_t batch_size = 4;
    bool use_cache = true;

    template <class Self, class Visitor>
    static void fields(Self& self, Visitor&& visit) {
      visit("max_length", self.max_length, "tokens of prompt and continuation together");
      visit("temperature", self.temperature, "divides the logits; below 1 sharpens");
      visit("top_p", self.top_p, "keep the most probable tokens that reach this probability");
      visit("top_k", self.top_k, "keep so many most probable tokens; 0: all");
      visit("repetition_penalty", self.repetition_penalty, "makes tokens that were there before less likely; 1: off");
      visit("do_sample", self.do_sample, "draw; false: always the most probable token");
      visit("batch_size", self.batch_size, "prompts decoded together, at most");
      visit("use_cache", self.use_cache, "KV cache; false computes the whole sequence for each token");
    }
    void validate(const Require& require) const;
    model::SamplingConfig sampling() const { return {do_sample, temperature, top_k, top_p, repetition_penalty}; }
  };
  Model model;
  Generation generation;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("model", self.model, "");
    visit("generation", self.generation, "");
  }
};

}  // namespace bench::harness
