#include "harness/core/numbers.h"

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <system_error>

namespace bench::harness {

// Not from_chars: Apple's C++ library lacks it for floating point.
std::optional<LeadingNumber> leading_number(const std::string& text) {
  char* end = nullptr;
  errno = 0;
  const double value = std::strtod(text.c_str(), &end);
  if (end == text.c_str() || (errno == ERANGE && std::fabs(value) < 1)) return {};
  return LeadingNumber{value, static_cast<std::size_t>(end - text.c_str())};
}

std::optional<double> parse_number(const std::string& text) {
  const auto number = leading_number(text);
  if (!number || number->length != text.size()) return {};
  return number->value;
}

IntegerText parse_integer(const std::string& text, std::int64_t& value) {
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc::invalid_argument || stopped != end) return IntegerText::kIsNone;
  return error == std::errc::result_out_of_range ? IntegerText::kTooLarge : IntegerText::kFits;
}

}  // namespace bench::harness
