"""Saves ten state dictionaries with torch.save, and the same with safetensors, for TorchFilesTests.

    python3 Tests/Fixtures/torch/generate.py      # needs torch and safetensors
"""
from collections import OrderedDict
from pathlib import Path

import torch
from safetensors.torch import save_file

here = Path(__file__).parent
torch.manual_seed(0)
base = torch.randn(4, 6)
tied = torch.randn(3, 2)
model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2))

cases = {
    "plain": model.state_dict(),
    "views": {"whole": base, "rows": base[1:3], "columns": base[:, 2:5], "steps": base[::2, 1::3]},
    "transposed": {"a": base.t(), "b": torch.randn(2, 3, 4).permute(2, 0, 1), "c": base[:1].t()},
    "types": {
        "f64": base.double(), "f16": base.half(), "bf16": base.bfloat16(), "i64": torch.arange(-3, 3),
        "i32": torch.arange(4, dtype=torch.int32), "i16": torch.arange(3, dtype=torch.int16),
        "i8": torch.tensor([-1, 5], dtype=torch.int8), "u8": torch.tensor([255, 0], dtype=torch.uint8),
        "flags": torch.tensor([True, False, True]), "f32": base,
    },
    "empty": {"nothing": torch.empty(0), "no_rows": torch.empty(0, 4), "no_columns": torch.empty(3, 0), "one": torch.ones(1)},
    "scalar": {"number": torch.tensor(2.5), "count": torch.tensor(7), "flag": torch.tensor(True)},
    "nested": OrderedDict(encoder=OrderedDict(weight=base, deep={"bias": base[0]}), head={"weight": tied}),
    "checkpoint": {"epoch": 3, "loss": 0.25, "name": "x", "done": False, "rates": [0.1, None, (1, -2)], "state_dict": model.state_dict()},
    "tied": {"embedding.weight": tied, "head.weight": tied, "part": tied[1]},
    "parameters": {"w": torch.nn.Parameter(base), "expanded": torch.arange(3.0).expand(2, 3), "protocol": base},
}


def flat(value, prefix=""):
    for name, entry in value.items():
        if isinstance(entry, torch.Tensor):
            yield prefix + name, entry.detach().clone().contiguous()
        elif isinstance(entry, dict):
            yield from flat(entry, f"{prefix}{name}.")


for name, tensors in cases.items():
    # The newest protocol in one case; otherwise torch's own.
    protocol = 4 if name == "parameters" else 2
    torch.save(tensors, here / f"{name}.bin", pickle_protocol=protocol)
    known = dict(flat(tensors.get("state_dict", tensors)))
    save_file(known, here / f"{name}.safetensors", metadata={"format": "pt"})
