#include "harness/core/error.h"

namespace bench::harness {

std::string format_error(const std::string& where, const std::string& message, const std::string& hint) {
  std::string text = where.empty() ? message : where + ": " + message;
  if (!hint.empty()) text += "\n  hint: " + hint;
  return text;
}

Error::Error(std::string where, std::string what, std::string hint, Exit exit)
    : std::runtime_error(format_error(where, what, hint)),
      where_(std::move(where)),
      message_(std::move(what)),
      hint_(std::move(hint)),
      exit_(exit) {}

Error Error::at_run_time(std::string where, std::string what, std::string hint) {
  return Error(std::move(where), std::move(what), std::move(hint), Exit::kCaseError);
}

}  // namespace bench::harness
