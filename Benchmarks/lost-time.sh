#!/usr/bin/env bash
# What one killed local worker costs: the default job with 2 workers of 1 thread, in which a worker is ended with -9 every
# 12 steps, KILLS times. Lost is what the steps from one kill to the next took beyond the median step.
#
#     Benchmarks/lost-time.sh [KILLS]        (5; APUS names the program)
set -euo pipefail
cd "$(dirname "$0")/.."
kills=${1:-5}
apus=$(realpath "${APUS:-.build/release/apus}")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
run=$folder/run
"$apus" launch --workers 2 --threads 1 --lanes 2 --validation none --max-steps $((12 * kills + 12)) --max-restarts 1000 --output "$run" \
    >"$folder/log" 2>&1 &
launcher=$!
for ((i = 1; i <= kills; i++)); do
    until grep -q "\"step\":$((12 * i))," "$run/metrics.jsonl" 2>/dev/null; do
        kill -0 $launcher 2>/dev/null || { cat "$folder/log"; exit 1; }
        sleep 0.02
    done
    sleep "0.$((RANDOM % 10))"
    workers=($(pgrep -P $launcher -f ' work '))
    kill -9 "${workers[i % ${#workers[@]}]}"
done
wait $launcher || { cat "$folder/log"; exit 1; }
sed -n 's/.*"seconds":\([0-9.e-]*\).*"step":\([0-9]*\).*/\2 \1/p' "$run/metrics.jsonl" | awk -v kills="$kills" '
    function median(values, n,    i, j, t) {
        for (i = 2; i <= n; i++) for (j = i; j > 1 && values[j - 1] > values[j]; j--) { t = values[j]; values[j] = values[j - 1]; values[j - 1] = t }
        return values[int((n + 1) / 2)]
    }
    { seconds[$1] = $2; sorted[++n] = $2 }
    END {
        usual = median(sorted, n)
        for (k = 1; k <= kills; k++) {
            lost[k] = 0
            for (s = 12 * k + 1; s <= 12 * k + 12; s++) if (seconds[s] > usual) lost[k] += seconds[s] - usual
            printf "kill %d: %.2f s lost\n", k, lost[k]
        }
        printf "median step %.3f s; median lost to one killed worker %.2f s; a step and 2 s are %.2f s\n", usual, median(lost, kills), usual + 2
    }'
grep -E "parameters SHA-256" "$folder/log"
