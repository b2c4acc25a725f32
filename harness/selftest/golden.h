#pragma once

// Printed by scripts/selftest_golden.py: what Transformers makes of small_model() in fp64. Don't edit.
namespace bench::harness::golden {

// One AdamW step on 2 sequences of 32 tokens.
inline constexpr int kSequences = 2, kTokens = 32;
inline constexpr double kLearningRate = 0.01, kWeightDecay = 0.1, kMaxNorm = 1.0;
inline constexpr double kBetas[] = {0.9, 0.95}, kEps = 0.0001;
inline constexpr double kLoss = 6.286654719507459;           // before the step
inline constexpr double kGradientNorm = 11.149628477812481;  // before clipping
inline constexpr double kLossAfter = 2.6491331691902102;     // after the step, on the same tokens

// The most probable tokens behind a prompt of 8. Each one's logit leads by 0.166 or more.
inline constexpr int kPrompt = 8;
inline constexpr int kNewTokens[] = {126, 84, 120, 86, 66, 8, 115, 14, 35, 118, 4, 85, 115, 72, 4, 85};

}  // namespace bench::harness::golden
