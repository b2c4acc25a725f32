#pragma once

#include <exception>
#include <string>

#include <c10/util/Exception.h>

namespace bench::model {

/// What an exception says, without the backtrace that LibTorch adds to its own.
inline std::string error_text(const std::exception& exception) {
  const auto* of_torch = dynamic_cast<const c10::Error*>(&exception);
  return of_torch ? of_torch->what_without_backtrace() : exception.what();
}

}  // namespace bench::model
