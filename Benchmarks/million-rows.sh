#!/usr/bin/env bash
# What reading many rows costs: time and peak memory of `apus data` and of the way to the first step, beside the tokens
# that are kept and beside the tokenizer's own speed.
#
#     Benchmarks/million-rows.sh [ROWS=1000000] [FORMAT…]      # about ten minutes on two cores
#
# Formats: jsonl.gz jsonl tsv csv conll txt; without any jsonl.gz, tsv and csv. The texts have the words of the default
# data, 20 each on average. APUS_MILLION_KEEP=DIR keeps the files that are made.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=${here%/*}
rows=${1:-1000000}
if ! [[ $rows =~ ^[1-9][0-9]*$ ]]; then
    printf 'million-rows: found %s rows, expected a whole number from 1: Benchmarks/million-rows.sh [ROWS] [FORMAT…]\n' \
        "$rows" >&2
    exit 2
fi

"$root/scripts/fetch.sh"
if [[ -z ${APUS_COMPARE_BUILT:-} ]]; then "$root/scripts/build.sh" -c release --product apus; fi
exec python3 "$here/million_rows.py" --apus "$root/.build/release/apus" --rows "$rows" "${@:2}"
