#include "harness/reports/gate_lines.h"

#include <cmath>

namespace bench::harness {
namespace {

/// The seconds that one micro-batch may take when a whole optimizer step may take `step_s`.
double micro_step_s(const Record& r, double step_s) {
  return (step_s - mean(r.counted("update_time_s")).value) / r.fact("micro_steps_per_step");
}

/// A metric, a series from which it follows, and the sample of that series at which the metric is `limit`.
constexpr struct {
  const char *metric, *series;
  double (*sample)(const Record&, double limit);
} kLines[] = {
    {"train_micro_steps_per_s", "micro_step_time_s", [](const Record&, double limit) { return 1 / limit; }},
    {"train_steps_per_s", "micro_step_time_s",
     [](const Record& r, double limit) { return micro_step_s(r, 1 / limit); }},
    {"train_tokens_per_s", "micro_step_time_s",
     [](const Record& r, double limit) { return micro_step_s(r, r.fact("tokens_per_step") / limit); }},
    {"prefill_tokens_per_s", "prefill_time_s",
     [](const Record& r, double limit) { return r.fact("prompt_tokens") * r.fact("batch") / limit; }},
    {"decode_tokens_per_s", "decode_step_time_s",
     [](const Record& r, double limit) { return r.fact("batch") / limit; }},
    {"token_latency_p50", "decode_step_time_s", [](const Record&, double limit) { return limit * 1e-3; }},
    {"token_latency_p95", "decode_step_time_s", [](const Record&, double limit) { return limit * 1e-3; }},
    {"time_to_first_token", "first_token_time_s", [](const Record&, double limit) { return limit * 1e-3; }},
    {"operator_time", "operator_time_s", [](const Record&, double limit) { return limit * 1e-6; }},
    {"final_loss", "loss", [](const Record&, double limit) { return limit; }},
    {"peak_memory", "peak_memory_bytes", [](const Record&, double limit) { return limit * 1e9; }},
};

}  // namespace

std::vector<GateLine> gate_lines(const CaseResult& one, const std::string& series) {
  std::vector<GateLine> lines;
  for (const auto& gate : one.gates)
    for (const auto& row : kLines) {
      if (gate.metric != row.metric || series != row.series || !gate.relative_to.empty()) continue;
      for (const double limit : gate.limit())
        if (const double at = row.sample(one.record(), limit); std::isfinite(at) && at > 0)
          lines.push_back({at, gate.metric + " " + gate.text()});
    }
  return lines;
}

}  // namespace bench::harness
