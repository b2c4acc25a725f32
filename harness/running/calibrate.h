#pragma once

#include "harness/running/suite.h"

#include <string>
#include <vector>

namespace bench::harness {

/// References of this machine from several runs of a suite on it. Exact metrics get their own tolerance around what was
/// seen. Speeds are taken relative to the machine's speed probe, and their bounds are those between which a further run
/// like these lies with a probability of 99 % (a prediction interval of the logarithms, which assumes that those are
/// normally distributed). Throws Error for fewer than three runs, for runs of different machines, and if a case failed.
MachineSection calibrate(const std::vector<Report>& runs, const std::string& date);

/// The text of a suite with that section in it, in the place of the same machine's older one; all else stays as it is.
/// Throws Error if the text then no longer reads as that suite.
std::string with_machine_section(const std::string& suite_text, const std::string& file, const MachineSection& section);

}  // namespace bench::harness
