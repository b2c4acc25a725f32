#pragma once

#include <string>

// The names under which cases store their findings in a Record. A fact is one number of a process. A series has one
// sample for each piece of work. Cases, metrics and reports all use these constants, so a misspelt name does not
// compile.
namespace bench::harness::facts {

// Facts about the work.
/// Sequences that are processed together.
inline constexpr const char* kBatch = "batch";
/// Tokens of each prompt.
inline constexpr const char* kPromptTokens = "prompt_tokens";
/// Parameters of the model.
inline constexpr const char* kParameters = "parameters";
/// Parameters of the model without the embedding.
inline constexpr const char* kParametersWithoutEmbedding = "parameters_without_embedding";
/// Arithmetic, in FLOP, that one unit of the work must cost. A unit is an optimizer step, a prompt, a token or a call.
inline constexpr const char* kWorkFlops = "work_flops";
/// Bytes that one unit of the work must read and write at least.
inline constexpr const char* kWorkBytes = "work_bytes";

// Facts about training.
/// Tokens of an optimizer step.
inline constexpr const char* kTokensPerStep = "tokens_per_step";
/// Micro-batches of an optimizer step.
inline constexpr const char* kMicroStepsPerStep = "micro_steps_per_step";
/// FLOP of the forward and backward pass for one token.
inline constexpr const char* kFlopsPerToken = "flops_per_token";
/// The max_steps of the training config.
inline constexpr const char* kMaxSteps = "max_steps";
/// Optimizer steps that were skipped because the loss or the gradients were not finite.
inline constexpr const char* kSkippedSteps = "skipped_steps";

// Facts about memory, in bytes.
/// Size of the weights as they are held in memory.
inline constexpr const char* kWeightBytes = "weight_bytes";
/// Size of the cached keys and values.
inline constexpr const char* kKvCacheBytes = "kv_cache_bytes";
/// A count of the peak other than the one that is judged: "allocated" by tensors, "reserved" by the allocator, held by
/// the driver at the end ("driver_now"), the process's "footprint".
inline std::string peak_part(const std::string& name) { return "peak_" + name + "_bytes"; }
/// Memory that is needed by work that was not run because it would not fit.
inline constexpr const char* kNeededMemoryBytes = "needed_memory_bytes";
/// Memory that was predicted before the run.
inline constexpr const char* kPredictedMemoryBytes = "predicted_memory_bytes";

// Facts about scoring.
/// Negative log-likelihood of all scored tokens.
inline constexpr const char* kNllNats = "nll_nats";
/// Number of scored tokens.
inline constexpr const char* kScoredTokens = "scored_tokens";
/// Bytes of text that the scored tokens stand for.
inline constexpr const char* kTextBytes = "text_bytes";
/// Negative log-likelihood of the best possible model.
inline constexpr const char* kOptimumNllNats = "optimum_nll_nats";
/// Sum of the greedy tokens.
inline constexpr const char* kChecksum = "checksum";
/// Greedy tokens that come out differently without the cache.
inline constexpr const char* kCachedUncachedMismatches = "cached_uncached_mismatches";

// Facts about quantized weights.
/// Mean negative log-likelihood with the quantized weights.
inline constexpr const char* kQuantizationNllNats = "quantization_nll_nats";
/// Mean negative log-likelihood with the weights as they are stored.
inline constexpr const char* kQuantizationBaseNllNats = "quantization_base_nll_nats";
/// Mean divergence of the two predictions.
inline constexpr const char* kQuantizationKlNats = "quantization_kl_nats";
/// Share of tokens for which both predict the same most probable next token.
inline constexpr const char* kQuantizationSameTopShare = "quantization_same_top_share";
/// Tokens that were predicted with both kinds of weights. Older records lack this fact; they had enough tokens.
inline constexpr const char* kQuantizationTokens = "quantization_tokens";

// Facts that are counted in the first piece of work.
/// Calls of LibTorch operators.
inline constexpr const char* kOperatorCalls = "operator_calls";
/// FLOP of matrix products and attention.
inline constexpr const char* kMatmulFlops = "matmul_flops";
/// Sum of all allocations, whether they were freed or not.
inline constexpr const char* kAllocatedBytes = "allocated_bytes";

// Facts that are counted for one decoded token of each sequence, or for one micro-batch.
/// Operators that the device is told to start.
inline constexpr const char* kDeviceLaunches = "device_launches";
/// How often the host waits for numbers of the device.
inline constexpr const char* kDeviceReads = "device_reads";

// Facts about the process.
/// Time to open the checkpoint.
inline constexpr const char* kLoadTimeS = "load_time_s";
/// Rate of the fastest matrix products that were probed before the work.
inline constexpr const char* kMatmulFlopsPerS = "matmul_flops_per_s";

}  // namespace bench::harness::facts

namespace bench::harness::series {

// Series of times: the seconds of each piece of work.
/// Forward and backward pass of a micro-batch.
inline constexpr const char* kMicroStepTimeS = "micro_step_time_s";
/// The optimizer's update.
inline constexpr const char* kUpdateTimeS = "update_time_s";
/// A prompt.
inline constexpr const char* kPrefillTimeS = "prefill_time_s";
/// A prompt until its first token.
inline constexpr const char* kFirstTokenTimeS = "first_token_time_s";
/// From one token to the next.
inline constexpr const char* kDecodeStepTimeS = "decode_step_time_s";
/// A call of the operator.
inline constexpr const char* kOperatorTimeS = "operator_time_s";
/// A program, from start to end.
inline constexpr const char* kWallTimeS = "wall_time_s";
/// The processor time of a program.
inline constexpr const char* kCpuTimeS = "cpu_time_s";

// Series of training, with a sample for each optimizer step.
/// Loss in nats.
inline constexpr const char* kLoss = "loss";
/// Norm of the gradients before clipping.
inline constexpr const char* kGradNorm = "grad_norm";

// Series of memory, with a sample for each sequence length.
/// Sequence length in tokens.
inline constexpr const char* kSeqLength = "seq_length";
/// Most memory that was held.
inline constexpr const char* kPeakMemoryBytes = "peak_memory_bytes";
/// Memory that was predicted before that length ran.
inline constexpr const char* kPredictedMemoryBytes = "predicted_memory_bytes";

// Series of scoring, with a sample for each window.
/// Negative log-likelihood, summed over the window's scored tokens.
inline constexpr const char* kWindowNllNats = "window_nll_nats";
/// Tokens of the window that were scored.
inline constexpr const char* kWindowTokens = "window_tokens";
/// Seconds of each window except the first, cold one.
inline constexpr const char* kWindowTimeS = "window_time_s";

/// The name under which the sample of the first, cold piece of work is stored.
inline std::string cold(const std::string& name) { return "cold_" + name; }

}  // namespace bench::harness::series
