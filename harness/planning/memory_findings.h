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

/// What to measure: every sequence length with every batch.
struct MemoryQuestion {
  FileOr<model::ModelConfig> model;
  bool train = false, checkpointing = false, fused = true;
  std::string dtype = "auto";
  std::vector<std::int64_t> lengths, batches;
  double budget_bytes = 0;
};

/// A use of memory, and the character that shows it in bars.
struct MemoryComponent {
  const char* name;
  const char* bar;
};

/// The peak of one measured combination of batch and sequence length. predicted_bytes is NaN if what the program holds
/// could not be read.
struct MeasuredPeak {
  std::int64_t batch, seq_length;
  double bytes, predicted_bytes, predicted_program_bytes;
  std::vector<std::pair<MemoryComponent, double>> parts;
};

/// The largest batch or sequence length that fits the budget while the other of the two is held fixed.
struct MemoryFit {
  bool of_length;  // true: the longest sequence at a batch; false: the largest batch at a length
  std::int64_t held, largest;
  double bytes;
  bool measured;  // this very combination was measured and stayed within the budget
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

/// Adds the peaks in the record of a memory case to `peaks`.
void add_peaks(const Record& record, std::vector<MeasuredPeak>& peaks);

/// Predicts peaks. Corrects each prediction by what the measured peaks show to be missing in predictions.
class MemoryPredictor {
 public:
  MemoryPredictor(const MemoryQuestion& question, const Device& device, const std::string& dtype,
                  const std::vector<MeasuredPeak>& measured);
  /// The predicted peak, in bytes.
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
