#!/usr/bin/env python3
"""Prints harness/selftest/golden.h: what Transformers makes of the small model of `bench selftest`, in fp64.
usage: selftest_golden.py > harness/selftest/golden.h
The weights and tokens follow from whole numbers (harness/selftest/small_model.cpp has the same formula), so no file
holds them."""
import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM

torch.set_num_threads(1)
BITS = (1 << 64) - 1
# Such an eps keeps gradients that are nothing but rounding from becoming whole steps.
LEARNING_RATE, BETAS, EPS, DECAY, MAX_NORM = 0.01, (0.9, 0.95), 1e-4, 0.1, 1.0
BATCH, TOKENS, PROMPT, NEW = 2, 32, 8, 16


def bits(name, i):
    """The i-th 64 bits of the row called `name`: FNV-1a, then the finaliser of SplitMix64."""
    x = 0xCBF29CE484222325
    for letter in name.encode():
        x = (x ^ letter) * 0x100000001B3 & BITS
    x = x + i & BITS
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & BITS
    x = (x ^ x >> 27) * 0x94D049BB133111EB & BITS
    return x ^ x >> 31


def numbers(name, count):
    return np.array([((bits(name, i) >> 40) - (1 << 23)) / (1 << 23) for i in range(count)])


def tokens(name, count, vocabulary):
    return [bits(name, i) % vocabulary for i in range(count)]


def small_model():
    config = LlamaConfig(
        vocab_size=128, hidden_size=128, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
        intermediate_size=256, max_position_embeddings=256,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0}, rms_norm_eps=1e-5,
        tie_word_embeddings=True, hidden_act="silu", attention_bias=False, mlp_bias=False)
    model = LlamaForCausalLM._from_config(config, attn_implementation="eager").double().eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            values = numbers(name, weight.numel()) / 4 + (1 if weight.dim() < 2 else 0)
            weight.copy_(torch.from_numpy(values.astype(np.float32)).double().view(weight.shape))
    return model


def loss_of(model, ids):
    logits = model(ids[:, :-1]).logits
    return torch.nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), ids[:, 1:].reshape(-1))


def training_step(model):
    """Loss and gradient norm of one step, and the loss on the same tokens after it."""
    ids = torch.tensor([tokens(f"sequence {i}", TOKENS + 1, 128) for i in range(BATCH)])
    matrices = [w for w in model.parameters() if w.dim() >= 2]
    norms = [w for w in model.parameters() if w.dim() < 2]
    optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": DECAY}, {"params": norms, "weight_decay": 0.0}],
                                  lr=LEARNING_RATE, betas=BETAS, eps=EPS)
    loss = loss_of(model, ids)
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), MAX_NORM)
    optimizer.step()
    with torch.no_grad():
        return loss.item(), norm.item(), loss_of(model, ids).item()


def greedy(model):
    """The most probable tokens one after another, and the smallest lead of a chosen token's logit over the next."""
    ids = tokens("greedy prompt", PROMPT, 128)
    lead = float("inf")
    with torch.no_grad():
        for _ in range(NEW):
            best = model(torch.tensor([ids])).logits[0, -1].topk(2)
            lead = min(lead, (best.values[0] - best.values[1]).item())
            ids.append(best.indices[0].item())
    return ids[PROMPT:], lead


if __name__ == "__main__":
    new_tokens, lead = greedy(small_model())
    loss, norm, loss_after = training_step(small_model())
    print(f"""#pragma once

// Printed by scripts/selftest_golden.py: what Transformers makes of small_model() in fp64. Don't edit.
namespace bench::harness::golden {{

// One AdamW step on {BATCH} sequences of {TOKENS} tokens.
inline constexpr int kSequences = {BATCH}, kTokens = {TOKENS};
inline constexpr double kLearningRate = {LEARNING_RATE}, kWeightDecay = {DECAY}, kMaxNorm = {MAX_NORM};
inline constexpr double kBetas[] = {{{BETAS[0]}, {BETAS[1]}}}, kEps = {EPS};
inline constexpr double kLoss = {loss!r};           // before the step
inline constexpr double kGradientNorm = {norm!r};  // before clipping
inline constexpr double kLossAfter = {loss_after!r};     // after the step, on the same tokens

// The most probable tokens behind a prompt of {PROMPT}. Each one's logit leads by {lead:.3f} or more.
inline constexpr int kPrompt = {PROMPT};
inline constexpr int kNewTokens[] = {{{', '.join(map(str, new_tokens))}}};

}}  // namespace bench::harness::golden""")
