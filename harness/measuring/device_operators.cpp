#include "harness/measuring/device_operators.h"

#include "harness/measuring/operator_table.h"
#include "model/tensor.h"

#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include <ATen/record_function.h>

namespace bench::harness {
namespace {

constexpr std::string_view kLibTorch = "aten::", kOurs = "bench::";

/// What the callbacks add to. It is global, because LibTorch's callbacks are plain functions.
struct Recording {
  std::string backend;
  c10::DeviceType lies_on;
  std::mutex mutex;
  DeviceWork work;
};
Recording* recording = nullptr;

/// Where a thread is among the operators that call each other.
struct Nesting {
  std::int64_t begun = 0;   // operators so far
  std::int64_t inside = 0;  // kernels that the thread is in
};
thread_local Nesting nesting;

/// An operator that has begun.
struct Begun : at::ObserverContext {
  std::string name;
  bool is_operator = false;    // not a node of autograd, which is nothing by itself
  bool hides = false;          // what it calls is part of it
  bool counts_alone = false;   // it launches once if it calls nothing
  std::int64_t begun_now = 0;  // Nesting::begun when it began
};

bool is_on(const at::Tensor& x) { return x.defined() && x.device().type() == recording->lies_on; }

template <class F>
void for_each_tensor(const c10::IValue& value, const F& f) {
  if (value.isTensor()) {
    f(value.toTensor());
  } else if (value.isList()) {
    for (const c10::IValue& element : value.toListRef()) for_each_tensor(element, f);
  }
}

/// Whether an operator with these arguments is the device's. A maker of tensors gets a device and no tensor.
bool touches_device(c10::ArrayRef<const c10::IValue> arguments) {
  if (recording->lies_on == c10::kCPU) return true;
  bool touches = false;
  for (const auto& argument : arguments) {
    for_each_tensor(argument, [&](const at::Tensor& x) { touches = touches || is_on(x); });
    touches = touches || (argument.isDevice() && argument.toDevice().type() == recording->lies_on);
  }
  return touches;
}

bool is_float64(const at::Tensor& x) {
  // On the CPU a tensor without dimensions may be a number that the host gives to an operator.
  return x.scalar_type() == at::kDouble && (x.dim() > 0 || recording->lies_on != c10::kCPU);
}

void look_at_tensors(const std::string& name, c10::ArrayRef<const c10::IValue> values) {
  const std::lock_guard<std::mutex> lock(recording->mutex);
  DeviceWork& work = recording->work;
  for (const auto& value : values)
    for_each_tensor(value, [&](const at::Tensor& x) {
      if (!is_on(x)) return;
      if (is_float64(x)) work.with_float64.insert(name);
      const std::int64_t bytes = x.numel() * static_cast<std::int64_t>(x.element_size());
      if (bytes <= work.largest_bytes) return;
      work.largest_bytes = bytes;
      work.largest_operator = name;
    });
}

void count_launch(const std::string& name) {
  const std::lock_guard<std::mutex> lock(recording->mutex);
  ++recording->work.launches;
  ++recording->work.launches_by_operator[name];
}

void count_read() {
  const std::lock_guard<std::mutex> lock(recording->mutex);
  ++recording->work.reads;
}

void note_without_kernel(const std::string& name) {
  const std::lock_guard<std::mutex> lock(recording->mutex);
  recording->work.without_kernel.insert(name);
}

/// Says what has begun. LibTorch's operators have a schema; kernels of ours are known by their names.
std::unique_ptr<Begun> name_of(const at::RecordFunction& function) {
  auto begun = std::make_unique<Begun>();
  begun->name = function.name();
  const auto operator_name = function.operator_name();
  if (operator_name && !operator_name->overload_name.empty()) begun->name += "." + operator_name->overload_name;
  begun->is_operator = operator_name || begun->name.starts_with(kOurs);
  return begun;
}

/// A copy from the device to the host, for which the host waits.
bool copies_to_host(std::string_view name, c10::ArrayRef<const c10::IValue> in) {
  return name == "aten::copy_" && in.size() > 1 && in[0].isTensor() && in[1].isTensor() && !is_on(in[0].toTensor()) &&
         is_on(in[1].toTensor());
}

/// Counts the operator, or lets those that it calls be counted.
void begin(Begun& begun, c10::ArrayRef<const c10::IValue> in) {
  const std::string& name = begun.name;
  const bool ours = name.starts_with(kOurs), libtorch = name.starts_with(kLibTorch);
  if (!begun.is_operator) return;
  if (!ours && !touches_device(in)) return;
  look_at_tensors(name, in);
  const OperatorKind kind =
      libtorch ? operator_kind(std::string_view(name).substr(kLibTorch.size()), recording->backend) : OperatorKind{};
  const bool composed = !kind.kernel && (kind.implicitly || kind.explicitly);
  if (kind.free && !kind.implicitly) {
    begun.hides = true;
  } else if (composed) {
    begun.counts_alone = !kind.implicitly;
    if (copies_to_host(name, in)) count_read();
  } else {
    begun.hides = true;
    if (kind.reads) count_read();
    if (!ours && !kind.kernel) note_without_kernel(name);
    if (name != "aten::_local_scalar_dense") count_launch(name);
  }
}

std::unique_ptr<at::ObserverContext> on_begin(const at::RecordFunction& function) {
  ++nesting.begun;
  if (nesting.inside > 0) return nullptr;
  auto begun = name_of(function);
  begun->begun_now = nesting.begun;
  begin(*begun, function.inputs());
  nesting.inside += begun->hides ? 1 : 0;
  return begun;
}

void on_end(const at::RecordFunction& function, at::ObserverContext* context) {
  const auto* begun = static_cast<const Begun*>(context);
  if (!begun) return;
  if (begun->hides) --nesting.inside;
  if (begun->counts_alone && begun->begun_now == nesting.begun) count_launch(begun->name);
  const std::vector<c10::IValue>& made = function.outputs();
  if (begun->name.find("::") != std::string::npos)
    look_at_tensors(begun->name, c10::ArrayRef<const c10::IValue>(made.data(), made.size()));
}

/// While an object of this class lives, the callbacks are called and add to the recording.
class Callbacks {
 public:
  explicit Callbacks(Recording& into)
      : handle_(at::addThreadLocalCallback(at::RecordFunctionCallback(on_begin, on_end)
                                               .needsInputs(true)
                                               .needsOutputs(true)
                                               .scopes({at::RecordScope::FUNCTION}))) {
    recording = &into;
  }
  ~Callbacks() {
    at::removeCallback(handle_);
    recording = nullptr;
  }
  Callbacks(const Callbacks&) = delete;
  Callbacks& operator=(const Callbacks&) = delete;

 private:
  at::CallbackHandle handle_;
};

}  // namespace

DeviceWork record_device_work(const std::function<void()>& work, c10::DeviceType as_on, c10::DeviceType lies_on) {
  Recording made{c10::DeviceTypeName(as_on, /*lower_case=*/true), lies_on, {}, {}};
  operator_kind("add_.Tensor", made.backend);  // fails here rather than in a callback if the device is unknown
  {
    const Callbacks callbacks(made);
    work();
  }
  return std::move(made.work);
}

}  // namespace bench::harness
