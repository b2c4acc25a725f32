#pragma once

#include "harness/cases/model_source.h"

namespace bench::harness {

struct MemoryConfig {
  ModelSource source;
  std::string mode = "decode";
  std::vector<std::int64_t> seq_lengths{256, 512, 1024, 2048};
  std::int64_t batch = 1;
  bool gradient_checkpointing = false;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    ModelSource::fields(self.source, visit);
    visit("mode", self.mode, "train: one optimizer step; decode: a prompt of that length, its last token by itself");
    visit("seq_lengths", self.seq_lengths, "tokens of each sequence");
    visit("batch", self.batch, "sequences together");
    visit("gradient_checkpointing", self.gradient_checkpointing, "in train");
  }
  void validate(const Require& require) const;
};

/// Peak memory at each sequence length. Peaks never go down, so each length gets a process of its own.
Record run_memory(const MemoryConfig& config, Context& context);

}  // namespace bench::harness
