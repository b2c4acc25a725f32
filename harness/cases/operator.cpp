#include "harness/cases/operator.h"

#include "harness/cases/model_source.h"
#include "harness/cases/operators.h"
#include "harness/checkpoints/checkpoints.h"

#include <algorithm>

#include <benchmark/benchmark.h>
#include <torch/autograd.h>

namespace bench::harness {
namespace {

constexpr double kRepetition_s = 0.05;

/// Takes a repetition's time per call instead of printing it.
class Collector : public benchmark::BenchmarkReporter {
 public:
  explicit Collector(Record& record) : record_(record) {}
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const auto& run : runs)
      if (run.run_type == Run::RT_Iteration)
        record_.add(series::kOperatorTimeS, "s", run.real_accumulated_time / static_cast<double>(run.iterations));
  }

 private:
  Record& record_;
};

/// `gradient`: of the result, made by the first call.
void call(const PreparedOperator& prepared, bool backward, torch::Tensor& gradient) {
  const torch::AutoGradMode grad(backward);
  const torch::Tensor y = prepared.forward();
  if (!backward || prepared.backward == 0) return;
  if (!gradient.defined()) gradient = torch::ones_like(y);
  torch::autograd::backward({y}, {gradient});
  for (const auto& input : prepared.inputs) input.mutable_grad().reset();
}

/// One repetition of Google Benchmark, with our stopwatch: its time per call.
void run_repetition(const std::string& name, const std::function<double()>& timed_call, Record& record) {
  benchmark::RegisterBenchmark(name.c_str(),
                               [&](benchmark::State& state) {
                                 for (auto _ : state) state.SetIterationTime(timed_call());
                               })
      ->UseManualTime()
      ->MinTime(kRepetition_s);
  Collector collector(record);
  benchmark::RunSpecifiedBenchmarks(&collector);
  benchmark::ClearRegisteredBenchmarks();
}

}  // namespace

void OperatorConfig::validate(const Require& require) const {
  require(model.given, "model", "is missing", "a model config gives the operator its sizes");
  const auto known = operator_names();
  require(std::ranges::find(known, op) != known.end(), "operator", fmt::format("unknown operator '{}'", op),
          unknown_name_hint(op, known));
  require(batch > 0, "batch", "must be positive", "");
  require(tokens > 0, "tokens", "must be positive", "");
  require(repetitions >= 0, "repetitions", "must not be negative", "");
  require_sizes(require, {{"batch", batch}, {"tokens", tokens}, {"repetitions", repetitions}});
}

void run_operator(const OperatorConfig& config, Context& context, Record& record) {
  const torch::Dtype dtype = dtype_or_fast(config.dtype, context.device, "dtype");
  record.notes["dtype"] = dtype_text(dtype);
  const auto options = torch::TensorOptions().dtype(dtype).device(context.device.torch_device());
  const PreparedOperator prepared =
      prepare_operator(config.op, config.model.value, config.batch, config.tokens, options, config.compile_model);
  const double passes = config.backward ? 1 + prepared.backward : 1;
  torch::Tensor gradient;
  record_work({passes * prepared.flops, passes * prepared.bytes}, record);
  const auto timed_call = [&] { return time_once(context.device, [&] { call(prepared, config.backward, gradient); }); };
  bool cold = true;
  const auto repetition = [&](Record& into) {
    if (cold) {
      into.add(series::kOperatorTimeS, "s", timed_call());
      cold = false;
    } else {
      run_repetition(config.op, timed_call, into);
    }
    return config.repetitions == 0 ||
           static_cast<std::int64_t>(record.samples(series::kOperatorTimeS).size()) < config.repetitions;
  };
  measure_in_blocks(context.device, dtype, context.measuring, repetition, record);
  record_peak_memory(context.device, record);
}

}  // namespace bench::harness
