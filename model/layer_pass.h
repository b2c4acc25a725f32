#pragma once

#include "model/dropout.h"
#include "model/kv_cache.h"
#include "model/rope.h"

namespace bench::model {

/// The dropouts of one layer.
enum class LayerDropout { kProbabilities, kAttention, kFeedForward };

/// What a pass through one layer needs besides its input.
struct LayerPass {
  RopeImpl& rope;
  KvCache* cache = nullptr;  // null: nothing is kept of keys and values
  std::int64_t layer = 0;
  DropoutKey dropout;

  /// The number of the dropout behind the embedding is 0; those of the layers follow.
  DropoutSite site(LayerDropout which) const { return {dropout, 1 + 3 * layer + static_cast<std::int64_t>(which)}; }
};

}  // namespace bench::model
