#!/usr/bin/env bash
# The simulation of docs/simulation.md with many seeds: does every one end with the bits of an undisturbed run?
#
#     Benchmarks/simulation.sh [SEEDS=10000] [FIRST=1]        # about twelve minutes on two cores
#
# One process for each core, a few hundred seeds each at a time. A seed that fails is printed; see what happens in it:
#
#     APUS_SEED_LOG=1 Benchmarks/simulation.sh 1 SEED
set -euo pipefail
seeds=${1:-10000} first=${2:-1} part=500
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
cd -- "$root"
swift build --no-color-diagnostics --build-tests >&2
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
one() {
    local from=$1 count=$2 log=$3/$1
    APUS_FIRST_SEED=$from APUS_SEEDS=$count .build/debug/apusPackageTests.xctest \
        --filter 'SimulationTests.*every.seed' --testing-library swift-testing >"$log" 2>&1
}
export -f one
start=$SECONDS status=0
for ((from = first; from < first + seeds; from += part)); do
    rest=$((first + seeds - from))
    echo "$from $((rest < part ? rest : part))"
done | xargs -P "$(nproc)" -L 1 bash -c 'one "$0" "$1" '"$(printf '%q' "$work")" || status=1
[[ -z ${APUS_SEED_LOG-} ]] || cat "$work"/*
failed=$(grep -hoE 'seed [0-9]+: .*' "$work"/* | sort -u -t' ' -k2,2n || true)
[[ -z $failed ]] || printf 'FAILED %s\n' "$failed"
grep -q 'passed after' "$work"/* || { tail -n 20 "$work"/* >&2; status=1; }
((status == 0)) || { echo "NOT all of $seeds seeds ended as they should" >&2; exit 1; }
echo "$seeds seeds from $first ended with the bits of an undisturbed run, in $((SECONDS - start)) s"
