#pragma once

#include "model/device/weights.h"
#include "model/kv_cache.h"
#include "model/tensor.h"

namespace bench::model {

/// Runs the next tokens of each sequence, ids [B, T] int64, without gradients, and returns their final hidden states
/// [B, T, C]. Their keys and values go into the cache, whose sequences must have equal lengths, and the cache moves on.
/// For devices on which starting an operator costs more than its work: a layer takes as few launches as
/// device_kernels() allow.
torch::Tensor device_hidden(const DeviceWeights& weights, const torch::Tensor& ids, KvCache& cache);

}  // namespace bench::model
