#pragma once

#include "harness/judging/report.h"

#include <string>
#include <vector>

namespace bench::harness {

/// A gate's limit as it shows in a plot of a series.
struct GateLine {
  double at = 0;     // in the series' unit
  std::string text;  // "decode_tokens_per_s at_least 50 tokens/s"
};

/// The gates of a case that say something about each sample of a series.
std::vector<GateLine> gate_lines(const CaseResult& one, const std::string& series);

}  // namespace bench::harness
