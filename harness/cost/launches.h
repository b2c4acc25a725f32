#pragma once

#include "model/config.h"

#include <cstdint>
#include <span>

namespace bench::harness {

/// A part of decoding one token, and how many launches it takes. A launch is a piece of work that a device is told to
/// start: a Metal or CUDA kernel, or a graph of them.
struct LaunchPart {
  const char* name;
  std::int64_t with_operators;  // LibTorch's operators alone (model/device/kernels.h: operator_kernels)
  std::int64_t with_kernels;    // where a kernel of ours does it in one
};

/// The parts of one decoder block.
std::span<const LaunchPart> layer_launches();
/// The parts outside the blocks.
std::span<const LaunchPart> token_launches();

/// Launches of one decode step on a device without our SIMD kernels. They don't depend on the batch. From 1,024 cached
/// tokens on, LibTorch's attention on MPS takes a second pass, which is one more in each layer and not counted here.
struct DecodeLaunches {
  std::int64_t with_operators = 0, with_kernels = 0;
};
DecodeLaunches decode_launches(const model::ModelConfig& model);

}  // namespace bench::harness
