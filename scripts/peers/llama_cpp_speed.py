"""Reads a prompt and decodes in llama.cpp, through its Python binding.

    llama_cpp_speed.py build/peers/medium.gguf --prompt 512 --new 64 --repeats 3

Prints {"prefill_tokens_per_s": [each repeat], "decode_tokens_per_s": [each repeat]}; a cold one comes first, untold.
"""

import argparse
import json
import os
import time

import numpy
from llama_cpp import Llama

parser = argparse.ArgumentParser()
parser.add_argument("file")
for name, default in (("prompt", 512), ("new", 64), ("repeats", 3), ("threads", os.cpu_count())):
    parser.add_argument(f"--{name}", type=int, default=default)
arguments = parser.parse_args()

llama = Llama(arguments.file, n_ctx=arguments.prompt + arguments.new, n_batch=arguments.prompt, n_gpu_layers=-1,
              n_threads=arguments.threads, n_threads_batch=arguments.threads, verbose=False)
prefill, decode = [], []
for repeat in range(arguments.repeats + 1):
    ids = numpy.random.default_rng(repeat).integers(3, llama.n_vocab(), arguments.prompt + arguments.new).tolist()
    llama.reset()
    begin = time.perf_counter()
    llama.eval(ids[:arguments.prompt])
    prefill.append(arguments.prompt / (time.perf_counter() - begin))
    begin = time.perf_counter()
    for token in ids[arguments.prompt:]:
        llama.eval([token])
    decode.append(arguments.new / (time.perf_counter() - begin))
print(json.dumps({"prefill_tokens_per_s": prefill[1:], "decode_tokens_per_s": decode[1:]}))
