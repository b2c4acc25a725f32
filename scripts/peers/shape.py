"""The model that every peer runs, from one of our model configs."""

import yaml


def read_shape(file: str) -> dict:
    """The keys of a model config, such as configs/model_medium.yaml."""
    with open(file, encoding="utf-8") as text:
        return yaml.safe_load(text)


def hugging_face_config(file: str) -> dict:
    """The same as config.json of a Hugging Face folder says it."""
    shape = read_shape(file)
    return {
        "model_type": "llama",
        "architectures": ["LlamaForCausalLM"],
        "vocab_size": shape["vocab_size"],
        "hidden_size": shape["hidden_size"],
        "intermediate_size": shape["intermediate_size"],
        "num_hidden_layers": shape["num_layers"],
        "num_attention_heads": shape["num_heads"],
        "num_key_value_heads": shape["num_kv_heads"],
        "head_dim": shape["hidden_size"] // shape["num_heads"],
        "max_position_embeddings": shape["max_seq_length"],
        "rms_norm_eps": 1e-5,
        "rope_theta": shape["rope_theta"],
        "tie_word_embeddings": shape["tie_embeddings"],
    }
