#!/usr/bin/env python3
"""Makes the run folders of this folder: runs that were killed in the middle of an epoch, and the SHA-256 to which each goes on.

    generate.py PATH_OF_APUS

A build whose arithmetic or formats differ records them again, and says so in CHANGELOG.md.
"""
import json
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import time

apus = pathlib.Path(sys.argv[1]).resolve()
fixtures = pathlib.Path(__file__).resolve().parent
# Runs keep the paths of their files: those of a folder that may be on any machine.
here = pathlib.Path("/tmp/apus-runs")
shutil.rmtree(here, ignore_errors=True)
here.mkdir()
width, layers, heads, feed_forward, positions = 8, 2, 2, 16, 24
syllables = ["ba", "de", "fi", "go", "ku", "la", "me", "no", "pi", "ru"]
words = [a + b for a in syllables for b in syllables]
vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + words


def make_model():
    folder = here / "model"
    folder.mkdir(exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    (folder / "config.json").write_text(json.dumps({
        "architectures": ["BertModel"], "model_type": "bert", "hidden_size": width, "num_hidden_layers": layers,
        "num_attention_heads": heads, "intermediate_size": feed_forward, "max_position_embeddings": positions,
        "vocab_size": len(vocabulary), "type_vocab_size": 2, "hidden_act": "gelu", "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1, "layer_norm_eps": 1e-12, "initializer_range": 0.02, "pad_token_id": 0,
    }, indent=2) + "\n")
    shapes = {
        "embeddings.word_embeddings.weight": (len(vocabulary), width),
        "embeddings.position_embeddings.weight": (positions, width),
        "embeddings.token_type_embeddings.weight": (2, width),
        "embeddings.LayerNorm.weight": (width,), "embeddings.LayerNorm.bias": (width,),
        "pooler.dense.weight": (width, width), "pooler.dense.bias": (width,),
    }
    for layer in range(layers):
        name = f"encoder.layer.{layer}."
        for part in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            shapes |= {f"{name}{part}.weight": (width, width), f"{name}{part}.bias": (width,)}
        shapes |= {
            f"{name}intermediate.dense.weight": (feed_forward, width), f"{name}intermediate.dense.bias": (feed_forward,),
            f"{name}output.dense.weight": (width, feed_forward), f"{name}output.dense.bias": (width,),
        }
        for part in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes |= {f"{name}{part}.weight": (width,), f"{name}{part}.bias": (width,)}
    chance, header, data = random.Random(1), {}, b""
    for name, shape in shapes.items():
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        ones = name.endswith("LayerNorm.weight")
        values = [1.0 if ones else chance.uniform(-0.25, 0.25) for _ in range(count)]
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + 4 * count]}
        data += struct.pack(f"<{count}f", *values)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)


def make_data(name, seed):
    chance = random.Random(seed)
    rows = [f"{' '.join(chance.choices(words, k=chance.randint(2, 12)))}\t{row % 2}" for row in range(40)]
    (here / name).write_text("sentence\tlabel\n" + "\n".join(rows) + "\n")


def run(*arguments):
    return subprocess.run([apus, *arguments], cwd=here, check=True, capture_output=True, text=True)


def interrupted(name, *options):
    """A run that is killed some steps after step 35 of 120, and its digest had it gone on."""
    common = ["--model", "model", "--train", "train.tsv", "--batch-size", "4", "--lanes", "2", "--max-length", "20",
              "--epochs", "12", "--learning-rate", "1e-3", "--checkpoint-every", "100", "--keep", "1", "--no-tensorboard",
              *options]
    whole = here / "whole"
    shutil.rmtree(whole, ignore_errors=True)
    shutil.rmtree(here / name, ignore_errors=True)
    run("train", *common, "--threads", "1", "--output", "whole")
    digest = json.loads((whole / "summary.json").read_text())["parameters_sha256"]
    shutil.rmtree(whole)
    job = subprocess.Popen([apus, "launch", *common, "--workers", "1", "--threads", "1", "--output", name], cwd=here,
                           start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    metrics = here / name / "metrics.jsonl"
    while job.poll() is None and not (metrics.exists() and '"step":35' in metrics.read_text()):
        time.sleep(0.0005)
    children = subprocess.run(["pgrep", "-P", str(job.pid)], capture_output=True, text=True).stdout.split()
    subprocess.run(["kill", "-KILL", str(job.pid), *children])
    job.wait()
    steps = [line for line in metrics.read_text().splitlines() if '"event":"step"' in line]
    if job.returncode == 0 or len(steps) >= 120:
        sys.exit(f"{name}: the run came to its end before it was killed")
    for left in (".lock", "log.txt"):
        (here / name / left).unlink(missing_ok=True)
    return digest


make_model()
make_data("train.tsv", 1)
make_data("second.tsv", 2)
digests = {
    "journal": interrupted("journal"),
    "lora": interrupted("lora", "--lora-rank", "2"),
    "two-tasks": interrupted("two-tasks", "--source-train", "second.tsv", "--lambda", "0.5"),
    "frozen": interrupted("frozen", "--freeze", "embeddings", "layers 0-0"),
}
for made in here.iterdir():
    place = fixtures / made.name
    shutil.rmtree(place, ignore_errors=True) if made.is_dir() else place.unlink(missing_ok=True)
    shutil.move(made, place)
(fixtures / "digests.json").write_text(json.dumps(digests, indent=2) + "\n")
