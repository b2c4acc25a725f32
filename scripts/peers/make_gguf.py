"""Writes a model with random weights as GGUF in bf16, for llama.cpp.

    make_gguf.py configs/model_medium.yaml build/peers/medium.gguf
"""

import os
import sys

import gguf
import numpy

from shape import read_shape

shape, file = read_shape(sys.argv[1]), sys.argv[2]
hidden, inner, layers = shape["hidden_size"], shape["intermediate_size"], shape["num_layers"]
heads, kv_heads, vocab = shape["num_heads"], shape["num_kv_heads"], shape["vocab_size"]
kv_width = hidden // heads * kv_heads
if not shape["tie_embeddings"]:
    sys.exit("make_gguf: a head of its own is not written")
random = numpy.random.default_rng(1337)

writer = gguf.GGUFWriter(file + ".part", "llama")
writer.add_context_length(shape["max_seq_length"])
writer.add_embedding_length(hidden)
writer.add_block_count(layers)
writer.add_feed_forward_length(inner)
writer.add_head_count(heads)
writer.add_head_count_kv(kv_heads)
writer.add_layer_norm_rms_eps(1e-5)
writer.add_rope_freq_base(shape["rope_theta"])
writer.add_rope_dimension_count(hidden // heads)
writer.add_vocab_size(vocab)
writer.add_tokenizer_model("none")


def add_matrix(name: str, rows: int, columns: int) -> None:
    values = random.standard_normal((rows, columns), dtype=numpy.float32) * 0.02
    kind = gguf.GGMLQuantizationType.BF16
    writer.add_tensor(name + ".weight", gguf.quants.quantize(values, kind), raw_dtype=kind)


def add_norm(name: str) -> None:
    writer.add_tensor(name + ".weight", numpy.ones(hidden, dtype=numpy.float32))


add_matrix("token_embd", vocab, hidden)  # the head as well, for lack of one of its own
add_norm("output_norm")
for layer in range(layers):
    block = f"blk.{layer}."
    add_norm(block + "attn_norm")
    add_matrix(block + "attn_q", hidden, hidden)
    add_matrix(block + "attn_k", kv_width, hidden)
    add_matrix(block + "attn_v", kv_width, hidden)
    add_matrix(block + "attn_output", hidden, hidden)
    add_norm(block + "ffn_norm")
    add_matrix(block + "ffn_gate", inner, hidden)
    add_matrix(block + "ffn_up", inner, hidden)
    add_matrix(block + "ffn_down", hidden, inner)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
os.replace(file + ".part", file)
