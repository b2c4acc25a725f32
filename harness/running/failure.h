#pragma once

#include "harness/core/error.h"

#include <exception>
#include <string>

namespace bench::harness {

/// What went wrong, in words for people, and the exit code with which the program should end.
struct Failure {
  std::string where, message, hint;
  Exit exit = Exit::kCaseError;
};

/// Describes an exception: an Error, the model's ModelError, or any other exception, which is a bug of ours or of a
/// library.
Failure describe(const std::exception& exception);

}  // namespace bench::harness
