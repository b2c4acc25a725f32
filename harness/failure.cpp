#include "harness/failure.h"

#include <new>

#include <c10/util/Exception.h>

#include "model/error.h"

namespace bench::harness {

Failure describe(const std::exception& exception) {
  if (const auto* error = dynamic_cast<const Error*>(&exception)) return {error->where(), error->message(), error->hint(), error->exit()};
  if (const auto* error = dynamic_cast<const model::InputError*>(&exception)) return {error->where, error->what_is_wrong, error->hint, Exit::kUsage};
  if (const auto* error = dynamic_cast<const c10::Error*>(&exception)) {
    const std::string message = error->what_without_backtrace();
    const bool memory = message.find("can't allocate memory") != std::string::npos || message.find("out of memory") != std::string::npos;
    return {"LibTorch", message, memory ? "lower the batch, the micro-batch or the sequence length" : "this is a bug; please report it"};
  }
  if (dynamic_cast<const std::bad_alloc*>(&exception)) return {"", "out of memory", "lower the batch, the micro-batch or the sequence length"};
  return {"", exception.what(), "this is a bug; please report it"};
}

}  // namespace bench::harness
