#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace bench::harness {

/// A rate that no program on a machine can exceed, and where the number comes from.
struct Ceiling {
  double rate = 0;  // per second: FLOP of matrix products, or bytes read
  std::string source;
};

/// The seconds that starting one piece of work takes on a device, and where the number comes from.
struct LaunchCost {
  double seconds = 0;
  std::string source;
};

/// At best, usually, and where starting is slow.
struct LaunchCosts {
  LaunchCost low, likely, high;
};

/// What bounds the speed and the size of work on a machine.
struct Ceilings {
  std::string machine, mixed_dtype = "bf16";  // the dtype of mixed_precision and of dtype: auto
  Ceiling fp32, mixed, read;
  double paper_fp32_flops_per_s = 0, paper_mixed_flops_per_s = 0;  // 0: not known
  double read_share = 0;                                           // share of read.rate that programs get; 0: not known
  double memory_bytes = std::numeric_limits<double>::quiet_NaN();  // what a process may use; NaN: not known
  bool kernels = true, tiled_attention = false;                    // see TrainingShape
  std::int64_t heap_bytes = 0;                                     // see TrainingShape
  std::optional<LaunchCosts> launch;                               // nothing: not known, or launches cost nothing
  bool device_kernels = false;                                     // see Device

  const Ceiling& matmul(const std::string& dtype) const { return dtype == "fp32" ? fp32 : mixed; }
  double paper_flops_per_s(const std::string& dtype) const {
    return dtype == "fp32" ? paper_fp32_flops_per_s : paper_mixed_flops_per_s;
  }
};

}  // namespace bench::harness
