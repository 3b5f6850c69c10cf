#!/usr/bin/env bash
# The all-reduce alone, beside Gloo's, in one run: a table of milliseconds and of the ratio of bandwidths.
#
#     Benchmarks/all-reduce.sh [ROUNDS=10] [PASSES=3]
#
# In each pass every way runs once, ROUNDS times each size, so that a noisy minute falls on all of them; a ratio is the median of the
# passes' ratios. Needs the peers' virtual environment (Benchmarks/peers/setup.sh, or APUS_PEERS_VENV).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
rounds=${1:-10} passes=${2:-3}
if ! [[ $rounds =~ ^[1-9][0-9]*$ && $passes =~ ^[1-9][0-9]*$ ]]; then
    printf 'all-reduce: found rounds %s and passes %s, needed whole numbers from 1: Benchmarks/all-reduce.sh [ROUNDS] [PASSES]\n' "$rounds" "$passes" >&2
    exit 2
fi
venv=${APUS_PEERS_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/apus/peers}
"$here/../scripts/build.sh" -c release --product AllReduceBenchmark
tool="$here/../.build/release/AllReduceBenchmark"
out=$(mktemp)
trap 'rm -f "$out"' EXIT
for ((pass = 0; pass < passes; pass++)); do
    for workers in 2 4; do
        "$venv/bin/python3" "$here/peers/gloo_allreduce.py" --workers $workers --rounds "$rounds" >>"$out"
        for over in shared tcp tls curve; do
            "$tool" --workers $workers --over $over --rounds "$rounds" >>"$out"
        done
    done
done
"$venv/bin/python3" - "$out" <<'P'
import json, statistics, sys
times = {}
for row in map(json.loads, open(sys.argv[1])):
    times.setdefault((row["workers"], row["megabytes"]), {}).setdefault(row["over"], []).append(row["milliseconds"])
print("| workers | MB | Gloo | shared memory | TCP | TCP with TLS | ZeroMQ with CURVE |\n|---|---|---|---|---|---|---|")
for (workers, size), ways in times.items():
    gloo = ways["gloo"]
    cells = []
    for over in ("shared", "tcp", "tls", "curve"):
        own = ways.get(over, [])
        ratio = statistics.median(g / o for g, o in zip(gloo, own)) if len(own) == len(gloo) else None
        cells.append("-" if ratio is None else f"{statistics.median(own):.1f} ms ({ratio:.1f}x)")
    print(f"| {workers} | {size} | {statistics.median(gloo):.1f} ms | " + " | ".join(cells) + " |")
P
