#pragma once

#include "harness/planning/memory_findings.h"

#include <ostream>

namespace bench::harness {

/// Writes a table, bars and, with a budget, what fits it. There must be a measured peak.
void write_memory_text(const MemoryFindings& found, std::ostream& out);

}  // namespace bench::harness
