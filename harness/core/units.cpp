#include "harness/core/units.h"

#include "harness/core/error.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace bench::harness {

double parse_bytes(const std::string& text, const std::string& where) {
  constexpr std::pair<const char*, double> kUnits[] = {{"B", 1},           {"kB", 1e3},          {"MB", 1e6},
                                                       {"GB", 1e9},        {"TB", 1e12},         {"KiB", 1024.0},
                                                       {"MiB", 1048576.0}, {"GiB", 1073741824.0}};
  std::size_t used = 0;
  double value = std::nan("");
  try {
    value = std::stod(text, &used);
  } catch (const std::exception&) {
    used = 0;  // no number at all, or one beyond a double's range
  }
  const std::string unit = text.substr(std::min(text.find_first_not_of(' ', used), text.size()));
  for (const auto& [name, factor] : kUnits)
    if (used > 0 && unit == name && std::isfinite(value) && value > 0) return value * factor;
  throw Error(where, fmt::format("'{}' {}", text, used > 0 && unit.empty() ? "has no unit" : "is no amount of memory"),
              "such as 10GB (1e9 bytes each), 9.5GiB or 800MB");
}

double parse_share(const std::string& text, const std::string& where) {
  std::size_t used = 0;
  double value = 0;
  try {
    value = std::stod(text, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  const std::string rest = text.substr(used);
  if (used == 0 || (rest != "" && rest != "%") || !(value >= 0) || std::isinf(value))
    throw Error(where, fmt::format("'{}' is not a share", text), "for example 5%");
  const double share = rest == "%" ? value / 100 : value;
  if (share >= 1 && rest.empty())  // who means 500 % writes it
    throw Error(where, fmt::format("'{}' would be {:.6g} %", text, 100 * share),
                fmt::format("did you mean {}%?", text));
  return share;
}

}  // namespace bench::harness
