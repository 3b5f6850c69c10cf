#!/usr/bin/env python3
"""Labels the sentences of a TSV with Transformers, in order, padded to batches of 32: the peer of `apus predict`.

    python3 torch_predict.py --model DIR --input F.tsv [--rows 1500] [--threads 1]

Prints one JSON object; samples_per_second counts tokenizing and computing, not loading.
"""
import argparse, json, time
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

ap = argparse.ArgumentParser()
ap.add_argument("--model", required=True)
ap.add_argument("--input", required=True)
ap.add_argument("--rows", type=int, default=1500)
ap.add_argument("--batch-size", type=int, default=32)
ap.add_argument("--threads", type=int, default=1)
ap.add_argument("--bf16", action="store_true", help="compute under autocast")
a = ap.parse_args()

torch.set_num_threads(a.threads)
tokenizer = AutoTokenizer.from_pretrained(a.model)
net = AutoModelForSequenceClassification.from_pretrained(a.model, attn_implementation="sdpa").eval()
texts = [line.rstrip("\n").split("\t")[0] for line in open(a.input, encoding="utf-8")][1:a.rows + 1]


def label(part):
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=a.bf16):
        return net(**tokenizer(part, truncation=True, max_length=128, padding=True, return_tensors="pt")).logits.softmax(1).argmax(1).tolist()


label(texts[:a.batch_size])
start = time.time()
labels = [answer for first in range(0, len(texts), a.batch_size) for answer in label(texts[first:first + a.batch_size])]
seconds = time.time() - start
print(json.dumps(dict(samples_per_second=len(labels) / seconds, threads=a.threads, positive=sum(labels))))
