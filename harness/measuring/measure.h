#pragma once

#include "harness/core/turns.h"
#include "harness/devices/device.h"
#include "harness/judging/record.h"

#include <functional>

#include <c10/core/ScalarType.h>

namespace bench::harness {

/// How long to go on measuring. The defaults are those of `bench run`; `bench ab` sets max_blocks and turns.
struct MeasureOptions {
  double end_s = 0;             // on the clock now_s(): no block begins that would likely end later
  double block_s = 0.25;        // a block lasts at least this long
  std::int64_t max_blocks = 0;  // not counting the warm-up; 0: no such limit
  /// Returns true when the record says enough already. It is asked after each block.
  std::function<bool(const Record&)> enough = [](const Record&) { return false; };
  bool probe = true;             // measure the machine's speed before each block
  const Turns* turns = nullptr;  // wait for this process's turn before the cold round and each block
};

/// The only stopwatch: the seconds that `work` takes. The device is idle at both time stamps.
double time_once(const Device& device, const std::function<void()>& work);

/// For testing the harness itself: from now on time_once() stretches all work by `share` of its time.
void plant_slowdown(double share);

/// The speed of the machine at this moment. Measuring it takes about 50 ms, the first time on a GPU more.
struct Speed {
  double matmul_flops_per_s = 0;  // of square matrix products in the dtype asked for; the best of a few
  double read_bytes_per_s = 0;    // of a sum over memory that no cache holds; the best of a few
};
/// Measures the speed. If asked for bf16 on a device that is slow at it, this measures fp32, since the model then makes
/// its products in fp32 too.
Speed probe_speed(const Device& device, c10::ScalarType dtype);

/// The most memory that this process has held at once, not counting what probe_speed() keeps: the memory that it reads,
/// and the matrices that it multiplies.
MemoryReading peak_bytes_without_probe(const Device& device);

/// Adds blocks to a record: stretches of timing, each with what the machine did before and during it.
/// Usage: call begin(), do work whose samples are added to the record, call end(); repeat until done().
class Blocks {
 public:
  Blocks(const Device& device, c10::ScalarType dtype, const MeasureOptions& options, Record& record);

  void begin();
  /// Ends the block. A block without samples is dropped. Decides whether the block was warm-up: it was as long as
  /// blocks still get faster, for at most a quarter of the time.
  void end();
  bool done() const;
  /// Seconds since begin().
  double elapsed_s() const;
  /// If the warm-up never ended, makes the last block count all the same.
  void finish();

 private:
  const Device& device_;
  c10::ScalarType dtype_;
  const MeasureOptions& options_;
  Record& record_;
  double begin_s_, block_begin_s_ = 0, last_block_s_ = 0;
  bool warm_ = false;
  Conditions before_;
  Block open_;
};

/// Work that is timed. One call does the work once and adds its samples to the given record. Returns false when nothing
/// is left to do afterwards.
using TimedWork = std::function<bool(Record&)>;

/// Does the work again and again, until the options or the work say that it is enough. The first round is the cold one:
/// its times go to series named cold_*, and its operators are counted (facts operator_calls, matmul_flops,
/// allocated_bytes). If there is no time for another round, or nothing left to do, the times of the cold round are the
/// only ones and keep their plain names.
void measure_in_blocks(const Device& device, c10::ScalarType dtype, const MeasureOptions& options,
                       const TimedWork& work, Record& record);

/// Removes these three facts from the record. For a cold round that was not a whole piece of work: its counts would
/// depend on the time.
void drop_counts(Record& record);

/// Does the work. On a device that queues work, and on the portable path, this also stores how many operators the
/// device is told to start and how often the host waits for its numbers (facts device_launches, device_reads; those of
/// an earlier call are replaced). The portable path is counted as if it were on the device where starting costs the
/// most. Counting costs a few microseconds an operator, so this is for the cold round.
void count_launches(const Device& device, const std::function<void()>& work, Record& record);

}  // namespace bench::harness
