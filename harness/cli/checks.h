#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <system_error>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace bench::harness {

/// Nothing if `text` is a whole number of at least `least` (0 or 1), else what it must be.
inline std::string why_no_whole_number(const std::string& text, std::int64_t least) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc() && stopped == end && value >= least) return "";
  return fmt::format("must be a {}whole number{}, found '{}'", least > 0 ? "positive " : "",
                     error == std::errc::result_out_of_range ? " of 64 bits" : "", text);
}

/// For options of whole numbers. CLI11's own PositiveNumber takes 1.5 and answers with the range of a double.
inline CLI::Validator whole_number(std::int64_t least) {
  return {[least](std::string& text) { return why_no_whole_number(text, least); }, ""};
}

/// The same, or the word auto.
inline CLI::Validator whole_number_or_auto(std::int64_t least) {
  return {[least](std::string& text) { return text == "auto" ? "" : why_no_whole_number(text, least); }, ""};
}

}  // namespace bench::harness
