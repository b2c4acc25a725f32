#pragma once

#include "model/config.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace bench::harness {

/// The memory that a process holds at its peak, in bytes, by what it is for. It is predicted from shapes, and within 1
/// % of what LibTorch allocates. Resident memory is higher by about 60 MB, by the workspace of matrix products, and on
/// Linux by some holes.
struct MemoryEstimate {
  double program = 0;  // the program and its libraries, before there is a model
  double weights = 0;  // the parameters themselves
  double gradients = 0;
  double optimizer = 0;  // AdamW's two moments
  double casts = 0;      // the weights in the compute dtype, kept beside the fp32 ones
  double kv_cache = 0;
  double activations = 0;             // what the backward pass needs, and the tensors in work
  double logits = 0;                  // and what the loss computes from them
  double temporaries = 0;             // weights cast to the compute dtype, gradients before they are added up
  double least_pools = 0, pools = 0;  // what the allocator's heaps hold beyond all that: at least, and likely at most
  const char* moment = "";            // when the peak is: "at the loss"
  std::string program_missing = {};   // why `program` could not be read and is left out

  /// Everything that stays from step to step.
  double resident() const { return program + weights + gradients + optimizer + casts + kv_cache; }
  /// Everything in use at the peak. An allocator with heaps takes more from the system.
  double live() const { return resident() + activations + logits + temporaries; }
  /// What the process takes from the system: everything in use, and `pools`.
  double total() const { return live() + pools; }
  /// The least that it takes, with the heaps as full as they can be.
  double least_total() const { return live() + least_pools; }
  /// "26.1 GB (weights 1.6, gradients 1.6, ...)", without the components that are nothing. Says so if `program` is left
  /// out.
  std::string text() const;

  /// Calls visit(name, bytes) for each component, in order.
  template <class Visit>
  void components(Visit&& visit) const {
    visit("program", program);
    visit("weights", weights);
    visit("gradients", gradients);
    visit("optimizer", optimizer);
    visit("casts", casts);
    visit("kv_cache", kv_cache);
    visit("activations", activations);
    visit("logits", logits);
    visit("temporaries", temporaries);
    visit("pools", pools);
  }
};

/// One micro-batch of training, as far as its memory is concerned.
struct TrainingShape {
  std::int64_t batch = 1, seq_length = 0;  // sequences of a micro-batch, tokens of each
  std::int64_t element_bytes = 4;          // of the compute dtype; weights and optimizer are fp32
  bool gradient_checkpointing = false;     // keep each block's input only
  bool fused = true;                       // false: the plain formulas, which keep the attention's probabilities
  bool kernels = true;                     // false: a device on which LibTorch's operators do most of what is fused
  bool tiled_attention = false;            // attention is ours even without `kernels`
  double program_bytes = 0;
  std::int64_t threads = 1;  // each works on a block of attention; many threads also keep parts of its gradients
  std::string program_missing = {};  // why program_bytes could not be read, and is 0
  std::int64_t heap_bytes = 0;       // of one heap of the device's allocator, see add_pools(); 0: it has none
};

/// Adds what an allocator holds beyond the memory in use if it takes memory from the system in heaps of `heap_bytes`,
/// as LibTorch's for MPS does. Its constant is kXLargeHeap in ATen/mps/MPSAllocator.h, 1 GiB. Tensors of 10 to 512 MiB,
/// as most are in training, are packed in such heaps, and what is freed there stays for tensors of about the same size.
/// So at least the last heap is partly empty. How much lies in freed pieces of other sizes depends on the order of
/// allocations. `pools` allows for one heap more, which is an estimate: nobody has measured it.
void add_pools(std::int64_t heap_bytes, MemoryEstimate& estimate);

/// The peak of the forward and backward pass of a micro-batch.
MemoryEstimate estimate_training_memory(const model::ModelConfig& model, const TrainingShape& shape);

/// Inference with a KV cache: a prompt, then tokens one by one.
struct DecodeShape {
  std::int64_t batch = 1, prompt_tokens = 0, capacity = 0;  // capacity of the cache, in tokens
  std::int64_t element_bytes = 4;                           // of weights and computation
  double program_bytes = 0;
  std::string program_missing = {};  // why program_bytes could not be read, and is 0
};

/// The peak, which is in the prompt's pass, inside a block: all later steps are smaller.
MemoryEstimate estimate_decode_memory(const model::ModelConfig& model, const DecodeShape& shape);

/// The bytes of the keys and values of `capacity` tokens for each of `batch` sequences.
double kv_cache_bytes(const model::ModelConfig& model, std::int64_t batch, std::int64_t capacity,
                      std::int64_t element_bytes);

}  // namespace bench::harness
