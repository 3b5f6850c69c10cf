#!/usr/bin/env bash
# How near `--dry-run` comes to the run: memory of a process and time, for some shapes of runs.
#
#     Benchmarks/dry-run.sh [STEPS=40] [SHAPE…]      # about ten minutes on two cores
#
# Shapes: default short masked-lm lora bf16 frozen workers workers4 epoch. For each, the prediction and the run come in turn, so
# that both meet the same load; `workers` and `workers4` are workers of one thread, whose own memory is compared. Status 1 if
# memory is off by more than 15 %; the time counts only where nothing else runs.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=${here%/*}
steps=${1:-40}
if ! [[ $steps =~ ^[1-9][0-9]*$ ]]; then
    printf 'dry-run: found %s steps, expected a whole number from 1: Benchmarks/dry-run.sh [STEPS] [SHAPE…]\n' "$steps" >&2
    exit 2
fi

"$root/scripts/fetch.sh"
if [[ -z ${APUS_COMPARE_BUILT:-} ]]; then "$root/scripts/build.sh" -c release --product apus; fi
exec python3 "$here/dry_run.py" --apus "$root/.build/release/apus" --steps "$steps" "${@:2}"
