#!/usr/bin/env python3
"""New reference cases: those of golden/generate.py with other shapes, drawn from a seed.

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
    heads = draw.choice([1, 2, 3, 4, 5, 6, 7, 8, 12])
    # Any head width, odd ones and such as 64 and 128 among them.
    width = heads * draw.choice([each for each in (3, 4, 5, 7, 8, 9, 12, 16, 17, 24, 31, 32, 33, 48, 64, 65, 96, 128) if 24 <= heads * each <= 160])
    positions = draw.choice([3, 16, 40, 64, 128, 256, 512])
    lengths = [draw.randint(2, positions) for _ in range(draw.randint(1, 8 if positions < 256 else 3))]
    if draw.random() < 0.5:
        lengths[draw.randrange(len(lengths))] = positions
    over = dict(
        hidden_size=width, num_attention_heads=heads, num_hidden_layers=draw.randint(1, 4),
        intermediate_size=draw.choice([width, 2 * width, 3 * width + 1, 4 * width, 7]), max_position_embeddings=positions,
        type_vocab_size=draw.choice([2, 2, 3, 5]) if name == "pairs" else draw.choice([1, 2, 2, 3]),
        vocab_size=draw.randint(60, 400), hidden_act=draw.choice(["gelu", "gelu_new", "relu"]),
        layer_norm_eps=draw.choice([1e-12, 1e-7, 1e-5]))
    labels = {"regress": 1, "masked-lm": None}.get(name, draw.choice([2, 2, 3, 4, 5, 6, 7, 11, 17, 33, 100]))
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
