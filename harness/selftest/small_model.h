#pragma once

#include "harness/devices/device.h"
#include "model/decoder.h"

#include <vector>

namespace bench::harness {

// A model whose weights follow from a formula in whole numbers, so that they are the same bits on every machine and in
// every program. scripts/selftest_golden.py has the same formula.

/// Two layers with heads of the size that the models of this project have, 64; about 300,000 parameters.
model::ModelConfig small_config();

/// The i-th number of the row called `name`: 24 bits of a hash as a number in [-1, 1). fp32 holds it exactly.
double number_of(const std::string& name, std::uint64_t i);
/// The i-th token of the row called `name`, at least `first` and below `last`.
std::int64_t token_of(const std::string& name, std::uint64_t i, std::int64_t first, std::int64_t last);
/// `tokens` tokens of that row as ids [1, tokens] on the CPU.
torch::Tensor token_row(const std::string& name, std::int64_t tokens, std::int64_t first, std::int64_t last);

/// The model in fp32 on the device. A matrix's numbers are number_of(its name) / 4, a norm's 1 + number_of(its name) /
/// 4. Attention is chosen as training on that device does.
model::LanguageModel small_model(const Device& device, const model::ModelConfig& config = small_config());

}  // namespace bench::harness
