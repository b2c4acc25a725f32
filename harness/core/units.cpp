#include "harness/core/units.h"

#include "harness/core/error.h"
#include "harness/core/numbers.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace bench::harness {

double parse_bytes(const std::string& text, const std::string& where) {
  constexpr std::pair<const char*, double> kUnits[] = {{"B", 1},           {"kB", 1e3},          {"MB", 1e6},
                                                       {"GB", 1e9},        {"TB", 1e12},         {"KiB", 1024.0},
                                                       {"MiB", 1048576.0}, {"GiB", 1073741824.0}};
  const auto [value, used] = leading_number(text).value_or(LeadingNumber{});
  const std::string unit = text.substr(std::min(text.find_first_not_of(' ', used), text.size()));
  for (const auto& [name, factor] : kUnits)
    if (used > 0 && unit == name && std::isfinite(value) && value > 0) return value * factor;
  throw Error(where, fmt::format("'{}' {}", text, used > 0 && unit.empty() ? "has no unit" : "is no amount of memory"),
              "such as 10GB (1e9 bytes each), 9.5GiB or 800MB");
}

double parse_share(const std::string& text, const std::string& where) {
  const auto [value, used] = leading_number(text).value_or(LeadingNumber{});
  const std::string rest = text.substr(used);
  if (used == 0 || (rest != "" && rest != "%") || !(value >= 0) || std::isinf(value))
    throw Error(where, fmt::format("'{}' is not a share", text), "for example 5%");
  const double share = rest == "%" ? value / 100 : value;
  if (share >= 1 && rest.empty())  // someone who means 500 % writes the %
    throw Error(where, fmt::format("'{}' would be {:.6g} %", text, 100 * share),
                fmt::format("did you mean {}%?", text));
  return share;
}

std::string duration_text(double seconds) {
  constexpr double kMinute = 60, kHour = 60 * kMinute, kDay = 24 * kHour;
  if (seconds < 2 * kMinute) return fmt::format("{:.0f} s", seconds);
  if (seconds < 2 * kHour) return fmt::format("{:.0f} min", seconds / kMinute);
  if (seconds < 2 * kDay) return fmt::format("{:.1f} h", seconds / kHour);
  const double days = seconds / kDay;
  return days < 10 ? fmt::format("{:.1f} days", days) : fmt::format("{:.0f} days", days);
}

}  // namespace bench::harness
