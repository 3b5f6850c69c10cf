#!/usr/bin/env python3
"""Whether PEFT loads a run's adapters and Transformers its merged model and tokenizer, with the answers of `apus predict`.

    "$(Benchmarks/peers/setup.sh)/bin/python" Benchmarks/check_adapters.py RUN [--input validation.tsv] [--count 100]

RUN is a folder that `apus train` filled, with --lora-rank, with --add-tokens, or with both. Exit status 1 above a difference of
1e-4, or if Transformers and `apus tokenize` give different tokens.
"""
import argparse, json, os, subprocess, sys
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "apus")
parser = argparse.ArgumentParser()
parser.add_argument("run")
parser.add_argument("--input", default=os.path.join(cache, "data", "movie-reviews", "validation.tsv"))
parser.add_argument("--count", type=int, default=100)
parser.add_argument("--apus", default=os.path.join(root, ".build", "release", "apus"))
arguments = parser.parse_args()

with open(arguments.input, encoding="utf-8", newline="\n") as file:
    column = file.readline().rstrip("\n").split("\t").index("sentence")
    texts = [line.rstrip("\n").split("\t")[column] for line, _ in zip(file, range(arguments.count))]
added = os.path.join(arguments.run, "model", "added_tokens.json")
if os.path.exists(added):
    words = list(json.load(open(added, encoding="utf-8")))
    texts += words + [f"un{w}ly {w.upper()}, {w}." for w in words]


def apus(*command, lines):
    result = subprocess.run([arguments.apus, *command], input="".join(line + "\n" for line in lines), capture_output=True, text=True, check=True)
    return [json.loads(line) for line in result.stdout.splitlines()]


def answers(model):
    model.eval()
    with torch.no_grad():
        return [model(**tokenizer(text, return_tensors="pt", truncation=True, max_length=128)).logits[0] for text in texts]


def largest(found, wanted): return max(float((a - torch.tensor(b)).abs().max()) for a, b in zip(found, wanted))


merged = os.path.join(arguments.run, "model")
tokenizer = AutoTokenizer.from_pretrained(merged)
pieces = [line["ids"] for line in apus("tokenize", "--model", merged, lines=[json.dumps({"text": t}) for t in texts])]
other = [t for t, ids in zip(texts, pieces) if tokenizer(t)["input_ids"] != ids]
wanted = [line["logits"] for line in apus("predict", "--model", merged, lines=texts)]
report = {"texts": len(texts), "vocabulary": len(tokenizer), "other_pieces": len(other)}
model = AutoModelForSequenceClassification.from_pretrained(merged)
report["merged"] = largest(answers(model), wanted)
adapter = os.path.join(arguments.run, "adapter")
if os.path.exists(adapter):
    from peft import PeftModel
    base = json.load(open(os.path.join(adapter, "adapter_config.json")))["base_model_name_or_path"]
    source = AutoModelForSequenceClassification.from_pretrained(base, num_labels=model.config.num_labels)
    if source.config.vocab_size != model.config.vocab_size:
        # Rows of added words are no part of the adapters.
        source.resize_token_embeddings(model.config.vocab_size)
        source.set_input_embeddings(model.get_input_embeddings())
    report["peft"] = largest(answers(PeftModel.from_pretrained(source, adapter)), wanted)
print(json.dumps(report))
for text in other[:5]: print(f"other tokens: {text!r}: {tokenizer(text)['input_ids']}", file=sys.stderr)
sys.exit(1 if other or max(report["merged"], report.get("peft", 0)) > 1e-4 else 0)
