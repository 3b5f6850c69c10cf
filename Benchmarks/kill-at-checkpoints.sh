#!/usr/bin/env bash
# Kills launcher, coordinator and workers with -9 while a checkpoint is being written, COUNT times at random instants of a
# small run, resumes each time, and compares the SHA-256 of the weights with that of an undisturbed run.
#
#     Benchmarks/kill-at-checkpoints.sh [COUNT [SEED]]        (30 and 1; APUS names the program)
set -euo pipefail
cd "$(dirname "$0")/.."
count=${1:-30}
RANDOM=${2:-1}
apus=$(realpath "${APUS:-.build/release/apus}")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TMPDIR=$folder

mkdir "$folder/model"
cp Tests/Fixtures/golden/classify/{config.json,model.safetensors} "$folder/model"
awk 'BEGIN {
    n = split("[PAD] [UNK] [CLS] [SEP] [MASK]", special); for (i = 1; i <= n; i++) print special[i]
    for (i = 0; i < 206; i++) print "w" i
}' >"$folder/model/vocab.txt"
awk 'BEGIN {
    print "sentence\tlabel"
    for (r = 0; r < 44; r++) { line = ""; for (k = 0; k <= r * 7 % 12; k++) line = line " w" (r * 31 + k * 17) % 206; print substr(line, 2) "\t" r % 3 }
}' >"$folder/train.tsv"

options=(--model "$folder/model" --train "$folder/train.tsv" --max-length 20 --batch-size 4 --lanes 4 --learning-rate 1e-3 --epochs 2
    --checkpoint-every 1 --workers 2 --threads 1)
digest() { sed -n 's/.*"parameters_sha256" : "\([0-9a-f]*\)".*/\1/p' "$1/summary.json"; }

"$apus" launch "${options[@]}" --output "$folder/whole" >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
whole=$(digest "$folder/whole")
echo "undisturbed: $whole"
same=0
for ((i = 1; i <= count; i++)); do
    run=$folder/run-$i
    after=$((RANDOM % 18 + 1)) delay=$((RANDOM % 16))
    "$apus" launch "${options[@]}" --output "$run" >"$folder/log" 2>&1 &
    launcher=$!
    # Any checkpoint that is being written after that one.
    until [[ -d $run/checkpoints/step-$after ]] || ! kill -0 $launcher 2>/dev/null; do sleep 0.005; done
    until compgen -G "$run/checkpoints/step-*.partial" >/dev/null || ! kill -0 $launcher 2>/dev/null; do :; done
    sleep "0.0$(printf %02d $delay)"
    kill -9 $launcher $(pgrep -P $launcher) 2>/dev/null || true
    wait $launcher 2>/dev/null || true
    left=$(compgen -G "$run/checkpoints/*.partial" | sed "s,.*/,," | tr '\n' ' ' || true)
    "$apus" launch --resume --output "$run" --workers 2 --threads 1 >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
    found=$(digest "$run")
    [[ $found == "$whole" ]] && same=$((same + 1))
    echo "$i: killed after step $after, left behind: ${left:-nothing unfinished}; $(sed -n 's/^\(resuming after step [0-9]*\).*/\1/p' "$folder/log" | head -1); $found"
    rm -rf "$run"
done
echo "$same of $count times the same SHA-256"
[[ $same == "$count" ]]
