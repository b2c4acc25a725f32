#pragma once

#include "harness/selftest/selftest.h"

namespace bench::harness {

// The probes' functions. probes.cpp says what each of them shows.

/// Peak and current memory while the device holds some more.
Finding probe_memory_statistics(const Device& device);

Finding probe_causal_leak(const Device& device);
Finding probe_causal_leak_with_gradients(const Device& device);
Finding probe_tiled_attention(const Device& device);
Finding probe_with_and_without_gradients(const Device& device);
Finding probe_grouped_queries(const Device& device);

Finding probe_long_products(const Device& device);
Finding probe_strided_add(const Device& device);
Finding probe_masked_fill_on_view(const Device& device);
Finding probe_argmax(const Device& device);
Finding probe_embedding_gradient(const Device& device);

/// The kernels that decoding takes on the device, against LibTorch's operators.
Finding probe_device_kernels(const Device& device);

Finding probe_adamw_step(const Device& device);
Finding probe_recomputed_dropout(const Device& device);
Finding probe_training_step(const Device& device);
Finding probe_greedy_tokens(const Device& device);

}  // namespace bench::harness
