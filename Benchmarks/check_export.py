#!/usr/bin/env python3
"""Whether Transformers loads an exported model folder and gives the logits that `apus predict` gives.

    "$(Benchmarks/peers/setup.sh)/bin/python" Benchmarks/check_export.py RUN/model [--input validation.tsv] [--count 200]

Reads the first sentences of a TSV file with a column named sentence. Exit status 1 above a difference of 1e-4.
"""
import argparse
import json
import os
import subprocess
import sys

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

TOLERANCE = 1e-4
root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "apus")

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("--input", default=os.path.join(cache, "data", "movie-reviews", "validation.tsv"))
parser.add_argument("--count", type=int, default=200)
parser.add_argument("--apus", default=os.path.join(root, ".build", "release", "apus"))
arguments = parser.parse_args()

with open(arguments.input, encoding="utf-8", newline="\n") as file:
    column = file.readline().rstrip("\n").split("\t").index("sentence")
    sentences = [line.rstrip("\n").split("\t")[column] for line in file][:arguments.count]

command = [arguments.apus, "predict", "--model", arguments.model, "--input", "-"]
text = "".join(sentence + "\n" for sentence in sentences)
done = subprocess.run(command, input=text, stdout=subprocess.PIPE, encoding="utf-8", check=True)
predictions = [json.loads(line) for line in done.stdout.splitlines()]
if len(predictions) != len(sentences):
    sys.exit(f"apus predict printed {len(predictions)} lines for {len(sentences)} sentences: needed one each")

tokenizer = AutoTokenizer.from_pretrained(arguments.model)
model = AutoModelForSequenceClassification.from_pretrained(arguments.model).eval()
largest, disagreements = 0.0, 0
with torch.no_grad():
    for sentence, prediction in zip(sentences, predictions):
        logits = model(**tokenizer(sentence, truncation=True, return_tensors="pt")).logits[0]
        ours = torch.tensor(prediction["logits"])
        if ours.shape != logits.shape:
            sys.exit(f"apus predict gave {len(ours)} logits, Transformers {len(logits)}: needed the same label set")
        largest = max(largest, (ours - logits).abs().max().item())
        if len(logits) > 1:
            disagreements += str(prediction["label"]) != model.config.id2label[int(logits.argmax())]
print(json.dumps({"sentences": len(sentences), "largest_difference": largest, "other_labels": disagreements}))
if not largest <= TOLERANCE:
    sys.exit(f"logits differ by {largest:.1e}, allowed are {TOLERANCE:.0e}")
