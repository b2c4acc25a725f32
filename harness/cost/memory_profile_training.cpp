#include "harness/cost/memory_profile.h"
#include "harness/cost/model_sizes.h"
#include "model/fused/attention.h"
#include "model/fused/head_loss.h"

#include <algorithm>

namespace bench::harness {
namespace {

/// The sizes of one micro-batch, in bytes unless something else is said.
struct MicroBatchSizes {
  MicroBatchSizes(const model::ModelConfig& config, const TrainingShape& training)
      : model(config),
        shape(training),
        s(config),
        element(static_cast<double>(training.element_bytes)),
        tokens(static_cast<double>(training.batch) * static_cast<double>(training.seq_length)),
        keys(static_cast<double>(training.seq_length)),
        cast(element < kFp32Bytes),
        kernels(training.fused && training.kernels) {}

  // What the backward pass needs, per token.
  double norm() const;
  double attention() const;
  double feed_forward() const { return (kernels ? 2 : 4) * element * s.inner; }  // gate, up; else silu and product too
  double block() const { return 2 * norm() + attention() + feed_forward(); }
  double input() const { return element * s.hidden; }
  /// What all blocks keep until the backward pass.
  double kept() const { return s.layers * (shape.gradient_checkpointing ? input() : block()); }

  const model::ModelConfig& model;
  const TrainingShape& shape;
  ModelSizes s;
  double element, tokens, keys;
  bool cast;     // products are computed in a dtype other than the weights'
  bool kernels;  // norm, attention, SwiGLU, dropout and loss are ours
};

/// The input and the result, and with kernels a number for each token. In the plain formula: the input and the scaled
/// input in fp32, and the result.
double MicroBatchSizes::norm() const {
  if (!shape.fused) return s.hidden * (2 * kFp32Bytes + element);
  return 2 * element * s.hidden + (kernels ? kFp32Bytes : 0);
}

double MicroBatchSizes::attention() const {
  const double result_and_inputs = element * (2 * s.hidden + 2 * s.kv) + kFp32Bytes * s.heads;
  if (kernels || (shape.fused && shape.tiled_attention)) return result_and_inputs;
  if (shape.fused) return result_and_inputs + element * s.hidden;  // the result as the next product takes it
  // Here are q, the repeated k and v, and the result; the probabilities in fp32 and as the product takes them; the
  // mask.
  return element * 4 * s.hidden + s.heads * keys * (kFp32Bytes + (cast ? element : 0)) + keys;
}

/// Each block of queries at work needs the queries, the gradients by result and query, the scores and their gradients.
/// Each sequence needs keys and values, and for each part the gradients by them in fp32.
double attention_workspace(const MicroBatchSizes& w) {
  if (!w.shape.fused || (!w.kernels && !w.shape.tiled_attention)) return 0;
  if (!w.kernels) {  // all sequences and heads at once: scores, probabilities and their gradients in fp32
    const std::int64_t block = model::tiled_query_block(w.shape.batch, w.model.num_heads, w.shape.seq_length);
    return 4 * kFp32Bytes * w.tokens * w.s.heads * std::min(static_cast<double>(block), w.keys);
  }
  const double queries = std::min(static_cast<double>(model::kQueryBlock), w.keys);
  const auto [parts, at_once] = model::attention_parts(w.shape.seq_length, w.model.num_kv_heads, w.shape.threads);
  const double rows = w.s.hidden / w.s.kv * queries;
  return static_cast<double>(at_once) * rows * (2 * w.keys + 3 * w.s.hidden / w.s.heads) * w.element +
         2 * w.s.kv * w.keys * (w.element + static_cast<double>(parts) * kFp32Bytes);
}

/// What stays from step to step. Our operators cast the weights once per step and keep the result.
MemoryEstimate states(const MicroBatchSizes& w) {
  MemoryEstimate base;
  base.program = w.shape.program_bytes;
  base.program_missing = w.shape.program_missing;
  base.weights = kFp32Bytes * w.s.parameters;
  base.gradients = kFp32Bytes * w.s.parameters;
  base.optimizer = 2 * kFp32Bytes * w.s.parameters;
  if (w.shape.fused && w.cast) base.casts = w.element * w.s.parameters;
  return base;
}

MemoryEstimate larger(const MemoryEstimate& a, const MemoryEstimate& b) { return a.total() >= b.total() ? a : b; }

/// The largest of three moments. The loss is computed together with its backward pass, some rows of logits at a time,
/// and all gradients are added in place. In the backward pass of a block, the result of the last norm and its gradient
/// are still there.
MemoryEstimate fused_peak(const MicroBatchSizes& w) {
  const auto rows =
      std::min(w.tokens, static_cast<double>(model::head_loss_rows(w.model.vocab_size, w.shape.element_bytes)));
  // bf16 products are added to fp32 gradients, with one matrix transposed. Our kernels transpose the matrix that has
  // fewer columns.
  const auto product = [&](double rows_in, double inputs, double outputs) {
    return w.cast ? w.element * (inputs * outputs + rows_in * (w.kernels ? std::min(inputs, outputs) : outputs)) : 0;
  };

  MemoryEstimate loss = states(w);
  loss.moment = "at the loss";
  loss.activations = w.tokens * (w.kept() + w.norm() + w.input());
  loss.logits = rows * w.s.vocabulary * (w.element + (w.kernels ? 0 : 2 * kFp32Bytes));
  loss.temporaries = product(rows, w.s.hidden, w.s.vocabulary);

  const double recomputed = w.shape.gradient_checkpointing ? w.block() : 0;
  const double block = w.kept() + recomputed + 2 * w.input();

  // The gradients of the feed-forward's result, of the result before dropout, of the inner tensors and of the input.
  MemoryEstimate feed_forward = states(w);
  feed_forward.moment = "in the backward pass of a feed-forward";
  feed_forward.activations =
      w.tokens * (block + w.element * (2 * w.s.inner + (w.model.dropout > 0 ? 3 : 2) * w.s.hidden));
  feed_forward.temporaries = product(w.tokens, w.s.hidden, w.s.inner);

  // The feed-forward and the product behind it are done and have freed what they kept, including attention's result.
  // What is there are the gradients of the residual, of the result and of q, k, v. With recomputing, the gradient of
  // the block's result is there as well.
  MemoryEstimate attention = states(w);
  attention.moment = "in the backward pass of an attention";
  attention.activations =
      w.tokens * (block - w.feed_forward() - w.norm() +
                  w.element * ((w.shape.gradient_checkpointing ? 3 : 2) * w.s.hidden + 2 * w.s.kv)) +
      attention_workspace(w);
  return larger(larger(loss, feed_forward), attention);
}

/// The largest of four moments: at the loss, when all activations and three times the logits are there; at the head; in
/// the backward pass of a block; at the embedding, where a tied embedding has two gradients and their sum.
MemoryEstimate plain_peak(const MicroBatchSizes& w) {
  const double cast_blocks =
      w.cast ? w.element * w.s.block_parameters * (w.shape.gradient_checkpointing ? 1 : w.s.layers) : 0;
  const double cast_head = w.cast ? w.element * w.s.matrix : 0;
  const double head_gradient = w.model.tie_embeddings ? kFp32Bytes * w.s.matrix : 0;  // until the embedding's is there

  MemoryEstimate loss = states(w);  // log-probabilities, their gradient and the logits' gradient, all in fp32
  loss.moment = "at the loss";
  loss.activations = w.tokens * (w.kept() + w.norm());
  loss.logits = w.tokens * w.s.vocabulary * 3 * kFp32Bytes;
  loss.temporaries = cast_head + (w.shape.gradient_checkpointing ? 0 : cast_blocks);

  MemoryEstimate head = loss;  // the logits' gradient in the compute dtype, the matrix's in both
  head.moment = "at the head";
  head.logits = w.tokens * w.s.vocabulary * w.element;
  head.temporaries += kFp32Bytes * w.s.matrix + cast_head;

  MemoryEstimate block = states(w);
  block.moment = "in the backward pass of a block";
  const double recomputed = w.shape.gradient_checkpointing ? w.block() : 0;
  const double feed_forward = w.element * (2 * w.s.inner + 2 * w.s.hidden),
               scores = 2 * w.s.heads * w.keys * kFp32Bytes;
  block.activations = w.tokens * (w.kept() + recomputed + std::max(feed_forward, scores));
  block.temporaries = head_gradient + cast_blocks + w.s.hidden * w.s.inner * (kFp32Bytes + (w.cast ? w.element : 0));

  MemoryEstimate embedding = states(w);
  embedding.moment = "at the embedding's gradient";
  embedding.activations = w.tokens * kFp32Bytes * w.s.hidden;
  embedding.temporaries = kFp32Bytes * w.s.matrix + 2 * head_gradient;

  return larger(larger(loss, head), larger(block, embedding));
}

}  // namespace

MemoryEstimate estimate_training_memory(const model::ModelConfig& model, const TrainingShape& shape) {
  const MicroBatchSizes work(model, shape);
  MemoryEstimate peak = shape.fused ? fused_peak(work) : plain_peak(work);
  add_pools(shape.heap_bytes, peak);
  return peak;
}

}  // namespace bench::harness
