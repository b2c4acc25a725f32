#pragma once

#include "harness/running/suite.h"

namespace bench::harness {

/// The suite that a report came from, with effective configs and gates. Each case gets as many processes as it had, or,
/// if the run was interrupted, as many as it should have had. Throws Error if the cases could not have run in that
/// order.
Suite suite_of_report(const Report& report);

/// The report with every key in the configs of its cases. If the report is older than a key, the key gets its default,
/// because the case was run in that way. A config with keys that this program doesn't know stays as it is.
Report with_all_keys(Report report);

}  // namespace bench::harness
