#!/usr/bin/env bash
# Where transfer pays: the default data learned in four ways with 100, 500, 2,000 and all training samples.
#
#     Benchmarks/transfer.sh [OUTPUT [WAY...]]
#
#   scratch   the source's shape with random weights
#   head      the source's encoder frozen, its output computed once
#   full      all weights fine-tuned
#   joint     all weights, together with the sign of the archive's Amazon sentences as source task
#
# Each run trains for a number of epochs that its size decides and is scored once, in the end, on the 1,000 test sentences. SIZES,
# SEEDS and WORKERS change what is run: SIZES="100 500" SEEDS=0,1,2. What is there already is not run again, and what was cut off
# goes on.
# At the end transfer_table.py writes OUTPUT/transfer.csv, transfer.md and transfer.svg.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
output=${1:-runs/transfer}
[[ $# -gt 0 ]] && shift
ways=("$@")
[[ ${#ways[@]} -gt 0 ]] || ways=(scratch head full joint)
read -ra sizes <<<"${SIZES:-100 500 2000 all}"
apus=${APUS:-.build/release/apus}
data=${XDG_CACHE_HOME:-${HOME:-$(echo ~)}/.cache}/apus/data
scripts/fetch.sh model data amazon
mkdir -p "$output/data"

for size in "${sizes[@]}"; do
    train=$data/movie-reviews/train.tsv
    case $size in 100 | 500) epochs=12 batch=16 ;; 2000) epochs=5 batch=32 ;; *) epochs=3 batch=32 ;; esac
    if [[ $size != all ]]; then
        # Its order is random already.
        train=$output/data/train-$size.tsv
        head -n $((size + 1)) "$data/movie-reviews/train.tsv" >"$train"
    fi
    for way in "${ways[@]}"; do
        run=$output/$way-$size
        [[ -e $run/summary.json ]] && continue
        options=(--train "$train" --test "$data/movie-reviews/test.tsv" --epochs "$epochs" --batch-size "$batch" --lanes 2 --seeds "${SEEDS:-0,1,2}")
        case $way in
            scratch) options+=(--from-scratch --learning-rate 1e-4) ;;
            head) options+=(--freeze encoder --dropout 0 --learning-rate 1e-3) ;;
            full) ;;
            joint) options+=(--source-train "$data/amazon-reviews/train.tsv" --source-task classification) ;;
            *)
                printf 'transfer: %s is no way: scratch, head, full or joint\n' "$way" >&2
                exit 2
                ;;
        esac
        [[ -e $run/config.yaml ]] && options=(--resume)
        printf '%s, %s samples\n' "$way" "$size" >&2
        if ! "$apus" launch --workers "${WORKERS:-2}" --keep 1 --output "$run" "${options[@]}" >>"$run.log" 2>&1; then
            tail -n 2 "$run.log" >&2
            exit 1
        fi
        rm -rf "$run"/seed-*/{model,checkpoints}
    done
done
python3 Benchmarks/transfer_table.py "$output"
