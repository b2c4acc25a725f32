#include "harness/selftest/probes.h"

namespace bench::harness {
namespace {

constexpr const char* kUpdate =
    "update the system and LibTorch, or use --device cpu; if both are new, please report it with the output of "
    "`bench selftest --json`";

constexpr Probe kProbes[] = {
    {"memory_statistics", "the memory in use and its peak rise when memory is taken",
     "peak statistics of MPS: none before LibTorch 2.13", kUpdate, probe_memory_statistics},
    {"causal_leak", "later tokens change nothing before them where no gradients are computed",
     "pytorch/pytorch#195910 (is_causal lets 16-bit queries see up to three later keys on MPS)", kUpdate,
     probe_causal_leak},
    {"causal_leak_with_gradients",
     "later tokens change nothing before them, and no gradient goes to them, where gradients are computed",
     "pytorch/pytorch#195910", kUpdate, probe_causal_leak_with_gradients},
    {"tiled_attention", "our tiled attention gives the formula's values and gradients", "", kUpdate,
     probe_tiled_attention},
    {"with_and_without_gradients", "attention and the model give the same with and without gradients",
     "pytorch/pytorch#174861 (MPS takes other kernels without gradients)", kUpdate, probe_with_and_without_gradients},
    {"grouped_queries",
     "attention of 1, 8 and 9 queries to 1023, 1024 and 1025 grouped keys gives the formula's values",
     "pytorch/pytorch#174861 (MPS from 1024 keys on), pytorch/pytorch#184180 (masks on MPS)", kUpdate,
     probe_grouped_queries},
    {"long_products", "a weight's gradient is right where it sums over 32,768 tokens",
     "pytorch/pytorch#193487, pytorch/pytorch#195163 (M1 and M2)", kUpdate, probe_long_products},
    {"strided_add", "adding in place to part of a tensor changes that part, and only that", "", kUpdate,
     probe_strided_add},
    {"masked_fill_on_view", "filling part of a tensor by a mask changes what the mask says, and only that",
     "pytorch/pytorch#176171 (MPS)", kUpdate, probe_masked_fill_on_view},
    {"argmax", "argmax names a largest element",
     "pytorch/pytorch#92311 (MPS before macOS 13.3), pytorch/pytorch#160740", kUpdate, probe_argmax},
    {"embedding_gradient", "tokens that occur many times add up in the embedding's gradient",
     "pytorch/pytorch#195404 (the order of the sum differs from run to run on MPS, within the tolerance)", kUpdate,
     probe_embedding_gradient},
    {"device_kernels", "the kernels that decoding takes give the numbers of LibTorch's operators", "", kUpdate,
     probe_device_kernels},
    {"adamw_step", "a clipped AdamW step on scaled gradients is the formula's",
     "pytorch/pytorch#186360 (grad_scale on MPS before LibTorch 2.13)", kUpdate, probe_adamw_step},
    {"recomputed_dropout", "recomputed activations drop the same elements again",
     "pytorch/pytorch#130613, pytorch/pytorch#124833 (state of the MPS generator)", kUpdate, probe_recomputed_dropout},
    {"training_step", "a training step of a small model gives the numbers of another implementation",
     "macOS 26 in a virtual machine gave wrong results", kUpdate, probe_training_step},
    {"greedy_tokens", "a small model continues a prompt as another implementation does",
     "macOS 26 in a virtual machine gave wrong results", kUpdate, probe_greedy_tokens},
};

}  // namespace

std::span<const Probe> probes() { return kProbes; }

}  // namespace bench::harness
