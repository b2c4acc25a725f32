#pragma once

#include "harness/cost/memory_fit.h"

#include <cstdint>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace bench::harness {

/// What memory is used for, and the character that bars show it by.
struct MemoryComponent {
  const char* name;
  const char* bar;
};

/// One measured combination.
struct MeasuredPeak {
  std::int64_t batch, seq_length;
  double bytes, predicted_bytes, predicted_program_bytes;
  std::vector<std::pair<MemoryComponent, double>> parts;
};

/// The largest of one dimension that fits the budget while the other is held.
struct MemoryFit {
  bool of_length;  // true: the longest sequence at a batch; false: the largest batch at a length
  std::int64_t held, largest;
  double bytes;
  bool measured;  // this very combination was measured and stayed within
};

/// What bench memory finds out about a model.
struct MemoryFindings {
  std::string model, mode, dtype, device, machine;
  bool checkpointing = false, fused = true;
  std::string budget;  // as it was given
  double budget_bytes = 0;
  std::int64_t longest = 0;  // sequence that the model takes
  std::vector<MeasuredPeak> peaks;
  MemoryCalibration calibration;
  std::vector<MemoryFit> fits;
};

/// A table, bars, and with a budget what fits it. There must be a measured peak.
void write_memory_text(const MemoryFindings& found, std::ostream& out);

}  // namespace bench::harness
