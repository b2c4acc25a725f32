#pragma once

#include "harness/judging/report.h"

#include <filesystem>
#include <string>

namespace bench::harness {

/// Whether a suite's name can be the folder of its results: a plain word, not a path.
bool names_a_folder(const std::string& suite_name);

/// Before a report's cases are run again: it may come from anywhere, and must not say where this program writes. Throws
/// Error at `where` if its suite's name is a path, or if a case would write neither below the current folder nor below
/// `out` (empty: there is none).
void check_written_paths(const Report& report, const std::string& where, const std::filesystem::path& out);

}  // namespace bench::harness
