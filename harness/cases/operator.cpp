#include "harness/cases/operator.h"

#include "harness/cases/model_source.h"
#include "harness/cases/operators.h"
#include "harness/checkpoints.h"
#include "harness/measure.h"

#include <benchmark/benchmark.h>
#include <torch/autograd.h>

namespace bench::harness {
namespace {

constexpr double kRepetition_s = 0.1;

/// Takes each repetition's time per call instead of printing it.
class Collector : public benchmark::BenchmarkReporter {
 public:
  explicit Collector(Record& record) : record_(record) {}
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const auto& run : runs)
      if (run.run_type == Run::RT_Iteration)
        record_.add("operator_time_s", "s", run.real_accumulated_time / static_cast<double>(run.iterations));
  }

 private:
  Record& record_;
};

void call(const PreparedOperator& prepared, bool backward) {
  const torch::AutoGradMode grad(backward);
  const torch::Tensor y = prepared.forward();
  if (backward) torch::autograd::grad({y.sum()}, prepared.inputs);
}

}  // namespace

void OperatorConfig::validate(const Require& require) const {
  require(model.given, "model", "is missing", "a model config gives the operator its sizes");
  const auto known = operator_names();
  require(std::find(known.begin(), known.end(), op) != known.end(), "operator",
          fmt::format("unknown operator '{}'", op), unknown_name_hint(op, known));
  require(dtype == "fp32" || dtype == "bf16", "dtype", fmt::format("unknown dtype '{}'", dtype), "known: fp32, bf16");
  require(batch > 0, "batch", "must be positive", "");
  require(tokens > 0, "tokens", "must be positive", "");
  require(repetitions > 0, "repetitions", "must be positive", "");
}

Record run_operator(const OperatorConfig& config, Context& context) {
  Record record = new_record(context, "operator", to_json(config));
  const auto options =
      torch::TensorOptions().dtype(dtype_named(config.dtype, "dtype")).device(context.device.torch_device());
  const PreparedOperator prepared =
      prepare_operator(config.op, config.model.value, config.batch, config.tokens, options);
  call(prepared, config.backward);  // cold
  context.device.synchronize();
  benchmark::RegisterBenchmark(config.op.c_str(),
                               [&](benchmark::State& state) {
                                 for (auto _ : state) {
                                   call(prepared, config.backward);
                                   context.device.synchronize();
                                 }
                               })
      ->UseRealTime()
      ->MinTime(kRepetition_s)
      ->Repetitions(static_cast<int>(config.repetitions));
  Collector collector(record);
  benchmark::RunSpecifiedBenchmarks(&collector);
  benchmark::ClearRegisteredBenchmarks();
  const double passes = config.backward ? 3 : 1;  // the backward pass costs about two forward ones
  record.facts["operator_flops"] = passes * prepared.flops;
  record.facts["operator_bytes"] = passes * prepared.bytes;
  record.facts["matmul_flops_per_s"] = probe_matmul_flops_per_s(context.device, dtype_named(config.dtype, "dtype"));
  record_peak_memory(context.device, record);
  return record;
}

}  // namespace bench::harness
