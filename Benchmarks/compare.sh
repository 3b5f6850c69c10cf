#!/usr/bin/env bash
# Measures Apus beside Transformers on PyTorch and Gloo: the same models, data and batch sizes on this machine, in float32 and in bf16.
#
#     Benchmarks/compare.sh [ROUNDS] [STEPS] [JOB…]    # 3 rounds of 40 steps, all jobs: about an hour on two cores
#
# Jobs: default best thread base long predict workers threads allreduce memory start. In each round every job runs once, Apus
# and peer in turn, so that a noisy hour falls on both. Prints a Markdown table of medians; a ratio is the median of the rounds'
# ratios. Samples per second leave out the first 5 steps. APUS_COMPARE_KEEP=DIR keeps each figure there, and adds to those
# that are there already.
set -euo pipefail

rounds=${1:-3} steps=${2:-40}
shift $(($# < 2 ? $# : 2))
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=${here%/*}
if [[ -z ${HOME:-} ]]; then
    unset HOME
    export HOME=~
fi
if ! [[ $rounds =~ ^[0-9]+$ && $steps =~ ^[1-9][0-9]*$ ]] || ((steps <= 5)); then
    printf 'compare: found rounds %s and steps %s, needed a count and at least 6: Benchmarks/compare.sh [ROUNDS] [STEPS] [JOB…]\n' \
        "$rounds" "$steps" >&2
    exit 2
fi

"$root/scripts/setup.sh"
"$root/scripts/fetch.sh"
venv=$("$here/peers/setup.sh")
if [[ -z ${APUS_COMPARE_BUILT:-} ]]; then "$root/scripts/build.sh" -c release; fi
# Both programs as their users run them: neither is told how many threads its library takes, or which kernels.
unset "${!OPENBLAS_@}" "${!OMP_@}" "${!MKL_@}"
exec "$venv/bin/python" "$here/compare.py" --root "$root" --rounds "$rounds" --steps "$steps" "$@"
