#pragma once

#include "harness/core/error.h"

#include <exception>
#include <string>

namespace bench::harness {

/// What went wrong, for people, and with which exit code the program should end.
struct Failure {
  std::string where, message, hint;
  Exit exit = Exit::kCaseError;
};

/// An Error, the model's ModelError, or any other exception, which is a bug of ours or of a library.
Failure describe(const std::exception& exception);

}  // namespace bench::harness
