#pragma once

#include "harness/core/turns.h"
#include "harness/devices/device.h"
#include "harness/judging/record.h"

#include <functional>

#include <c10/core/ScalarType.h>

namespace bench::harness {

/// How long to go on measuring. The defaults are those of `bench run`; `bench ab` sets max_blocks and turns.
struct MeasurePlan {
  double end_s = 0;             // of the clock now_s(): no block begins that would likely end later
  double block_s = 0.25;        // a block is at least so long
  std::int64_t max_blocks = 0;  // besides those of the warm-up; 0: no such limit
  /// True when the record says enough already. Asked after each block.
  std::function<bool(const Record&)> enough = [](const Record&) { return false; };
  bool probe = true;             // measure the machine's speed before each block
  const Turns* turns = nullptr;  // wait for this process's turn before the cold round and each block
};

/// The only stopwatch: seconds of `work`, the device idle before both time stamps.
double time_once(const Device& device, const std::function<void()>& work);

/// For testing the harness itself: from now on time_once() stretches all work by that share of its time.
void plant_slowdown(double share);

/// The speed of the machine at this moment; about 50 ms, the first time on a GPU more.
struct Speed {
  double matmul_flops_per_s = 0;  // square matrix products in the dtype asked for, the best of a few
  double read_bytes_per_s = 0;    // a sum over memory that no cache holds, the best of a few
};
/// Asked for bf16 on a device that is slow at it, probes fp32: in that the model then makes its products.
Speed probe_speed(const Device& device, c10::ScalarType dtype);

/// The most memory that this process has held at once, without what probe_speed() keeps: what it reads, and the
/// matrices that it multiplies.
MemoryReading peak_bytes_without_probe(const Device& device);

/// Stretches of timing in a record, with what the machine did before and meanwhile. Usage: begin(), work whose samples
/// are added to the record, end(); until done().
class Blocks {
 public:
  Blocks(const Device& device, c10::ScalarType dtype, const MeasurePlan& plan, Record& record);

  void begin();
  /// Ends the block; without samples in it there was none. Decides whether it was warm-up: it was while the next one is
  /// faster, for at most a quarter of the time.
  void end();
  bool done() const;
  /// Seconds since begin().
  double elapsed_s() const;
  /// If warm-up never ended, the last block counts all the same.
  void finish();

 private:
  const Device& device_;
  c10::ScalarType dtype_;
  const MeasurePlan& plan_;
  Record& record_;
  double begin_s_, block_begin_s_ = 0, last_block_s_ = 0;
  bool warm_ = false;
  Conditions before_;
  Block open_;
};

/// A piece of work that adds its samples to the record it is given. False when nothing is left to do after it.
using Piece = std::function<bool(Record&)>;

/// Measures pieces until the plan or the piece says enough. The first is the cold one: its times go to series named
/// cold_*, and its operators are counted (facts operator_calls, matmul_flops, allocated_bytes). When there is no time
/// for another, or none left to do, its times are the only ones.
void measure_in_blocks(const Device& device, c10::ScalarType dtype, const MeasurePlan& plan, const Piece& piece,
                       Record& record);

/// Takes those facts out again: the cold piece was not a whole one, so they would depend on the time.
void drop_counts(Record& record);

}  // namespace bench::harness
