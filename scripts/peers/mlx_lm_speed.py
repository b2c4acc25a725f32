"""Reads a prompt and decodes in mlx-lm, with random weights.

    mlx_lm_speed.py configs/model_medium.yaml --prompt 512 --new 64 --repeats 3

Prints {"prefill_tokens_per_s": [each repeat], "decode_tokens_per_s": [each repeat]}; a cold one comes first, untold.
"""

import argparse
import json
import time

import mlx.core as mx
from mlx.utils import tree_map
from mlx_lm.generate import generate_step
from mlx_lm.models import llama

from shape import hugging_face_config

parser = argparse.ArgumentParser()
parser.add_argument("model")
for name, default in (("prompt", 512), ("new", 64), ("repeats", 3)):
    parser.add_argument(f"--{name}", type=int, default=default)
arguments = parser.parse_args()

mx.random.seed(1337)
model = llama.Model(llama.ModelArgs.from_dict(hugging_face_config(arguments.model)))
model.update(tree_map(lambda weight: weight.astype(mx.bfloat16), model.parameters()))
mx.eval(model.parameters())
prefill, decode = [], []
for _ in range(arguments.repeats + 1):
    prompt = mx.random.randint(3, model.args.vocab_size, (arguments.prompt,))
    mx.eval(prompt)
    times = [time.perf_counter()]
    for _ in generate_step(prompt, model, max_tokens=arguments.new + 1):
        times.append(time.perf_counter())
    prefill.append(arguments.prompt / (times[1] - times[0]))
    decode.append(arguments.new / (times[-1] - times[1]) if arguments.new else 0)
print(json.dumps({"prefill_tokens_per_s": prefill[1:], "decode_tokens_per_s": decode[1:]}))
