#!/usr/bin/env python3
"""A model of bert-base's or another shape with random weights and another model's vocabulary.

    python3 make_model.py VOCABULARY_MODEL_DIR OUT_DIR [LAYERS=12 WIDTH=768 HEADS=12]

Feed-forward four times as wide, 512 positions; weights as Transformers initializes them, from a fixed seed.
"""
import os, shutil, sys
import torch
from transformers import BertConfig, BertForSequenceClassification

source, out = sys.argv[1:3]
layers, width, heads = (int(argument) for argument in sys.argv[3:6]) if len(sys.argv) > 5 else (12, 768, 12)
pieces = sum(1 for _ in open(os.path.join(source, "vocab.txt"), encoding="utf-8"))
torch.manual_seed(0)
config = BertConfig(
    vocab_size=pieces, num_labels=2, num_hidden_layers=layers, hidden_size=width, num_attention_heads=heads, intermediate_size=4 * width)
model = BertForSequenceClassification(config)
model.save_pretrained(out, safe_serialization=True)
for name in ("vocab.txt", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
    if os.path.exists(os.path.join(source, name)):
        shutil.copy(os.path.join(source, name), out)
