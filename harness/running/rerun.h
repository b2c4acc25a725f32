#pragma once

#include "harness/running/suite.h"

namespace bench::harness {

/// The suite that a report came from: effective configs, gates, and as many processes of each case as it had, or as it
/// should have had if the run was interrupted. Throws Error if its cases could not have run in that order.
Suite suite_of_report(const Report& report);

/// The report with every key of its cases' configs: one written before there was a key gets what the key is by default,
/// which is how it was run. A config with keys that this program doesn't know stays as it is.
Report with_all_keys(Report report);

}  // namespace bench::harness
