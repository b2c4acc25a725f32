"""Writes a model with random weights as a Hugging Face folder in bf16, and tokens to score.

    make_checkpoint.py configs/model_medium.yaml build/peers/medium
"""

import pathlib
import shutil
import sys

import numpy
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from shape import hugging_face_config

TOKENS = 8 * 2048  # 8 windows

file, folder = sys.argv[1], pathlib.Path(sys.argv[2])
part = folder.with_name(folder.name + ".part")  # what a failure leaves is no checkpoint
torch.manual_seed(1337)
config = LlamaConfig(**hugging_face_config(file))
LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(part)
ids = numpy.random.default_rng(1337).integers(3, config.vocab_size, TOKENS, dtype=numpy.int32)
numpy.save(part / "tokens.npy", ids)
shutil.rmtree(folder, ignore_errors=True)
part.rename(folder)
