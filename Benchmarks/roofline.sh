#!/usr/bin/env bash
# Where the time of a training step goes, and the step's GEMM efficiency: the time of its matrix products alone, the same
# shapes back to back, over the time of the step. A Markdown table, and the same as JSON.
#
#     Benchmarks/roofline.sh [--json FILE] [--steps 20] [--max-length 128] [--batch-size 32] [--recompute] [--model DIR] [--train FILE]
#
# The default job with one thread and two lanes, in this process alone.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=${here%/*}
"$root/scripts/fetch.sh"
if [[ -z ${APUS_COMPARE_BUILT:-} ]]; then "$root/scripts/build.sh" -c release; fi
exec "$root/.build/release/RooflineBenchmark" "$@"
