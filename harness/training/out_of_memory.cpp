#include "harness/training/out_of_memory.h"

#include "harness/core/error.h"
#include "harness/core/progress.h"
#include "model/error_text.h"

#include <algorithm>
#include <array>
#include <new>

#include <c10/util/Flags.h>
#include <fmt/format.h>

C10_DECLARE_bool(caffe2_use_fatal_for_enforce);

namespace bench::harness {
namespace {

// Of LibTorch 2.13: MPSAllocator.mm's two messages (memory, or one tensor larger than a buffer can be), those of
// c10/core/impl/alloc_cpu.cpp, and those of CUDA's own libraries, which take memory beside LibTorch's allocator.
constexpr std::array kMessages{"MPS backend out of memory", "Invalid buffer size:",
                               "can't allocate memory",     "not enough memory: you tried to allocate",
                               "CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED"};

/// Debian's libsentencepiece exports a FLAGS_minloglevel, and so does LibTorch. On Linux both become one variable, and
/// the constructor of the former, which is larger, writes over what lies behind the latter: the flag that makes
/// LibTorch abort where it would throw, as when the processor's memory runs out.
void throw_rather_than_abort() { FLAGS_caffe2_use_fatal_for_enforce = false; }

/// The first line of what the error says, without the backtrace.
std::string reason(const std::exception& error) {
  const std::string text = model::error_text(error);
  return text.substr(0, text.find('\n'));
}

std::string micro_batch_text(const Execution& execution, const TrainConfig& config) {
  return fmt::format("{} x {}", execution.micro_batch_size, config.max_seq_length);
}

Error at_smallest(const Execution& execution, const TrainConfig& config, const std::string& why) {
  return Error::at_run_time("micro-batch of " + micro_batch_text(execution, config) + " tokens",
                            "memory ran out, and there is no smaller one: " + why,
                            execution.gradient_checkpointing
                                ? "shorter sequences, a smaller model, or fewer programs beside it"
                                : "gradient_checkpointing: true takes less, and so do shorter sequences");
}

Error after_first_step(const Execution& execution, const TrainConfig& config, const std::string& why) {
  const auto smaller = smaller_micro_batch(execution.micro_batch_size, config.effective_batch_size);
  return Error::at_run_time(
      "micro-batch of " + micro_batch_text(execution, config) + " tokens",
      "memory ran out in the middle of a run: " + why,
      smaller ? fmt::format("end other programs and go on; or take micro-batches of {} (a run directory goes on with "
                            "--resume --micro-batch-size {}), which rounds differently",
                            *smaller, *smaller)
              : "end other programs and go on, or take shorter sequences");
}

}  // namespace

bool is_out_of_memory(const std::exception& error) {
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error) || dynamic_cast<const std::bad_alloc*>(&error)) return true;
  const std::string text = error.what();
  return std::ranges::any_of(kMessages, [&](const char* part) { return text.find(part) != std::string::npos; });
}

std::optional<std::int64_t> smaller_micro_batch(std::int64_t size, std::int64_t effective_batch) {
  for (std::int64_t smaller = size - 1; smaller >= 1; --smaller)
    if (effective_batch % smaller == 0) return smaller;
  return {};
}

FittedExecution train_within_memory(const Execution& execution, const TrainConfig& config, const Device& device,
                                    const std::function<void(const Execution&, bool& begun)>& attempt) {
  throw_rather_than_abort();
  Execution tried = execution;
  std::string why;  // the first try did not fit
  while (true) {
    bool begun = false;
    try {
      attempt(tried, begun);
      if (why.empty()) return {tried, ""};
      return {tried, fmt::format("micro-batch {} did not fit ({}); {} was used", micro_batch_text(execution, config),
                                 why, tried.micro_batch_size)};
    } catch (const std::exception& error) {
      if (!is_out_of_memory(error)) throw;
      const std::string now = reason(error);
      if (begun) throw after_first_step(tried, config, now);
      const auto smaller = smaller_micro_batch(tried.micro_batch_size, config.effective_batch_size);
      if (!smaller) throw at_smallest(tried, config, now);
      if (why.empty()) why = now;
      print_status(
          fmt::format("micro-batch {} does not fit ({}): trying {}", micro_batch_text(tried, config), now, *smaller));
      tried.micro_batch_size = *smaller;
    }
    device.empty_cache();  // only now is the error gone, and all that it may have held
  }
}

}  // namespace bench::harness
