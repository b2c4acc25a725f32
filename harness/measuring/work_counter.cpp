#include "harness/measuring/work_counter.h"

#include "model/tensor.h"

#include <atomic>
#include <memory>

#include <ATen/record_function.h>
#include <c10/core/Allocator.h>
#include <c10/util/Logging.h>
#include <c10/util/ThreadLocalDebugInfo.h>

namespace bench::harness {
namespace {

// These are globals, because LibTorch's callbacks are plain functions. Only one count runs at a time; any of autograd's
// threads may add to it.
std::atomic<std::int64_t> calls, flops, bytes;

double element_count(const at::Tensor& t) { return static_cast<double>(t.numel()); }
double last(const at::Tensor& t) { return static_cast<double>(t.size(-1)); }

/// 2 operations for each element of the left matrix and column of the right one.
double product_flops(const at::Tensor& left, const at::Tensor& right) { return 2 * element_count(left) * last(right); }

/// The operations of q k^T and of the probabilities times v. Causal queries see half of the keys. q [B, H, T, D], k [B,
/// G, S, D].
double attention_flops(const at::Tensor& q, const at::Tensor& k, bool causal) {
  return (causal ? 0.5 : 1.0) * 4 * element_count(q) * static_cast<double>(k.size(-2));
}

double flops_of(const std::string_view name, c10::ArrayRef<const c10::IValue> in) {
  const auto tensor = [&](std::size_t i) { return in.size() > i && in[i].isTensor() && in[i].toTensor().defined(); };
  if ((name == "aten::mm" || name == "aten::bmm") && tensor(0) && tensor(1))
    return product_flops(in[0].toTensor(), in[1].toTensor());
  if ((name == "aten::addmm" || name == "aten::baddbmm") && tensor(1) && tensor(2))
    return product_flops(in[1].toTensor(), in[2].toTensor());
  if (name == "aten::_scaled_dot_product_flash_attention_for_cpu" && tensor(0) && tensor(1))
    return attention_flops(in[0].toTensor(), in[1].toTensor(), in.size() > 4 && in[4].isBool() && in[4].toBool());
  // The backward pass has five products where the forward pass has two: the scores again, and the gradients of v, the
  // probabilities, q and k.
  if (name == "aten::_scaled_dot_product_flash_attention_for_cpu_backward" && tensor(1) && tensor(2))
    return 2.5 * attention_flops(in[1].toTensor(), in[2].toTensor(), in.size() > 7 && in[7].isBool() && in[7].toBool());
  return 0;
}

std::unique_ptr<at::ObserverContext> on_operator(const at::RecordFunction& function) {
  ++calls;
  flops += static_cast<std::int64_t>(flops_of(function.name(), function.inputs()));
  return nullptr;
}

/// While an object lives, LibTorch doesn't log when memory is freed that was allocated before the counting began.
class QuietLog {
 public:
  QuietLog() : before_(FLAGS_caffe2_log_level) { FLAGS_caffe2_log_level = 2; }  // errors only
  ~QuietLog() { FLAGS_caffe2_log_level = before_; }
  QuietLog(const QuietLog&) = delete;
  QuietLog& operator=(const QuietLog&) = delete;

 private:
  int before_;
};

class AllocationCounter : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void*, std::int64_t size, std::size_t, std::size_t, c10::Device) override {
    if (size > 0) bytes += size;
  }
  bool memoryProfilingEnabled() const override { return true; }
};

}  // namespace

WorkCount count_work(const std::function<void()>& work) {
  calls = flops = bytes = 0;
  const QuietLog quiet;
  // Counts this thread and those to which autograd hands its work. A prefetcher's work beside it is not counted, since
  // its amount varies.
  const auto handle = at::addThreadLocalCallback(
      at::RecordFunctionCallback(on_operator).needsInputs(true).scopes({at::RecordScope::FUNCTION}));
  try {
    const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, std::make_shared<AllocationCounter>());
    work();
  } catch (...) {
    at::removeCallback(handle);
    throw;
  }
  at::removeCallback(handle);
  return {calls, static_cast<double>(flops), static_cast<double>(bytes)};
}

}  // namespace bench::harness
