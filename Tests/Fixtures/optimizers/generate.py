#!/usr/bin/env python3
"""What PyTorch's optimizers and Transformers' schedules make of given gradients: the reference of OptimizerReferenceTests.

    python3 generate.py        writes reference.json beside itself; needs torch and transformers

A weight, a bias and a word table, with and without weight decay as Transformers groups them. Values and gradients follow from
place, tensor and step alone, so that only the results are kept; the first rows of the table never have a gradient.
"""
import json
import os

import torch
from transformers import get_constant_schedule_with_warmup, get_cosine_schedule_with_warmup, get_linear_schedule_with_warmup

SHAPES = {"table": (6, 4), "weight": (4, 4), "bias": (4,)}
CASES = [
    # optimizer, weight decay, schedule, warm-up, steps in all, largest norm
    ("adam", 0.0, "constant", 0, 8, None),
    ("adam", 0.1, "linear", 2, 8, 0.5),
    ("adam", 0.05, "cosine", 3, 12, None),
    ("adamw", 0.0, "cosine", 0, 8, 1.0),
    ("adamw", 0.1, "linear", 3, 9, 0.25),
    ("adamw", 0.1, "constant", 4, 8, None),
    ("adamw", 0.01, "cosine", 1, 6, 2.0),
]
STEPS, RATE = 8, 0.02
SCHEDULES = dict(
    constant=lambda o, warmup, total: get_constant_schedule_with_warmup(o, warmup),
    linear=get_linear_schedule_with_warmup, cosine=get_cosine_schedule_with_warmup)


def numbers(tensor, step, count):
    """Multiples of 1/64 between -1 and 1, exact in any arithmetic."""
    return [((place * 37 + tensor * 101 + step * 53 + place * place * 11) % 129 - 64) / 64 for place in range(count)]


def fill(tensor, step, shape):
    values = torch.tensor(numbers(tensor, step, torch.Size(shape).numel()), dtype=torch.float32).reshape(shape)
    if step > 0 and len(shape) == 2 and shape[0] == 6:
        values[:2] = 0
    return values


def run(optimizer, decay, schedule, warmup, total, norm):
    parameters = {name: torch.nn.Parameter(fill(place, 0, shape)) for place, (name, shape) in enumerate(SHAPES.items())}
    groups = [dict(params=[parameters["table"], parameters["weight"]], weight_decay=decay), dict(params=[parameters["bias"]], weight_decay=0.0)]
    torch_optimizer = dict(adam=torch.optim.Adam, adamw=torch.optim.AdamW)[optimizer](groups, lr=RATE)
    scheduler = SCHEDULES[schedule](torch_optimizer, warmup, total)
    rates, norms = [], []
    for step in range(1, STEPS + 1):
        for place, (name, shape) in enumerate(SHAPES.items()):
            parameters[name].grad = fill(place, step, shape)
        norms.append(float(torch.nn.utils.clip_grad_norm_(parameters.values(), norm or float("inf"))))
        rates.append(scheduler.get_last_lr()[0])
        torch_optimizer.step()
        scheduler.step()
    after = {name: [round(value, 8) for value in parameter.detach().flatten().tolist()] for name, parameter in parameters.items()}
    return dict(optimizer=optimizer, weight_decay=decay, schedule=schedule, warmup=warmup, total=total, max_norm=norm, rates=rates, norms=norms, after=after)


here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "reference.json"), "w") as file:
    file.write("[\n" + ",\n".join(json.dumps(run(*case)) for case in CASES) + "\n]\n")
