#pragma once

#include "harness/core/fields.h"
#include "harness/cost/memory_fit.h"
#include "harness/devices/device.h"
#include "harness/judging/record.h"
#include "model/config.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace bench::harness {

/// What to measure, as far as it is the same for all batches.
struct MemoryQuestion {
  FileOr<model::ModelConfig> model;
  bool train = false, checkpointing = false, fused = true;
  std::string dtype = "auto";
  std::vector<std::int64_t> lengths, batches;
  double budget_bytes = 0;
};

/// What memory is used for, and the character that bars show it by.
struct MemoryComponent {
  const char* name;
  const char* bar;
};

/// One measured combination. predicted_bytes: NaN where what the program holds could not be read.
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

/// What a memory case's record has, added to these.
void add_peaks(const Record& record, std::vector<MeasuredPeak>& peaks);

/// Predicted peaks, with what the measured ones say that a prediction leaves out.
class MemoryPredictor {
 public:
  MemoryPredictor(const MemoryQuestion& question, const Device& device, const std::string& dtype,
                  const std::vector<MeasuredPeak>& measured);
  /// Bytes.
  double operator()(std::int64_t batch, std::int64_t length) const;
  const MemoryCalibration& calibration() const { return calibration_; }

 private:
  MemoryEstimate estimate(std::int64_t batch, std::int64_t length) const;

  const MemoryQuestion& question_;
  const Device& device_;
  std::int64_t element_bytes_;
  double program_bytes_ = 0;
  MemoryCalibration calibration_;
};

/// The longest sequences at each batch and the largest batches at each length that fit the question's budget.
std::vector<MemoryFit> find_fits(const MemoryQuestion& question, const MemoryPredictor& predict,
                                 const std::vector<MeasuredPeak>& peaks);

/// Schema bench-memory/1.
Json to_json(const MemoryFindings& found);

}  // namespace bench::harness
