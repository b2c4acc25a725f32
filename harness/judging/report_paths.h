#pragma once

#include "harness/judging/report.h"

#include <filesystem>
#include <string>

namespace bench::harness {

/// Whether a suite's name can be used as the folder of its results. It must be a plain word, not a path.
bool names_a_folder(const std::string& suite_name);

/// Checks a report before its cases are run again. A report may come from anywhere, so it must not decide where this
/// program writes. Throws Error at `where` if the name of its suite is a path, or if a case would write neither below
/// the current folder nor below `out` (empty: there is no `out`).
void check_written_paths(const Report& report, const std::string& where, const std::filesystem::path& out);

}  // namespace bench::harness
