#pragma once

#include "harness/cases/model_source.h"
#include "harness/cost/case_plan.h"

namespace bench::harness {

struct MemoryConfig {
  ModelSource source;
  OneOf<"decode", "train"> mode;
  std::vector<std::int64_t> seq_lengths{256, 512, 1024, 2048};
  std::int64_t batch = 1;
  bool gradient_checkpointing = false, compile_model = true;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    ModelSource::fields(self.source, visit);
    visit("mode", self.mode,
          "in train an optimizer step and a micro-batch more, in decode a prompt whose last token comes by itself");
    visit("seq_lengths", self.seq_lengths, "tokens of each sequence");
    visit("batch", self.batch, "sequences together; in train, those of a micro-batch");
    visit("gradient_checkpointing", self.gradient_checkpointing, "in train");
    visit("compile_model", self.compile_model, "in train: our fused operators; false: the plain ones");
  }
  void validate(const Require& require) const;
};

/// Measures the peak memory at each sequence length, by component, and predicts it. A process's peak never goes down,
/// so each length gets a process of its own. Series in lockstep with `seq_length`, in bytes: peak_memory_bytes and its
/// parts program_bytes (the process before there is a model), weights_bytes, optimizer_bytes, gradients_bytes,
/// kv_cache_bytes and step_bytes (the rest: activations, logits, temporaries, and what the allocator keeps in holes);
/// after_step_bytes is what stays between steps. predicted_memory_bytes and predicted_*_bytes are what
/// estimate_training_memory and estimate_decode_memory say. Ends at the first length that can't fit, with the note
/// did_not_fit.
void run_memory(const MemoryConfig& config, Context& context, Record& record);

/// Appends the results of one length's process to the case's record. Returns false when there is nothing more to
/// measure: the process failed, or its length would not fit, and then no longer one would fit either.
bool append_length(const Record& part, std::int64_t length, Record& record);

/// Computes what the longest sequences must cost in memory.
void plan_memory(const MemoryConfig& config, const model::ModelConfig& model, const Ceilings& ceilings, CasePlan& plan);

}  // namespace bench::harness
