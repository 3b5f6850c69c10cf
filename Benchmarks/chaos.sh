#!/usr/bin/env bash
# Disturbed runs of a tiny job, and everything killed while a checkpoint is written: do all end with the bits of an undisturbed run?
#
#     Benchmarks/chaos.sh [RUNS=100] [SEED=1]        # about twenty minutes on two cores
#
# A job of your own, or your cluster, before you trust it: .build/release/apus chaos --runs 5 -- [OPTIONS OF apus launch]
set -euo pipefail
runs=${1:-100} seed=${2:-1}
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
"$root/scripts/build.sh" -c release --product apus
"$root/.build/release/apus" chaos --runs "$runs" --seed "$seed"
"$root/.build/release/apus" chaos --everything --runs $(((runs * 3 + 9) / 10)) --seed "$seed"
