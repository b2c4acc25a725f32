#pragma once

#include "harness/core/numbers.h"

#include <cstdint>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace bench::harness {

/// Returns "" if `text` is a whole number of at least `least` (0 or 1), else what it must be.
inline std::string why_no_whole_number(const std::string& text, std::int64_t least) {
  std::int64_t value = 0;
  const IntegerText read = parse_integer(text, value);
  if (read == IntegerText::kFits && value >= least) return "";
  return fmt::format("must be a {}whole number{}, found '{}'", least > 0 ? "positive " : "",
                     read == IntegerText::kTooLarge ? " of 64 bits" : "", text);
}

/// A validator for options that take whole numbers. CLI11's own PositiveNumber takes 1.5 and answers with the range of
/// a double.
inline CLI::Validator whole_number(std::int64_t least) {
  return {[least](std::string& text) { return why_no_whole_number(text, least); }, ""};
}

/// Does the same, but also accepts the word auto.
inline CLI::Validator whole_number_or_auto(std::int64_t least) {
  return {[least](std::string& text) { return text == "auto" ? "" : why_no_whole_number(text, least); }, ""};
}

}  // namespace bench::harness
