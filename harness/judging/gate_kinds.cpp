#include "harness/judging/gate_kinds.h"

#include <cmath>
#include <limits>

namespace bench::harness {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
using Limits = std::vector<double>;

constexpr GateKind kKinds[] = {
    {"at_most", "the value may reach the limit, not pass it", 1,
     [](const Limits& x) { return AllowedValues{.low = -kInfinity, .high = x[0]}; }},
    {"at_least", "the value must reach the limit", 1,
     [](const Limits& x) { return AllowedValues{.low = x[0], .high = kInfinity}; }},
    {"below", "the value must stay under the limit", 1,
     [](const Limits& x) { return AllowedValues{.low = -kInfinity, .high = x[0], .with_high = false}; }},
    {"above", "the value must pass the limit", 1,
     [](const Limits& x) { return AllowedValues{.low = x[0], .high = kInfinity, .with_low = false}; }},
    {"within", "the value must lie in [low, high]", 2,
     [](const Limits& x) { return AllowedValues{.low = x[0], .high = x[1]}; }},
    {"outside", "the value must not lie in [low, high]", 2,
     [](const Limits& x) { return AllowedValues{.low = x[0], .high = x[1], .all_others = true}; }},
};

}  // namespace

bool AllowedValues::holds(double value) const { return side(value, value) == Side::kInside; }

Side AllowedValues::side(double least, double most) const {
  if (std::isnan(least) || std::isnan(most)) return Side::kOutside;
  const auto within = [&](double value) {
    return (with_low ? low <= value : low < value) && (with_high ? value <= high : value < high);
  };
  const bool beside = with_low ? most < low : most <= low, beyond = with_high ? high < least : high <= least;
  const Side side = within(least) && within(most) ? Side::kInside : (beside || beyond ? Side::kOutside : Side::kAcross);
  if (!all_others || side == Side::kAcross) return side;
  return side == Side::kInside ? Side::kOutside : Side::kInside;
}

bool AllowedValues::only_from_below() const { return !all_others && std::isfinite(low) && std::isinf(high); }
bool AllowedValues::only_from_above() const { return !all_others && std::isinf(low) && std::isfinite(high); }

std::span<const GateKind> gate_kinds() { return kKinds; }

}  // namespace bench::harness
