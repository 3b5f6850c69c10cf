#!/usr/bin/env python3
"""Labelled texts of exactly 512 tokens, including [CLS] and [SEP]: a TSV with columns sentence and label.

    python3 make_texts.py MODEL_DIR OUT.tsv [COUNT=400]

Words of one token each, drawn from the vocabulary with a fixed seed.
"""
import os, random, sys

model, out = sys.argv[1:3]
count = int(sys.argv[3]) if len(sys.argv) > 3 else 400
words = [line.strip() for line in open(os.path.join(model, "vocab.txt"), encoding="utf-8")]
words = [word for word in words if word.isascii() and word.isalpha() and word.islower() and len(word) > 2]
draw = random.Random(0)
os.makedirs(os.path.dirname(os.path.abspath(out)), exist_ok=True)
with open(out, "w", encoding="utf-8") as file:
    file.write("sentence\tlabel\n")
    for number in range(count):
        file.write(" ".join(draw.choice(words) for _ in range(510)) + f"\t{number % 2}\n")
