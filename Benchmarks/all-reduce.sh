#!/usr/bin/env bash
# The all-reduce alone, beside Gloo's, in one run: a table of milliseconds and of the ratio of bandwidths.
#
#     Benchmarks/all-reduce.sh [ROUNDS=10]
#
# Needs the peers' virtual environment (Benchmarks/peers/setup.sh, or APUS_PEERS_VENV).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
rounds=${1:-10}
venv=${APUS_PEERS_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/apus/peers}
swift build --package-path "$here/.." -c release --product AllReduceBenchmark >&2
tool="$here/../.build/release/AllReduceBenchmark"
out=$(mktemp)
trap 'rm -f "$out"' EXIT
for workers in 2 4; do
    "$venv/bin/python3" "$here/peers/gloo_allreduce.py" --workers $workers --rounds "$rounds" >>"$out"
    for over in shared tcp curve; do
        "$tool" --workers $workers --over $over --rounds "$rounds" >>"$out"
    done
done
"$venv/bin/python3" - "$out" <<'P'
import json, sys
rows = [json.loads(l) for l in open(sys.argv[1])]
gloo = {(r["workers"], r["megabytes"]): r["milliseconds"] for r in rows if r["over"] == "gloo"}
print("| workers | MB | Gloo | shared memory | TCP | TCP with CURVE |\n|---|---|---|---|---|---|")
for key in gloo:
    cells = []
    for over in ("shared", "tcp", "curve"):
        ms = next((r["milliseconds"] for r in rows if (r["workers"], r["megabytes"]) == key and r["over"] == over), None)
        cells.append("-" if ms is None else f"{ms:.1f} ms ({gloo[key] / ms:.1f}x)")
    print(f"| {key[0]} | {key[1]} | {gloo[key]:.1f} ms | " + " | ".join(cells) + " |")
P
