#pragma once

#include "harness/comparison/history.h"

#include <ostream>
#include <set>
#include <string>
#include <vector>

namespace bench::harness {

/// What a folder of reports held.
struct HistoryFound {
  std::size_t reports = 0;
  std::set<std::string> machines;
  std::vector<std::string> skipped;
  std::vector<Trend> trends;
};

/// Writes the changes, the newest first as in git log. Then it writes the trends without any change, if
/// `unchanged_too`, and a summary.
void write_history_text(const HistoryFound& found, bool unchanged_too, std::ostream& out);

}  // namespace bench::harness
