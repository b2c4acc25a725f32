#pragma once

#include "harness/cases/model_source.h"
#include "harness/data/token_files.h"
#include "harness/evaluation/perplexity.h"

namespace bench::harness {

struct PerplexityConfig {
  ModelSource source;
  std::string text = "data/processed/valid.txt";
  std::string tokens;
  TokensDtype tokens_dtype;
  OneOf<"none", "synthetic"> fallback;
  Protocol protocol;
  std::int64_t context = 1024, stride = 0, max_tokens = 0;
  bool allow_lossy = false;
  std::optional<bool> add_bos;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    ModelSource::fields(self.source, visit);
    visit("text", self.text, "held-out text, one paragraph a line; 'synthetic' for the built-in language");
    visit("tokens", self.tokens, "instead of a text: token ids, a .npy or raw little-endian ones");
    visit("tokens_dtype", self.tokens_dtype, "of raw ids; auto takes int32 and refuses what looks like another one");
    visit("fallback", self.fallback, "the text for a checkpoint without a tokenizer");
    visit("protocol", self.protocol,
          "windows one behind another, or overlapping ones so that tokens have more before them");
    visit("context", self.context, "tokens of one window");
    visit("stride", self.stride, "from one window to the next, of the strided protocol; 0: half the context");
    visit("allow_lossy", self.allow_lossy,
          "bits per byte of a text that the tokenizer changes (unknown pieces, normalisation), too");
    visit("add_bos", self.add_bos, "begin texts with the bos token; by default as tokenizer_config.json says");
    visit("max_tokens", self.max_tokens, "score only so many tokens of the text; 0: all");
  }
  void validate(const Require& require) const;
};

void run_perplexity(const PerplexityConfig& config, Context& context, Record& record);

}  // namespace bench::harness
