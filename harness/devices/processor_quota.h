#pragma once

namespace bench::harness {

/// In a container with a share of the machine's processors LibTorch would start a thread for each of them, and all
/// would wait most of the time: takes no more than the share. OMP_NUM_THREADS overrides it. Before the first tensor.
void keep_to_processor_quota();

}  // namespace bench::harness
