"""Trains a model with random weights in Transformers: bf16 autocast where that is fast, SDPA, fused AdamW.

    train_transformers.py configs/model_medium.yaml --batch 1 --tokens 2048 --accumulate 4 --steps 2

Prints {"train_tokens_per_s": [each step but the first, cold one]}.
"""

import argparse
import json
import time

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from shape import hugging_face_config
from torch_device import autocast, device, synchronize


def train_step(model, optimizer, arguments) -> None:
    for _ in range(arguments.accumulate):
        ids = torch.randint(0, model.config.vocab_size, (arguments.batch, arguments.tokens), device=device)
        with autocast():
            loss = model(ids, labels=ids).loss / arguments.accumulate
        loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()


parser = argparse.ArgumentParser()
parser.add_argument("model")
for name, default in (("batch", 1), ("tokens", 2048), ("accumulate", 1), ("steps", 2)):
    parser.add_argument(f"--{name}", type=int, default=default)
arguments = parser.parse_args()

torch.manual_seed(1337)
model = LlamaForCausalLM(LlamaConfig(**hugging_face_config(arguments.model), use_cache=False)).to(device)
model.train()
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-4, betas=(0.9, 0.95), weight_decay=0.1, fused=True)
rates = []
for step in range(arguments.steps + 1):
    begin = time.perf_counter()
    train_step(model, optimizer, arguments)
    synchronize()
    rates.append(arguments.batch * arguments.tokens * arguments.accumulate / (time.perf_counter() - begin))
print(json.dumps({"train_tokens_per_s": rates[1:]}))
