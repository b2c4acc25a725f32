#pragma once

#include <exception>
#include <string>

#include "harness/core/error.h"

namespace bench::harness {

/// What went wrong, for people, and with which exit code the program should end.
struct Failure {
  std::string where, message, hint;
  Exit exit = Exit::kCaseError;
};

/// An Error, the model's InputError, or any other exception, which is a bug of ours or of a library.
Failure describe(const std::exception& exception);

}  // namespace bench::harness
