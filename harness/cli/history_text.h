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

/// The changes, the newest first as in git log, if wanted the trends without any, and a summary.
void write_history_text(const HistoryFound& found, bool unchanged_too, std::ostream& out);

}  // namespace bench::harness
