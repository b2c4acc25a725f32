"""A checkpoint trained by bench, in Transformers. usage: transformers_test.py BENCH DUMP_LOGITS REPOSITORY

Trains a few steps, loads the folder with LlamaForCausalLM, and compares logits and perplexity. Exits 77 (skipped) when
transformers isn't installed (in CI that is a failure): scripts/setup --tests installs it.
"""
import json, math, os, pathlib, random, struct, subprocess, sys, tempfile

try:
    import sentencepiece, torch
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM, AutoTokenizer
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(1 if os.environ.get("CI") == "true" else 77)

from checkpoint_variants import Variants, check_begins, check_ends, check_rope, check_weights

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

    def train(settings, steps):
        subprocess.run([BENCH, "train", "--model", folder / "model.yaml", "--training", f"{REPOSITORY}/configs/training_m4max.yaml", "--max-steps", str(steps)]
                       + [part for key, value in settings.items() for part in ("--set", f"{key}={value}")], check=True)

    train(settings, steps=20)
    checkpoint = folder / "run" / "final"

    model = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.float32).eval()
    random.seed(0)
    ids = [random.randrange(VOCAB) for _ in range(48)]
    subprocess.run([DUMP_LOGITS, checkpoint, folder / "logits.safetensors", *map(str, ids)], check=True)
    ours = load_file(folder / "logits.safetensors")["logits"]
    check("logits", (ours - model(torch.tensor([ids])).logits).abs().max().item(), 1e-4)

    # The tokenizer: the same ids for Korean text as SentencePiece gives, whose model it is.
    text = folder / "text.txt"
    text.write_text("".join(f"모든 국민은 법 앞에 평등하다. 제{i}조 {i * i}원\n" for i in range(300)))
    subprocess.run([BENCH, "tokenizer", "train", "--text", text, "--out", folder / "tokenizer.model", "--vocab-size", "340"], check=True)
    (folder / "model.yaml").write_text(MODEL.replace(f"vocab_size: {VOCAB}", "vocab_size: 340"))
    (folder / "valid.txt").write_text(text.read_text().replace("원", "건"))
    settings |= {"data.train_path": text, "data.valid_path": folder / "valid.txt", "data.tokenizer_model": folder / "tokenizer.model", "train.output_dir": folder / "korean"}
    train(settings, steps=1)
    theirs = AutoTokenizer.from_pretrained(folder / "korean" / "final")
    ours = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    for line in ("모든 국민은 법 앞에 평등하다.", "처음 보는 글자: 뷁 😀", "제12조  두 칸"):
        if theirs(line)["input_ids"] != ours.encode(line):
            sys.exit(f"FAILED: tokens of {line!r}: Transformers {theirs(line)['input_ids']}, SentencePiece {ours.encode(line)}")

    stream = [random.randrange(VOCAB) for _ in range(500)]
    (folder / "ids.bin").write_bytes(struct.pack(f"<{len(stream)}i", *stream))
    subprocess.run([BENCH, "ppl", checkpoint, "--tokens", folder / "ids.bin", "--context", "48", "--json", folder / "ppl.json", "--device", "cpu"], check=True)
    ours = json.loads((folder / "ppl.json").read_text())["results"][0]["perplexity"]
    theirs = perplexity(model, stream, 48)
    check("perplexity", abs(ours / theirs - 1), 1e-5)

    synthetic = Variants(checkpoint, folder, BENCH, DUMP_LOGITS)
    check_weights(synthetic)
    check_rope(synthetic)
    korean = Variants(folder / "korean" / "final", folder / "korean", BENCH, DUMP_LOGITS)
    check_ends(korean, "모든 국민은")
    check_begins(korean, [f"모든 국민은 법 앞에 평등하다. 제{i}조 {'뷁' if i % 7 == 0 else ''}" for i in range(40)], 48)
print("ok")
