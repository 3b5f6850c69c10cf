#!/usr/bin/env python3
"""Reference cases that nobody has seen: those of golden/generate.py with other shapes, drawn from a seed.

    python3 generate_variations.py OUT_DIR [--seed 1] [--count 12]

writes OUT_DIR/NN/CASE, each as golden/generate.py writes it, and prints the folders. Needs torch and transformers.
"""
import argparse
import os
import random
import sys

root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(root, "Tests", "Fixtures", "golden"))
sys.dont_write_bytecode = True
import generate  # noqa: E402
import torch  # noqa: E402


def variation(draw, name):
    """One case of the kind `name`, in the form of generate.CASES."""
    head = "mlm" if name == "masked-lm" else "cls"
    heads = draw.choice([1, 2, 3, 4, 6, 8])
    width = draw.choice([width for width in range(32, 97, 4) if width % heads == 0])
    positions = draw.choice([16, 40, 64, 128])
    lengths = [draw.randint(2, positions) for _ in range(draw.randint(1, 8))]
    if draw.random() < 0.5:
        lengths[draw.randrange(len(lengths))] = positions
    over = dict(
        hidden_size=width, num_attention_heads=heads, num_hidden_layers=draw.randint(1, 4),
        intermediate_size=draw.choice([width, 2 * width, 3 * width + 1, 4 * width]), max_position_embeddings=positions,
        vocab_size=draw.randint(60, 400), hidden_act=draw.choice(["gelu", "gelu_new", "relu"]),
        layer_norm_eps=draw.choice([1e-12, 1e-7, 1e-5]))
    labels = {"regress": 1, "masked-lm": None}.get(name, draw.randint(2, 7))
    optimizer = dict(lr=draw.choice([1e-4, 5e-4, 1e-3]), weight_decay=draw.choice([0.0, 0.01, 0.1]),
                     clip=draw.choice([None, 0.5, 1.0]), warmup=draw.randint(0, 3))
    return over, head, lengths, labels, optimizer


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=12)
    arguments = parser.parse_args()
    torch.use_deterministic_algorithms(True)
    draw = random.Random(arguments.seed)
    for number in range(arguments.count):
        name = list(generate.CASES)[number % len(generate.CASES)]
        folder = os.path.join(arguments.out, f"{number:02}")
        generate.run(name, variation(draw, name), folder, 1000 * arguments.seed + number)
        print(os.path.join(folder, name))
