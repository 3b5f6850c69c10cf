#!/usr/bin/env python3
"""Whether Transformers loads an exported model folder and gives the logits that `apus predict` gives, whatever its head.

    "$(Benchmarks/peers/setup.sh)/bin/python" Benchmarks/check_export.py RUN/model [--input validation.tsv] [--count 200]

Reads the first sentences of a TSV file with a column named sentence. A masked-LM model is asked for each sentence's third word, by
the probabilities of its five likeliest tokens. Exit status 1 above a difference of 1e-4.
"""
import argparse
import json
import os
import subprocess
import sys

import torch
from transformers import AutoConfig, AutoModelForMaskedLM, AutoModelForSequenceClassification, AutoModelForTokenClassification, AutoTokenizer

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

config = AutoConfig.from_pretrained(arguments.model)
architecture = config.architectures[0]
if architecture == "BertForMaskedLM":
    words = [sentence.split() for sentence in sentences]
    sentences = [" ".join(own[:2] + ["[MASK]"] + own[3:]) for own in words if len(own) > 2]

command = [arguments.apus, "predict", "--model", arguments.model, "--input", "-"]
text = "".join(sentence + "\n" for sentence in sentences)
done = subprocess.run(command, input=text, stdout=subprocess.PIPE, encoding="utf-8", check=True)
predictions = [json.loads(line) for line in done.stdout.splitlines()]
if len(predictions) != len(sentences):
    sys.exit(f"apus predict printed {len(predictions)} lines for {len(sentences)} sentences: expected one each")

tokenizer = AutoTokenizer.from_pretrained(arguments.model)
loader = {"BertForTokenClassification": AutoModelForTokenClassification, "BertForMaskedLM": AutoModelForMaskedLM}
model, notes = loader.get(architecture, AutoModelForSequenceClassification).from_pretrained(arguments.model, output_loading_info=True)
model.eval()
limit = getattr(config, "apus_max_length", 128)


def mean_pooled(fed):
    """What a classifier that reads means gives: Transformers has no class for it."""
    hidden, mask = model.bert(**fed).last_hidden_state, fed["attention_mask"][:, :, None]
    return model.classifier((hidden * mask).sum(1) / mask.sum(1))[0]


def compared(sentence, prediction):
    """The values that Transformers and Apus give, and whether they name the same labels."""
    names = model.config.id2label
    if architecture == "BertForTokenClassification":
        fed = tokenizer(sentence.split(), is_split_into_words=True, truncation=True, max_length=limit, return_tensors="pt")
        ids = fed.word_ids(0)
        firsts = [place for place, word in enumerate(ids) if word is not None and word not in ids[:place]]
        logits = model(**fed).logits[0][firsts]
        same = [names[int(row.argmax())] for row in logits] == [label for label in prediction["label"] if label is not None]
        return logits, torch.tensor(prediction["logits"]), same
    fed = tokenizer(sentence, truncation=True, max_length=limit, return_tensors="pt")
    if architecture == "BertForMaskedLM":
        places = (fed["input_ids"][0] == tokenizer.mask_token_id).nonzero()[:, 0]
        chances = torch.softmax(model(**fed).logits[0][places], -1)
        theirs = torch.stack([row[tokenizer.convert_tokens_to_ids(list(own))] for row, own in zip(chances, prediction["scores"])])
        return theirs, torch.tensor([list(own.values()) for own in prediction["scores"]]), True
    logits = mean_pooled(fed) if getattr(config, "apus_pooling", None) == "mean" else model(**fed).logits[0]
    if config.problem_type == "multi_label_classification":
        same = [names[place] for place, value in enumerate(logits) if value > 0] == prediction["label"]
    else:
        same = config.problem_type == "regression" or str(prediction["label"]) == names[int(logits.argmax())]
    return logits, torch.tensor(prediction["logits"]), same


largest, disagreements = 0.0, 0
with torch.no_grad():
    for sentence, prediction in zip(sentences, predictions):
        theirs, ours, same = compared(sentence, prediction)
        if ours.shape != theirs.shape:
            sys.exit(f"apus predict gave values of shape {list(ours.shape)}, Transformers {list(theirs.shape)}: expected the same")
        largest = max(largest, (ours - theirs).abs().max().item())
        disagreements += not same
missing = sorted(name for name in notes["missing_keys"] if not name.startswith("bert.pooler.") or getattr(config, "apus_pooling", None) != "mean")
print(json.dumps({"architecture": architecture, "sentences": len(sentences), "largest_difference": largest, "other_labels": disagreements,
                  "missing": missing, "unexpected": sorted(notes["unexpected_keys"])}))
if missing or not largest <= TOLERANCE:
    sys.exit(f"logits differ by {largest:.1e}, at most {TOLERANCE:.0e}; {len(missing)} tensors are missing")
