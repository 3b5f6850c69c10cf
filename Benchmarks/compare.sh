#!/usr/bin/env bash
# Measures Apus beside Transformers on PyTorch: the same model, data, batch size and number of steps on this machine.
#
#     Benchmarks/compare.sh [ROUNDS] [STEPS]      # 3 rounds of 60 steps: about a quarter of an hour on two cores
#
# In each round every job runs once, Apus and peer in turn, so that a noisy hour falls on both. Prints a Markdown table of
# medians; a ratio is the median of the rounds' ratios. Samples per second leave out the first 5 steps.
set -euo pipefail

rounds=${1:-3} steps=${2:-60}
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=${here%/*}
if [[ -z ${HOME:-} ]]; then
    unset HOME
    export HOME=~
fi
if ! [[ $rounds =~ ^[1-9][0-9]*$ && $steps =~ ^[1-9][0-9]*$ ]] || ((steps <= 5)); then
    printf 'compare: found rounds %s and steps %s, needed at least 1 and 6: Benchmarks/compare.sh [ROUNDS] [STEPS]\n' "$rounds" "$steps" >&2
    exit 2
fi

"$root/scripts/setup.sh"
"$root/scripts/fetch.sh"
venv=$("$here/peers/setup.sh")
swift build --package-path "$root" -c release --product apus --quiet >&2

cache=${XDG_CACHE_HOME:-$HOME/.cache}/apus
job=(--model "$cache/models/all-MiniLM-L6-v2" --train "$cache/data/movie-reviews/train.tsv" --batch-size 32 --max-steps "$steps")
validation=$cache/data/movie-reviews/validation.tsv # the peer reads it, but stops before it is used
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

# apus NAME ARGUMENT...: one run; its figure is appended to NAME.
apus() {
    local name=$1
    shift
    rm -rf -- "$work/run"
    if ! "$root/.build/release/apus" "$@" "${job[@]}" --validation none --output "$work/run" >"$work/log" 2>&1; then
        tail -n 20 "$work/log" >&2
        exit 1
    fi
    python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["samples_per_second"])' "$work/run/summary.json" >>"$work/$name"
}

# peer NAME PROCESSES PADDING: the same on PyTorch, one thread a process.
peer() {
    local command=("$venv/bin/python")
    if (($2 > 1)); then command=("$venv/bin/torchrun" --standalone --nproc-per-node "$2"); fi
    if ! HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 "${command[@]}" "$here/peers/torch_ddp.py" "${job[@]}" --validation "$validation" \
        --threads 1 --padding "$3" >"$work/log" 2>&1; then
        tail -n 20 "$work/log" >&2
        exit 1
    fi
    python3 - "$work/log" >>"$work/$1" <<'PYTHON'
import json, sys
print(next(json.loads(line)["samples_per_second"] for line in open(sys.argv[1]) if line.startswith("{")))
PYTHON
}

for ((round = 1; round <= rounds; round++)); do
    printf 'Round %d of %d\n' "$round" "$rounds" >&2
    apus apus-1 train --lanes 2 --threads 1
    peer batch-1 1 batch
    apus apus-2 launch --workers 2 --threads 1 --lanes 2
    peer batch-2 2 batch
    peer grouped-2 2 grouped
done

processor=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
printf '%s, %d cores; %s rounds of %s steps\n\n' "$processor" "$(nproc)" "$rounds" "$steps"
python3 - "$work" <<'PYTHON'
import os, statistics, sys

def figures(name):
    return [float(line) for line in open(os.path.join(sys.argv[1], name))]

print("| job, batch 32 | Apus, samples/s | PyTorch, samples/s | ratio |")
print("|---|---|---|---|")
for job, ours, theirs in (
    ("1 thread; peer pads to the batch", "apus-1", "batch-1"),
    ("2 workers of 1 thread; peer pads to the batch", "apus-2", "batch-2"),
    ("2 workers of 1 thread; peer groups by length", "apus-2", "grouped-2"),
):
    a, b = figures(ours), figures(theirs)
    ratio = statistics.median(x / y for x, y in zip(a, b))
    print(f"| {job} | {statistics.median(a):.1f} | {statistics.median(b):.1f} | {ratio:.2f} |")
scaling = statistics.median(y / x for x, y in zip(figures("apus-1"), figures("apus-2")))
print(f"\nTwo workers of Apus against one thread: {scaling:.2f} times")
PYTHON
