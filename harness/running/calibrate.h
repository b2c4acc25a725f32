#pragma once

#include "harness/running/suite.h"

#include <string>
#include <vector>

namespace bench::harness {

/// Computes the references of this machine from several runs of a suite on it. For an exact metric, the bounds are the
/// metric's own tolerance around the values seen. Speeds are taken relative to the machine's speed probe. A further run
/// like these lies between their bounds with a probability of 99 % (a prediction interval of the logarithms, which
/// assumes that the logarithms are normally distributed). Throws Error for fewer than three runs, for runs of different
/// machines or with different cases, for an interrupted one, if a case failed, and for a value that is not a number.
MachineSection calibrate(const std::vector<Report>& runs, const std::string& date);

/// Returns the text of a suite with that section in it. The section replaces an older one of the same machine.
/// Everything else stays as it is. Throws Error if the text then no longer reads as that suite.
std::string with_machine_section(const std::string& suite_text, const std::string& file, const MachineSection& section);

}  // namespace bench::harness
