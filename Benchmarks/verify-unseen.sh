#!/usr/bin/env bash
# Compares the training path with Transformers on new cases: other seeds, widths, heads, layers, lengths
# up to the longest position, label counts and activations.
#
#     Benchmarks/verify-unseen.sh [SEED] [COUNT]      # seed 1, 12 cases
#
# Prints each case's largest errors. Exit status 1 when one is above its tolerance.
set -euo pipefail

seed=${1:-1} count=${2:-12}
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=${here%/*}

"$root/scripts/setup.sh"
venv=$("$here/peers/setup.sh")
"$root/scripts/build.sh" -c release --product apus

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

"$venv/bin/python" "$here/peers/generate_variations.py" "$work" --seed "$seed" --count "$count" >"$work/cases" 2>"$work/log" || {
    tail -n 20 "$work/log" >&2
    exit 2
}
mapfile -t cases <"$work/cases"
"$root/.build/release/apus" verify "${cases[@]}" >"$work/errors"
python3 - "$work" <<'PYTHON'
import json, os, sys

TOLERANCES = {"hidden": 2e-5, "logits": 2e-5, "loss": 1e-5, "gradients": 1e-4, "key_bias_gradients": 1e-7, "weights": 2e-5}
work = sys.argv[1]
cases = open(os.path.join(work, "cases")).read().splitlines()
found = [json.loads(line) for line in open(os.path.join(work, "errors")) if line.strip()]
if len(found) != len(cases):
    sys.exit(f"apus verify printed {len(found)} lines for {len(cases)} cases: needed one each")
above = 0
print("case " + " ".join(f"{name:>18}" for name in TOLERANCES))
for folder, errors in zip(cases, found):
    columns = []
    for name, tolerance in TOLERANCES.items():
        error = errors.get(name)
        within = error is not None and error <= tolerance  # false for NaN too
        above += not within
        columns.append(f"{'none' if error is None else format(error, '.1e')}{' ' if within else '!':1}".rjust(18))
    config = json.load(open(os.path.join(folder, "config.json")))
    shape = "{num_hidden_layers} layers, {hidden_size} wide, {num_attention_heads} heads, {max_position_embeddings} positions, {hidden_act}"
    print(f"{os.path.relpath(folder, work)[:2]:4} " + " ".join(columns) + f"  {os.path.basename(folder)}: {shape.format(**config)}")
if above:
    sys.exit(f"{above} errors above their tolerance (marked !)")
PYTHON
