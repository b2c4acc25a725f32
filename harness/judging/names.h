#pragma once

#include <string>

// The names under which cases leave what they found in a Record. A fact is one number of a process; a series has a
// sample for each piece of work. Metrics and reports read them by the same names, so a slip of the finger does not
// compile.
namespace bench::harness::facts {

// Of the work.
/// Sequences together.
inline constexpr const char* kBatch = "batch";
/// Tokens of each prompt.
inline constexpr const char* kPromptTokens = "prompt_tokens";
/// Of the model.
inline constexpr const char* kParameters = "parameters";
/// Of those, what is no embedding.
inline constexpr const char* kParametersWithoutEmbedding = "parameters_without_embedding";
/// Arithmetic that a unit of the work must cost: an optimizer step, a prompt, a token, a call.
inline constexpr const char* kWorkFlops = "work_flops";
/// Bytes that it must read and write at least.
inline constexpr const char* kWorkBytes = "work_bytes";

// Of training.
/// Of an optimizer step.
inline constexpr const char* kTokensPerStep = "tokens_per_step";
/// Micro-batches of an optimizer step.
inline constexpr const char* kMicroStepsPerStep = "micro_steps_per_step";
/// Forward and backward.
inline constexpr const char* kFlopsPerToken = "flops_per_token";
/// Of the training config.
inline constexpr const char* kMaxSteps = "max_steps";
/// Whose loss or gradients were not finite.
inline constexpr const char* kSkippedSteps = "skipped_steps";

// Of memory, in bytes.
/// As the weights are held.
inline constexpr const char* kWeightBytes = "weight_bytes";
/// Keys and values.
inline constexpr const char* kKvCacheBytes = "kv_cache_bytes";
/// Of what was not run, since it would not fit.
inline constexpr const char* kNeededMemoryBytes = "needed_memory_bytes";
/// Before the run.
inline constexpr const char* kPredictedMemoryBytes = "predicted_memory_bytes";

// Of scoring.
/// Negative log-likelihood of all scored tokens.
inline constexpr const char* kNllNats = "nll_nats";
/// How many they are.
inline constexpr const char* kScoredTokens = "scored_tokens";
/// That they stand for.
inline constexpr const char* kTextBytes = "text_bytes";
/// Of the best possible model.
inline constexpr const char* kOptimumNllNats = "optimum_nll_nats";
/// Sum of the greedy tokens.
inline constexpr const char* kChecksum = "checksum";
/// Greedy tokens that differ without the cache.
inline constexpr const char* kCachedUncachedMismatches = "cached_uncached_mismatches";

// Of quantized weights.
/// Mean, with them.
inline constexpr const char* kQuantizationNllNats = "quantization_nll_nats";
/// Mean, with the weights as they are stored.
inline constexpr const char* kQuantizationBaseNllNats = "quantization_base_nll_nats";
/// Mean divergence of the two.
inline constexpr const char* kQuantizationKlNats = "quantization_kl_nats";
/// Tokens with the same most probable next one.
inline constexpr const char* kQuantizationSameTopShare = "quantization_same_top_share";
/// Tokens that were predicted with both; older records lack it, and had enough.
inline constexpr const char* kQuantizationTokens = "quantization_tokens";

// Of the first piece of work, counted.
/// Of LibTorch.
inline constexpr const char* kOperatorCalls = "operator_calls";
/// Of matrix products and attention.
inline constexpr const char* kMatmulFlops = "matmul_flops";
/// In sum, freed or not.
inline constexpr const char* kAllocatedBytes = "allocated_bytes";

// Of the process.
/// Opening the checkpoint.
inline constexpr const char* kLoadTimeS = "load_time_s";
/// The fastest matrix products probed before the work.
inline constexpr const char* kMatmulFlopsPerS = "matmul_flops_per_s";

}  // namespace bench::harness::facts

namespace bench::harness::series {

// Seconds of each piece of work.
/// Forward and backward of a micro-batch.
inline constexpr const char* kMicroStepTimeS = "micro_step_time_s";
/// The optimizer.
inline constexpr const char* kUpdateTimeS = "update_time_s";
/// A prompt.
inline constexpr const char* kPrefillTimeS = "prefill_time_s";
/// A prompt until its first token.
inline constexpr const char* kFirstTokenTimeS = "first_token_time_s";
/// From one token to the next.
inline constexpr const char* kDecodeStepTimeS = "decode_step_time_s";
/// A call.
inline constexpr const char* kOperatorTimeS = "operator_time_s";
/// A program, from start to end.
inline constexpr const char* kWallTimeS = "wall_time_s";
/// Its processor time.
inline constexpr const char* kCpuTimeS = "cpu_time_s";

// Of training, for each optimizer step.
/// Nats.
inline constexpr const char* kLoss = "loss";
/// Before clipping.
inline constexpr const char* kGradNorm = "grad_norm";

// Of memory, for each sequence length.
/// Tokens.
inline constexpr const char* kSeqLength = "seq_length";
/// Held at most.
inline constexpr const char* kPeakMemoryBytes = "peak_memory_bytes";
/// Before it ran.
inline constexpr const char* kPredictedMemoryBytes = "predicted_memory_bytes";

// Of scoring, for each window.
/// Sum over its scored tokens.
inline constexpr const char* kWindowNllNats = "window_nll_nats";
/// That were scored.
inline constexpr const char* kWindowTokens = "window_tokens";
/// Seconds, of all but the first, cold one.
inline constexpr const char* kWindowTimeS = "window_time_s";

/// The same of the first, cold piece of work.
inline std::string cold(const std::string& name) { return "cold_" + name; }

}  // namespace bench::harness::series
