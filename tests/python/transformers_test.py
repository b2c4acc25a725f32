"""A checkpoint trained by bench, in Transformers. usage: transformers_test.py BENCH DUMP_LOGITS REPOSITORY

Trains a few steps, loads the folder with LlamaForCausalLM, and compares logits and perplexity. Exits 77 (skipped) when
transformers isn't installed (in CI that is a failure): scripts/setup --tests installs it.
"""
import json, math, os, pathlib, random, struct, subprocess, sys, tempfile

try:
    import torch
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(1 if os.environ.get("CI") == "true" else 77)

BENCH, DUMP_LOGITS, REPOSITORY = sys.argv[1:4]
VOCAB = 128
MODEL = f"""vocab_size: {VOCAB}
hidden_size: 64
num_layers: 3
num_heads: 4
num_kv_heads: 2
intermediate_size: 96
max_seq_length: 64
dropout: 0.1
"""


def check(what, difference, tolerance):
    print(f"{what}: largest difference {difference:.2e}, allowed {tolerance:.0e}")
    if not difference <= tolerance:
        sys.exit(f"FAILED: {what}")


def perplexity(model, ids, context):
    """The disjoint protocol: windows of `context`, all but each window's first token scored."""
    nll, scored = 0.0, 0
    for begin in range(0, len(ids), context):
        window = torch.tensor([ids[begin:begin + context]])
        if window.shape[1] < 2:
            continue
        logits = model(window).logits[0, :-1].double()
        nll += torch.nn.functional.cross_entropy(logits, window[0, 1:], reduction="sum").item()
        scored += window.shape[1] - 1
    return math.exp(nll / scored)


with tempfile.TemporaryDirectory() as folder, torch.no_grad():
    folder = pathlib.Path(folder)
    (folder / "model.yaml").write_text(MODEL)
    settings = {"data.train_path": "synthetic", "data.valid_path": "synthetic", "device": "cpu", "train.batch_size": 4,
                "train.gradient_accumulation_steps": 1, "train.effective_batch_size": 4, "train.max_seq_length": 32, "train.warmup_steps": 2,
                "train.learning_rate": 0.005, "train.output_dir": folder / "run", "train.mixed_precision": "false", "wandb.enabled": "false"}
    subprocess.run([BENCH, "train", "--model", folder / "model.yaml", "--training", f"{REPOSITORY}/configs/training_m4max.yaml", "--max-steps", "20"]
                   + [part for key, value in settings.items() for part in ("--set", f"{key}={value}")], check=True)
    checkpoint = folder / "run" / "final"

    model = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.float32).eval()
    random.seed(0)
    ids = [random.randrange(VOCAB) for _ in range(48)]
    subprocess.run([DUMP_LOGITS, checkpoint, folder / "logits.safetensors", *map(str, ids)], check=True)
    ours = load_file(folder / "logits.safetensors")["logits"]
    check("logits", (ours - model(torch.tensor([ids])).logits).abs().max().item(), 1e-4)

    stream = [random.randrange(VOCAB) for _ in range(500)]
    (folder / "ids.bin").write_bytes(struct.pack(f"<{len(stream)}i", *stream))
    subprocess.run([BENCH, "ppl", checkpoint, "--tokens", folder / "ids.bin", "--context", "48", "--json", folder / "ppl.json", "--device", "cpu"], check=True)
    ours = json.loads((folder / "ppl.json").read_text())["results"][0]["perplexity"]
    theirs = perplexity(model, stream, 48)
    check("perplexity", abs(ours / theirs - 1), 1e-5)
print("ok")
