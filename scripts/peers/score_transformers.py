"""Scores tokens in Transformers, window by window: what a script for perplexity does.

    score_transformers.py build/peers/medium --context 2048

Prints {"scored_tokens_per_s": [each window but the first, cold one], "perplexity": ...}.
"""

import argparse
import json
import math
import pathlib
import time

import numpy
import torch
from transformers import LlamaForCausalLM

from torch_device import bf16, device

parser = argparse.ArgumentParser()
parser.add_argument("folder", type=pathlib.Path)
parser.add_argument("--context", type=int, default=2048)
arguments = parser.parse_args()

model = LlamaForCausalLM.from_pretrained(arguments.folder, dtype=torch.bfloat16 if bf16 else torch.float32)
model.eval().to(device)
tokens = torch.from_numpy(numpy.load(arguments.folder / "tokens.npy").astype(numpy.int64)).to(device)
rates, nats, scored = [], 0.0, 0
with torch.inference_mode():
    for window in tokens.split(arguments.context):
        begin = time.perf_counter()
        logits = model(window[None]).logits[0, :-1].float()
        nats += torch.nn.functional.cross_entropy(logits, window[1:], reduction="sum").item()
        rates.append((len(window) - 1) / (time.perf_counter() - begin))
        scored += len(window) - 1
print(json.dumps({"scored_tokens_per_s": rates[1:], "perplexity": math.exp(nats / scored)}))
