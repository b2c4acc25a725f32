#pragma once

#include "harness/planning/plan.h"

#include <ostream>

namespace bench::harness {

/// Writes what is out of reach and by how much, what is in reach at most, and the arithmetic behind it.
void write_plan_text(const Plan& plan, std::ostream& out);

}  // namespace bench::harness
