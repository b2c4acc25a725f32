#pragma once

#include "harness/host/conditions.h"
#include "harness/judging/declared_metric.h"
#include "harness/judging/names.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace bench::harness {

/// Samples of one quantity in the order in which they were taken.
struct Series {
  std::string unit;
  std::vector<double> samples;
};

/// A stretch of timing, a fraction of a second long, with the machine's speed just before it and what disturbed it.
struct Block {
  double begin_s = 0, end_s = 0;                        // since the process began to measure
  bool warmup = false;                                  // speed still rose
  double matmul_flops_per_s = 0, read_bytes_per_s = 0;  // the speed probe, just before the block
  double stolen = 0, others = 0;                        // Disturbance while it ran; NaN: the system doesn't tell
  double swap_growth_bytes = 0, thermal_level = -1;
  std::map<std::string, std::pair<std::size_t, std::size_t>> samples;  // of each series: first, one past the last
};

/// The note that says why a record has no peak memory: the system did not tell it.
inline constexpr const char* kPeakUnreadNote = "peak_memory_unread";
/// Those behind steps_cut() and came_after_cut().
inline constexpr const char *kStepsCutNote = "steps_cut", *kCameAfterCutNote = "came_after_cut";

/// Of fewer tokens the cost of quantized weights is only an estimate. Over so many, int8's (a divergence of 0.0008
/// nats, so log-likelihoods that differ by 0.04 from token to token) is known to 0.35 %: a limit of 0.5 % can be
/// judged.
inline constexpr std::int64_t kFewestComparedTokens = 512;

/// The raw facts that one process leaves of a case: nothing in it is computed from something else in it. A case whose
/// turn has not come has one that says so (kNotRun).
struct Record {
  enum class Status { kOk, kSkipped, kNotRun, kError };  // the later, the worse

  std::string name;  // of the case
  std::string type;  // a row of cases/cases.cpp
  Json config;       // the effective config
  Status status = Status::kOk;
  std::string reason, hint;              // of a case that was skipped, not run, or failed
  std::vector<DeclaredMetric> declared;  // metrics of the case's own
  std::map<std::string, Series> series;
  std::vector<Block> blocks;
  std::map<std::string, double> facts;
  std::map<std::string, std::string> notes;
  std::map<std::string, std::string> inputs;  // files that the case read, and the xxh128 of their contents
  Conditions before, after;
  double started_s = 0, wall_s = 0;  // started: seconds since the run began

  void add(const std::string& series_name, const char* unit, double sample);
  /// Whether the case declared a metric of that name.
  bool declares(const std::string& metric) const;
  /// Whether the samples of that series depend on the moment: times, and the case's own timed metrics.
  bool is_timed(const std::string& series_name, const std::string& unit) const;
  /// The samples, empty when there are none of that name.
  const std::vector<double>& samples(const std::string& series_name) const;
  /// The samples that count: without those of blocks that were warm-up or disturbed. Nothing of a sample itself decides
  /// whether it counts. When more than half of the blocks were disturbed all of them count, and was_disturbed() says
  /// so.
  std::vector<double> counted(const std::string& series_name) const;
  /// The series of times with most samples in blocks: what this case is about. "" when nothing was timed in blocks.
  std::string main_series() const;
  /// The median of a block's samples of that series, NaN without any.
  double block_median(const Block& block, const std::string& series_name) const;
  /// The fact, or NaN.
  double fact(const std::string& fact_name) const;

  /// Why the block doesn't count, or "": other programs, other virtual machines, swapping, heat, or a machine that was
  /// slower or faster than in the record's other blocks.
  std::string disturbance(const Block& block) const;
  /// The same of every block: the machine's usual speed is looked up once.
  std::vector<std::string> disturbances() const;
  /// The blocks that counted() takes samples from.
  std::vector<const Block*> counted_blocks() const;
  /// Why this record's times can't be trusted, or "": more than half of its blocks were disturbed.
  std::string was_disturbed() const;
  /// Why part of what the case was to measure is estimated or unknown, or "": it would not fit, the time was up, or
  /// the text was too short.
  std::string incomplete() const;
  /// Why the cost of its quantized weights is only an estimate, or "": too few tokens were compared.
  std::string compared_too_few() const;
  /// How many of its optimizer steps a training case made, or "" if all: "45 of 400 steps in 100 s".
  std::string steps_cut() const;
  /// Why what it worked on is unfinished, or "": a case that it came after, or one before that, made some steps only.
  std::string came_after_cut() const;
  /// Why its peak memory isn't known, or "": the system did not tell it.
  std::string peak_unread() const;
  /// Why what depends on a whole unit of work is left out, or "": the time was up within the first one.
  std::string partial() const;
};

/// A record of a case that holds nothing yet but whose it is.
Record new_record(std::string name, std::string type, Json config, std::vector<DeclaredMetric> declared);

Json to_json(const Record& record);
/// Throws Error at `where` if the JSON isn't a record.
Record record_from_json(const Json& json, const std::string& where);

const char* status_name(Record::Status status);

}  // namespace bench::harness
