#!/usr/bin/env bash
# What a step costs beside computing: CPU time of the coordinator and of all workers' control threads, "together"; apart from these
# that of the workers' ZeroMQ threads, which carry samples and gradients too. And whether the coordinator's memory grows with steps.
#
#     Benchmarks/control-cost.sh [WORKERS=4] [STEPS=200]      # two to four minutes on two cores
#
# Runs the default model and data, one thread a worker, and looks at /proc at step 20 and STEPS steps later.
set -euo pipefail

workers=${1:-4} steps=${2:-200}
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=${here%/*}
if ! [[ $workers =~ ^[1-9][0-9]*$ && $steps =~ ^[1-9][0-9]*$ ]]; then
    printf 'control-cost: found workers %s and steps %s, needed whole numbers from 1: Benchmarks/control-cost.sh [WORKERS] [STEPS]\n' "$workers" "$steps" >&2
    exit 2
fi

"$root/scripts/setup.sh"
"$root/scripts/fetch.sh"
"$root/scripts/build.sh" -c release --product apus
exec python3 "$here/control_cost.py" "$root/.build/release/apus" "$workers" "$steps"
