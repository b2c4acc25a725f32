#pragma once

namespace bench::harness {

/// Limits LibTorch's threads to the share of the machine's processors that a container has. By itself LibTorch would
/// start one thread for each processor, and the threads would wait most of the time. OMP_NUM_THREADS overrides this.
/// Call it before the first tensor is made.
void keep_to_processor_quota();

}  // namespace bench::harness
