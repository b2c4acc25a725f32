"""Checkpoints that say the same thing in other ways, or a thing twice: ours must be Transformers' model, or refuse."""
import json, math, random, shutil, subprocess, sys

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

UP = "model.layers.1.mlp.up_proj.weight"
HEAD, EMBEDDING = "lm_head.weight", "model.embed_tokens.weight"


class Variants:
    """Copies of a checkpoint of ours with changes, in a folder, as another program would leave them."""

    def __init__(self, checkpoint, folder, bench, dump_logits):
        self.folder, self.bench, self.dump_logits, self.count = folder, bench, dump_logits, 0
        self.checkpoint = checkpoint
        self.config = json.loads((checkpoint / "config.json").read_text())
        self.config.pop("checksums")
        self.weights = load_file(checkpoint / "model.safetensors")

    def make(self, config={}, shards=None, index=None, without=(), files={}):
        """The folder of a new variant. shards: file name to weights; index: weight to file name."""
        self.count += 1
        made = self.folder / f"variant-{self.count}"
        made.mkdir()
        for name in ("tokenizer.model", "tokenizer_config.json"):
            if (self.checkpoint / name).exists():
                shutil.copy(self.checkpoint / name, made)
        changed = {key: value for key, value in (self.config | config).items() if key not in without}
        (made / "config.json").write_text(json.dumps(changed))
        for name, weights in (shards or {"model.safetensors": self.weights}).items():
            save_file({key: value.clone() for key, value in weights.items()}, made / name, metadata={"format": "pt"})
        if index:
            (made / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": index}))
        for name, content in files.items():
            (made / name).write_text(json.dumps(content))
        return made

    def ours(self, made, ids):
        """Our logits, or what the program says when it refuses."""
        out = made / "logits.safetensors"
        done = subprocess.run([self.dump_logits, made, out, *map(str, ids)], capture_output=True, text=True)
        return load_file(out)["logits"] if done.returncode == 0 else done.stderr

    def expect_equal(self, what, made, tolerance=1e-4):
        random.seed(1)
        ids = [random.randrange(self.config["vocab_size"]) for _ in range(40)]
        theirs = AutoModelForCausalLM.from_pretrained(made, dtype=torch.float32).eval()(torch.tensor([ids])).logits
        ours = self.ours(made, ids)
        if isinstance(ours, str):
            sys.exit(f"FAILED: {what}: refused: {ours}")
        difference = (ours - theirs).abs().max().item()
        print(f"{what}: largest difference {difference:.2e}")
        if not difference <= tolerance:
            sys.exit(f"FAILED: {what}")

    def expect_refused(self, what, made, part):
        said = self.ours(made, [1, 2, 3])
        if not isinstance(said, str) or part not in said:
            sys.exit(f"FAILED: {what}: not refused with '{part}': {said}")
        print(f"{what}: refused")


def check_weights(v):
    """Shards, also with a weight in two of them, and a stored head beside a tied embedding."""
    index = {name: "model-2.safetensors" if "layers.1" in name else "model-1.safetensors" for name in v.weights}
    shards = {file: {name: v.weights[name] for name in v.weights if index[name] == file} for file in set(index.values())}
    v.expect_equal("two shards", v.make(shards=shards, index=index))
    twice = shards | {"model-1.safetensors": shards["model-1.safetensors"] | {UP: v.weights[UP]}}
    v.expect_equal("a weight in two shards", v.make(shards=twice, index=index))
    twice["model-1.safetensors"][UP] = v.weights[UP] + 1
    v.expect_refused("a weight in two shards with other numbers", v.make(shards=twice, index=index), f"{UP}: has other numbers")
    head = v.weights | {HEAD: v.weights[EMBEDDING]}
    v.expect_equal("a tied head stored all the same", v.make(shards={"model.safetensors": head}))
    head[HEAD] = v.weights[EMBEDDING].flip(0)
    v.expect_refused("a tied head with other numbers", v.make(shards={"model.safetensors": head}), "tie_word_embeddings: is true")
    v.expect_equal("a head of its own", v.make({"tie_word_embeddings": False}, shards={"model.safetensors": head}))


def check_rope(v):
    theta = {"rope_theta": 500.0}
    for name, said in {"rope_theta": theta,
                       "rope_scaling null": theta | {"rope_scaling": None},
                       "rope_scaling of type default": theta | {"rope_scaling": {"type": "default"}},
                       "rope_scaling of rope_type default": theta | {"rope_scaling": {"rope_type": "default"}},
                       "rope_parameters": {"rope_parameters": theta | {"rope_type": "default"}},
                       "rope_parameters beside rope_theta": theta | {"rope_parameters": theta | {"rope_type": "default"}}}.items():
        v.expect_equal(name, v.make(said, without=set() if "rope_theta" in said else {"rope_theta"}))
    v.expect_refused("rope_theta twice", v.make(theta | {"rope_parameters": {"rope_theta": 7000.0}}), "rope_theta is 500.0, rope_parameters.rope_theta is 7000.0")
    for kind in ("linear", "dynamic", "yarn", "longrope", "llama3"):
        v.expect_refused(kind, v.make({"rope_scaling": {"rope_type": kind, "factor": 2.0}}), f"rope_type '{kind}' is not supported")


def check_ends(v, prompt):
    """Greedy text of both programs, where several ids end it, in one file and in both."""
    torch.manual_seed(0)  # a model that has learnt next to nothing repeats one token
    varied = {"model.safetensors": {name: w if w.dim() < 2 else 0.3 * torch.randn_like(w) for name, w in v.weights.items()}}
    free = v.make({"eos_token_id": None}, shards=varied)
    tokenizer = AutoTokenizer.from_pretrained(free)
    ids = tokenizer(prompt)["input_ids"]

    def theirs(made):
        model = AutoModelForCausalLM.from_pretrained(made, dtype=torch.float32).eval()
        return model.generate(torch.tensor([ids]), do_sample=False, max_new_tokens=12, pad_token_id=0)[0, len(ids):].tolist()

    def ours(made):
        return subprocess.run([v.bench, "generate", "--checkpoint", made, "--prompt", prompt, "--greedy", "--max-new-tokens", "12", "--dtype", "fp32", "--device", "cpu",
                               "--set", "generation.repetition_penalty=1.0"], capture_output=True, text=True, check=True).stdout.rstrip("\n")

    said = theirs(free)
    end = next(id for i, id in enumerate(said) if i > 0 and id not in said[:i])
    for name, made in {"a list in config.json": v.make({"eos_token_id": [1, end]}, shards=varied),
                       "a list in generation_config.json": v.make({"eos_token_id": 1}, shards=varied, files={"generation_config.json": {"eos_token_id": [1, end]}})}.items():
        expected = theirs(made)
        assert expected[-1] == end and len(expected) < 12, (expected, end)
        if ours(made) != tokenizer.decode(ids + expected[:-1]):
            sys.exit(f"FAILED: {name}: Transformers {tokenizer.decode(ids + expected[:-1])!r}, ours {ours(made)!r}")
        print(f"ends: {name}: the same text")


def check_begins(v, lines, context):
    """Perplexity and bits per byte of a text whose paragraphs begin with a token, in disjoint windows."""
    text = v.folder / "paragraphs.txt"
    text.write_text("\n".join(lines) + "\n")
    for add_bos in (True, False):
        config = {"tokenizer_class": "LlamaTokenizer", "add_bos_token": add_bos, "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
        made = v.make(files={"tokenizer_config.json": config})
        tokenizer = AutoTokenizer.from_pretrained(made)
        model = AutoModelForCausalLM.from_pretrained(made, dtype=torch.float32).eval()
        pieces, byte_counts = [], []
        for line in lines:
            ids = tokenizer(line)["input_ids"] + [2]
            before = 0
            for i, id in enumerate(ids):  # what the ids so far decode to, in bytes; half a character counts when it is whole
                so_far = len(line.encode()) + 1 if id == 2 else len(tokenizer.decode(ids[:i + 1], skip_special_tokens=True).replace("�", "").encode())
                byte_counts.append(max(so_far - before, 0))
                before = max(so_far, before)
            pieces += ids
        nll, scored, scored_bytes = 0.0, 0, 0
        for begin in range(0, len(pieces), context):
            window = torch.tensor([pieces[begin:begin + context]])
            if window.shape[1] < 2:
                continue
            each = torch.nn.functional.cross_entropy(model(window).logits[0, :-1].double(), window[0, 1:], reduction="none")
            for i, nats in enumerate(each.tolist()):
                if add_bos and pieces[begin + 1 + i] == 1:
                    continue
                nll, scored, scored_bytes = nll + nats, scored + 1, scored_bytes + byte_counts[begin + 1 + i]
        subprocess.run([v.bench, "ppl", made, "--text", text, "--context", str(context), "--device", "cpu", "--json", v.folder / "begins.json"], check=True)
        ours = json.loads((v.folder / "begins.json").read_text())["results"][0]
        wrong = [name for name, a, b in (("tokens", ours["scored_tokens"], scored), ("bytes", ours["text_bytes"], scored_bytes),
                                         ("perplexity", ours["perplexity"], math.exp(nll / scored)), ("bits per byte", ours["bits_per_byte"], nll / math.log(2) / scored_bytes))
                 if abs(a / b - 1) > 1e-5]
        if wrong:
            sys.exit(f"FAILED: add_bos_token {add_bos}: {wrong}: ours {ours}, Transformers {scored} tokens, {scored_bytes} bytes, perplexity {math.exp(nll / scored)}")
        print(f"add_bos_token {add_bos}: the same {scored} tokens, {scored_bytes} bytes, perplexity")
