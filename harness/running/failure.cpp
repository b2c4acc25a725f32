#include "harness/running/failure.h"

#include "model/error.h"

#include <filesystem>
#include <new>

#include <c10/util/Exception.h>

namespace bench::harness {

Failure describe(const std::exception& exception) {
  if (const auto* error = dynamic_cast<const Error*>(&exception))
    return {error->where(), error->message(), error->hint(), error->exit()};
  if (const auto* error = dynamic_cast<const model::ModelError*>(&exception)) {
    const bool input = dynamic_cast<const model::InputError*>(error);
    return {error->where, error->what_is_wrong, error->hint, input ? Exit::kUsage : Exit::kCaseError};
  }
  if (const auto* error = dynamic_cast<const c10::Error*>(&exception)) {
    const std::string message = error->what_without_backtrace();
    const bool memory = message.find("can't allocate memory") != std::string::npos ||
                        message.find("out of memory") != std::string::npos;
    return {"LibTorch", message,
            memory ? "lower the batch, the micro-batch or the sequence length" : "this is a bug; please report it"};
  }
  if (const auto* error = dynamic_cast<const std::filesystem::filesystem_error*>(&exception))
    return {error->path1().string(), error->code().message(), "is it there, and may it be written?"};
  if (dynamic_cast<const std::bad_alloc*>(&exception))
    return {"", "out of memory", "lower the batch, the micro-batch or the sequence length"};
  return {"", exception.what(), "this is a bug; please report it"};
}

}  // namespace bench::harness
