#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace bench::harness {

/// The number at the beginning of a text: for "9.5 GiB" the value is 9.5 and the length is 3 characters.
struct LeadingNumber {
  double value = 0;
  std::size_t length = 0;
};
/// Returns nothing if the text begins with no number, or with one that is too small for a double. A number that is too
/// large for one becomes infinity.
std::optional<LeadingNumber> leading_number(const std::string& text);

/// Parses a text that is a number as a whole, not only at its beginning. Returns nothing for any other text. The number
/// may be infinite or NaN.
std::optional<double> parse_number(const std::string& text);

enum class IntegerText { kFits, kTooLarge, kIsNone };
/// Parses a text that is, as a whole, an integer in decimal digits; kFits if it fits into 64 bits.
IntegerText parse_integer(const std::string& text, std::int64_t& value);

}  // namespace bench::harness
