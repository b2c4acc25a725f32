#pragma once

#include "harness/core/fields.h"
#include "harness/evaluation/perplexity.h"
#include "harness/evaluation/quantization_cost.h"

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace bench::harness {

/// What `bench ppl` found for one checkpoint.
struct Scored {
  std::string checkpoint, assumed;  // assumed: about how texts begin; empty for raw ids
  TokenStream tokens;
  PerplexityResult result;
  std::optional<QuantizationCost> cost;
};

Json to_json(const Scored& scored);
void print(const Scored& scored, std::ostream& out);

/// Says why a perplexity is not a finite number, with the first window to blame. Returns "" if it is finite.
std::string why_not_finite(const Scored& scored, const PerplexityOptions& options);

/// Prints each further checkpoint against the first and returns the rows for JSON. On the same tokens it prints the
/// paired difference, else a pointer to bits per byte.
Json print_differences(const std::vector<Scored>& all, std::ostream& out);

}  // namespace bench::harness
