#pragma once

#include <cstdint>
#include <functional>

namespace bench::harness {

/// What a piece of work asked of LibTorch: the same on every run of the same program, however noisy the machine.
struct WorkCount {
  std::int64_t operator_calls = 0;  // operators, those that operators call included
  double matmul_flops = 0;          // of matrix products and fused attention, forward and backward
  double allocated_bytes = 0;       // in sum, freed or not
};

/// Does the work and counts. The counting costs about a microsecond per operator: not for timed work.
WorkCount count_work(const std::function<void()>& work);

}  // namespace bench::harness
