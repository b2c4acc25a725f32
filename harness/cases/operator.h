#pragma once

#include "harness/cases/context.h"
#include "model/config.h"

namespace bench::harness {

struct OperatorConfig {
  FileOr<model::ModelConfig> model;
  std::string op = "linear";
  OneOf<"fp32", "bf16", "auto"> dtype;
  std::int64_t batch = 1, tokens = 512, repetitions = 0;
  bool backward = false, compile_model = true;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("model", self.model, "gives the operator its sizes");
    visit("operator", self.op,
          "rms_norm, rope, attention, feed_forward, linear, embedding, cross_entropy, head_loss, dropout_add or adamw");
    visit("dtype", self.dtype, "of its inputs; auto is what training takes on the device");
    visit("batch", self.batch, "sequences");
    visit("tokens", self.tokens, "of each sequence");
    visit("repetitions", self.repetitions,
          "at most so many of Google Benchmark, each at least 0.05 s long; 0: as many as it takes, within budget_s");
    visit("backward", self.backward, "time forward and backward together");
    visit("compile_model", self.compile_model, "our fused operators; false: the plain ones");
  }
  void validate(const Require& require) const;
};

void run_operator(const OperatorConfig& config, Context& context, Record& record);

}  // namespace bench::harness
