#pragma once

#include <cstdint>
#include <functional>

namespace bench::harness {

/// What a piece of work asked of LibTorch. It is the same on every run of the same program, however noisy the machine.
struct WorkCount {
  std::int64_t operator_calls = 0;  // including operators that other operators call
  double matmul_flops = 0;          // of matrix products and fused attention, forward and backward
  double allocated_bytes = 0;       // the sum of all allocations, freed or not
};

/// Does the work and counts what it asks for. Counting costs about a microsecond per operator, so don't count timed
/// work.
WorkCount count_work(const std::function<void()>& work);

}  // namespace bench::harness
