#pragma once

#include "harness/core/fields.h"
#include "harness/evaluation/perplexity.h"
#include "harness/evaluation/quantization_cost.h"

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace bench::harness {

/// A checkpoint's part of `bench ppl`.
struct Scored {
  std::string checkpoint, assumed;  // about how texts begin; empty for raw ids
  TokenStream tokens;
  PerplexityResult result;
  std::optional<QuantizationCost> cost;
};

Json to_json(const Scored& scored);
void print(const Scored& scored, std::ostream& out);

/// Why a perplexity is no finite number, with the first window to blame, or "".
std::string why_not_finite(const Scored& scored, const PerplexityOptions& options);

/// Prints each further checkpoint against the first and returns the rows for JSON: on the same tokens the paired
/// difference, else a pointer to bits per byte.
Json print_differences(const std::vector<Scored>& all, std::ostream& out);

}  // namespace bench::harness
