#pragma once

#include "harness/cases/model_source.h"

namespace bench::harness {

struct PerplexityConfig {
  ModelSource source;
  std::string text = "data/processed/valid.txt";
  std::string tokens;
  OneOf<"auto", "uint16", "int32", "int64"> tokens_dtype;
  OneOf<"none", "synthetic"> fallback;
  OneOf<"disjoint", "strided"> protocol;
  std::int64_t context = 1024, stride = 0, max_tokens = 0;
  bool allow_lossy = false;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    ModelSource::fields(self.source, visit);
    visit("text", self.text, "held-out text, one paragraph a line; 'synthetic' for the built-in language");
    visit("tokens", self.tokens, "instead of a text: token ids, a .npy or raw little-endian ones");
    visit("tokens_dtype", self.tokens_dtype, "of raw ids; auto takes int32 and refuses what looks like another one");
    visit("fallback", self.fallback, "the text for a checkpoint without a tokenizer");
    visit("protocol", self.protocol, "which tokens are scored, with how much before them");
    visit("context", self.context, "tokens of one window");
    visit("stride", self.stride, "from one window to the next, of the strided protocol; 0: half the context");
    visit("allow_lossy", self.allow_lossy,
          "bits per byte of a text that the tokenizer changes (unknown pieces, normalisation), too");
    visit("max_tokens", self.max_tokens, "score only so many tokens of the text; 0: all");
  }
  void validate(const Require& require) const;
};

void run_perplexity(const PerplexityConfig& config, Context& context, Record& record);

}  // namespace bench::harness
