#pragma once

#include "harness/host/conditions.h"
#include "harness/judging/declared_metric.h"
#include "harness/judging/names.h"

#include <map>
#include <string>
#include <vector>

namespace bench::harness {

/// Samples of one quantity in the order in which they were taken.
struct Series {
  std::string unit;
  std::vector<double> samples;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("unit", self.unit, "of the samples");
    visit("samples", self.samples, "in the order in which they were taken");
  }
};

/// The samples first, first + 1, ... up to second - 1 of a series; in JSON [first, second].
struct SampleRange {
  std::size_t first = 0, second = 0;
};
void to_json(Json& json, const SampleRange& range);
void from_json(const Json& json, SampleRange& range);

/// A stretch of timing, a fraction of a second long, with the machine's speed just before it and what disturbed it.
struct Block {
  double begin_s = 0, end_s = 0;                        // since the process began to measure
  bool warmup = false;                                  // the speed was still rising
  double matmul_flops_per_s = 0, read_bytes_per_s = 0;  // the speed probe, just before the block
  double stolen = 0, others = 0;                        // Disturbance while the block ran; NaN: the system doesn't tell
  double swap_growth_bytes = 0, thermal_level = -1;
  std::map<std::string, SampleRange> samples;  // by the name of the series

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("begin_s", self.begin_s, "since the process began to measure");
    visit("end_s", self.end_s, "the same");
    visit("warmup", self.warmup, "speed still rose");
    visit("matmul_flops_per_s", self.matmul_flops_per_s, "of the speed probe just before");
    visit("read_bytes_per_s", self.read_bytes_per_s, "the same");
    visit("stolen", self.stolen, "share of all processors that other virtual machines took");
    visit("others", self.others, "the same of other programs");
    visit("swap_growth_bytes", self.swap_growth_bytes, "of the machine");
    visit("thermal_level", self.thermal_level, "macOS: 0 nominal to 4");
    visit("samples", self.samples, "of each series: the first, and one past the last");
  }
};

/// The note that says why a record has no peak memory: the system did not tell it.
inline constexpr const char* kPeakUnreadNote = "peak_memory_unread";
/// The note that lists a backend's counts of the peak memory, beside the one that is judged.
inline constexpr const char* kPeakPartsNote = "peak_memory_parts";
/// The note of a training case whose micro-batch did not fit, and the one that holds ran_hot().
inline constexpr const char *kOutOfMemoryNote = "out_of_memory", *kHeatNote = "heat";
/// The notes that steps_cut() and came_after_cut() return.
inline constexpr const char *kStepsCutNote = "steps_cut", *kCameAfterCutNote = "came_after_cut";

/// With fewer tokens, the cost of quantized weights is only an estimate. With this many tokens, the cost of int8
/// weights (a divergence of 0.0008 nats, so log-likelihoods that differ by 0.04 from token to token) is known to
/// 0.35 %. That is enough to judge a limit of 0.5 %.
inline constexpr std::int64_t kFewestComparedTokens = 512;

/// The raw facts that one process of a case leaves. Nothing in a record is computed from something else in it. A case
/// whose turn has not come has a record that says so (kNotRun).
struct Record {
  enum class Status { kOk, kSkipped, kNotRun, kError };  // each is worse than those before it

  std::string name;  // of the case
  std::string type;  // a row of cases/cases.cpp
  Json config;       // the effective config
  Status status = Status::kOk;
  std::string reason, hint;              // of a case that was skipped, not run, or failed
  std::vector<DeclaredMetric> declared;  // metrics that the case declares itself
  std::map<std::string, Series> series;
  std::vector<Block> blocks;
  std::map<std::string, double> facts;
  std::map<std::string, std::string> notes;
  std::map<std::string, std::string> inputs;  // files that the case read, and the xxh128 of their contents
  Conditions before, after;
  double started_s = 0, wall_s = 0;  // started: seconds since the run began

  /// All members except `declared`. In JSON, only records of cases that declare metrics have `declared`.
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("name", self.name, "of the case");
    visit("type", self.type, "a row of cases/cases.cpp");
    visit("status", self.status, "ok, skipped, not_run or error");
    visit("reason", self.reason, "why it is not ok");
    visit("hint", self.hint, "what would help");
    visit("started_s", self.started_s, "since the run began");
    visit("wall_s", self.wall_s, "what the process took, from its start to its end");
    visit("config", self.config, "the effective config");
    visit("inputs", self.inputs, "files that the case read, and the xxh128 of their contents");
    visit("before", self.before, "the machine's state");
    visit("after", self.after, "the same");
    visit("facts", self.facts, "single numbers");
    visit("notes", self.notes, "texts");
    visit("series", self.series, "samples");
    visit("blocks", self.blocks, "of timing");
  }

  void add(const std::string& series_name, const char* unit, double sample);
  /// Whether the case declared a metric of that name.
  bool declares(const std::string& metric) const;
  /// Whether the samples of that series depend on the moment. Times do, and so do the timed metrics that the case
  /// declares.
  bool is_timed(const std::string& series_name, const std::string& unit) const;
  /// The samples of that series; empty if there is no such series.
  const std::vector<double>& samples(const std::string& series_name) const;
  /// The samples that count: all except those of warm-up and disturbed blocks. A sample's own value never decides
  /// whether it counts. If more than half of the blocks were disturbed, the disturbed ones count too, and
  /// was_disturbed() says so.
  std::vector<double> counted(const std::string& series_name) const;
  /// The series that this case is about: the wall time of a program, else the one with the most samples in blocks. ""
  /// if nothing was timed in blocks.
  std::string main_series() const;
  /// The median of a block's samples of that series; NaN if it has none.
  double block_median(const Block& block, const std::string& series_name) const;
  /// The fact of that name, or NaN if there is none.
  double fact(const std::string& fact_name) const;

  /// Why the block doesn't count, or "": other programs, other virtual machines, swapping, heat, or a machine that was
  /// slower or faster than in the record's other blocks. Training goes on for days, so heat is a condition of it: a
  /// hot block of a train case counts, and its machine's speed is compared with that of the other hot blocks.
  std::string disturbance(const Block& block) const;
  /// The disturbance of every block, in order. The machine's usual speed is computed only once.
  std::vector<std::string> disturbances() const;
  /// The blocks that counted() takes samples from.
  std::vector<const Block*> counted_blocks() const;
  /// Why this record's times can't be trusted, or "": more than half of its blocks were disturbed.
  std::string was_disturbed() const;
  /// How long the machine was hot, and how much: "hot for 62 % of the measured time, up to thermal level 2". "" if it
  /// never was, or if the system doesn't tell.
  std::string ran_hot() const;
  /// Why part of what the case should have measured is estimated or unknown, or "": it would not fit, the time was up,
  /// or the text was too short.
  std::string incomplete() const;
  /// Why the cost of the quantized weights is only an estimate, or "": too few tokens were compared.
  std::string compared_too_few() const;
  /// How many of its optimizer steps a training case made: "45 of 400 steps in 100 s". "" if it made all.
  std::string steps_cut() const;
  /// Why the case worked on something unfinished, or "": a case that it came after, or one before that case, made only
  /// some of its steps.
  std::string came_after_cut() const;
  /// Why the peak memory isn't known, or "": the system did not tell it.
  std::string peak_unread() const;
  /// Why the metrics that depend on a whole unit of work are left out, or "": the time was up within the first unit.
  std::string partial() const;
};

/// A new record that says only which case it is of. It holds no results yet.
Record new_record(std::string name, std::string type, Json config, std::vector<DeclaredMetric> declared);

Json to_json(const Record& record);
/// Throws Error at `where` if the JSON isn't a record.
Record record_from_json(const Json& json, const std::string& where);

const char* status_name(Record::Status status);
void to_json(Json& json, const Record::Status& status);
void from_json(const Json& json, Record::Status& status);

}  // namespace bench::harness
