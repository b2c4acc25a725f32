"""Reads a prompt and decodes in llama.cpp, through its Python binding.

    llama_cpp_speed.py build/peers/medium.gguf --prompt 512 --new 64 --repeats 3

Prints {"prefill_tokens_per_s": [each repeat], "decode_tokens_per_s": [each repeat]}; a cold one comes first, untold.
"""

import argparse
import json
import os
import time

import llama_cpp
import numpy

parser = argparse.ArgumentParser()
parser.add_argument("file")
threads = int(os.environ.get("BENCH_THREADS", os.cpu_count()))
for name, default in (("prompt", 512), ("new", 64), ("repeats", 3), ("threads", threads)):
    parser.add_argument(f"--{name}", type=int, default=default)
arguments = parser.parse_args()

# The GPU it was built for, unless bench's own cases run on the processor.
gpu_layers = 0 if os.environ.get("BENCH_DEVICE") == "cpu" else -1
llama = llama_cpp.Llama(arguments.file, n_ctx=arguments.prompt + arguments.new, n_batch=arguments.prompt,
                        n_gpu_layers=gpu_layers, n_threads=arguments.threads, n_threads_batch=arguments.threads,
                        flash_attn=True, verbose=False)


def evaluate(tokens: list) -> None:
    """Returns when the device has done it, not when it is queued."""
    llama.eval(tokens)
    llama_cpp.llama_synchronize(llama.ctx)


prefill, decode = [], []
for repeat in range(arguments.repeats + 1):
    ids = numpy.random.default_rng(repeat).integers(3, llama.n_vocab(), arguments.prompt + arguments.new).tolist()
    llama.reset()
    begin = time.perf_counter()
    evaluate(ids[:arguments.prompt])
    prefill.append(arguments.prompt / (time.perf_counter() - begin))
    begin = time.perf_counter()
    for token in ids[arguments.prompt:]:
        evaluate([token])
    decode.append(arguments.new / (time.perf_counter() - begin))
print(json.dumps({"prefill_tokens_per_s": prefill[1:], "decode_tokens_per_s": decode[1:]}))
