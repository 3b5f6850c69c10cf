#!/usr/bin/env bash
# What a run leaves to look at, in the real programs: pages in Chromium, curves in TensorBoard, figures in promtool.
#   scripts/check-pages.sh [APUS] [SCREENS]
# A check whose program is missing is skipped, loudly: apt-get install chromium prometheus; pip install tensorboard.
set -euo pipefail
cd "$(dirname "$0")/.."
apus=$(realpath "${1:-.build/release/apus}")
skipped=() folder=$(mktemp -d)
trap 'rm -rf "$folder"; [ -z "${server:-}" ] || kill "$server" 2>/dev/null || true' EXIT

status=0
Benchmarks/check_report.py "$apus" "${2:-$folder/screens}" || status=$?
if [ "$status" = 77 ]; then skipped+=(Chromium); elif [ "$status" != 0 ]; then exit "$status"; fi

mkdir "$folder/model"
cp Tests/Fixtures/golden/classify/{config.json,model.safetensors} "$folder/model"
{ printf '%s\n' '[PAD]' '[UNK]' '[CLS]' '[SEP]' '[MASK]'; for i in $(seq 0 205); do echo "w$i"; done; } >"$folder/model/vocab.txt"
{ printf 'sentence\tlabel\n'; for i in $(seq 0 59); do printf 'w%s w%s\t%s\n' "$i" "$((i * 7 % 200))" "$((i % 3))"; done; } >"$folder/data.tsv"
"$apus" train --model "$folder/model" --train "$folder/data.tsv" --validation "$folder/data.tsv" --epochs 3 --max-length 20 \
    --output "$folder/run" >/dev/null

if python3 -c 'import tensorboard' 2>/dev/null; then
    python3 Benchmarks/check_tensorboard.py "$folder/run"
else
    echo 'SKIPPED: no tensorboard for this python3, its files were not read: pip install tensorboard' >&2
    skipped+=(TensorBoard)
fi
if promtool=$(type -P promtool); then
    "$apus" watch --serve "$folder/run" >"$folder/address" &
    server=$!
    until grep -q http "$folder/address"; do sleep 0.1; done
    address=$(grep -o 'http://[^ ]*' "$folder/address")
    python3 -c 'import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode(), end="")' \
        "${address/\?/metrics?}" | "$promtool" check metrics
    echo 'check-pages: promtool has nothing to say about /metrics'
else
    echo 'SKIPPED: no promtool, /metrics was not checked by it: apt-get install prometheus' >&2
    skipped+=(promtool)
fi
echo "check-pages: ${#skipped[@]} of 3 skipped${skipped[*]:+: ${skipped[*]}}"
