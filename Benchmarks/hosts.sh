#!/usr/bin/env bash
# What a second host is worth: two network namespaces joined by a veth pair, one worker of one thread in each, the default job.
#
#     Benchmarks/hosts.sh [ROUNDS=3] [RATE…]      # rates as tc takes them, such as 10gbit 1gbit; unlimited without one
#
# In each round every way runs once for each rate: with keys, with --insecure, and the same two workers over shared memory.
# Prints the medians in samples/s, the ratios, and the time of a step with keys that is exchanging and waiting, after the backward
# pass that the exchange goes on behind. Both namespaces share this machine's cores, with all copying and sealing: no two
# real hosts are measured. STEPS=60 sets the steps of a run, OPTIONS=... adds training options, APUS=PROGRAM measures another program.
# Needs root and iproute2.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=${here%/*}
rounds=${1:-3} steps=${STEPS:-60}
shift || true
rates=("${@:-unlimited}")
if ! [[ $rounds =~ ^[1-9][0-9]*$ && $steps =~ ^[1-9][0-9]*$ ]]; then
    printf 'hosts: found rounds %s and STEPS %s, expected whole numbers from 1: Benchmarks/hosts.sh [ROUNDS] [RATE…]\n' "$rounds" "$steps" >&2
    exit 2
fi
if [[ $(id -u) != 0 ]] || ! type -P ip tc >/dev/null; then
    printf 'hosts: network namespaces need root and iproute2 (scripts/setup-tests.sh)\n' >&2
    exit 2
fi
if [[ -z ${APUS:-} ]]; then
    "$root/scripts/fetch.sh"
    "$root/scripts/build.sh" -c release --product apus
fi
apus=${APUS:-$root/.build/release/apus}

work=$(mktemp -d)
one=apus-hosts-$$-1 two=apus-hosts-$$-2
finish() {
    ip netns del "$one" 2>/dev/null || true
    ip netns del "$two" 2>/dev/null || true
    rm -rf -- "$work"
}
trap finish EXIT
ip netns add "$one"
ip netns add "$two"
ip -n "$one" link add eth0 type veth peer name eth0 netns "$two"
for number in 1 2; do
    space=apus-hosts-$$-$number
    ip -n "$space" link set lo up
    ip -n "$space" address add "10.214.0.$number/24" dev eth0
    ip -n "$space" link set eth0 up
done

# limit RATE: what each end may send.
limit() {
    local space
    for space in "$one" "$two"; do
        ip netns exec "$space" tc qdisc del dev eth0 root 2>/dev/null || true
        if [[ $1 != unlimited ]]; then
            ip netns exec "$space" tc qdisc add dev eth0 root tbf rate "$1" burst 512kb latency 50ms
        fi
    done
}

# shellcheck disable=SC2206 # options are words
job=(--validation none --test none --max-steps "$steps" ${OPTIONS:-})
# speed RUN: of its median step, the first five left out: samples/s, and the ms that a worker exchanged and waited.
speed() {
    python3 -c '
import json, statistics, sys
steps = [event for event in map(json.loads, open(sys.argv[1])) if event["event"] == "step"][5:]
waited = [1000 * (worker["exchange"] + worker["wait"]) for step in steps for worker in step["workers"]]
print(statistics.median(step["samples"] / step["seconds"] for step in steps), statistics.median(waited))' "$1/metrics.jsonl"
}

# hosts WAY [OPTION…]: one run over both namespaces; adds a line "WAY RATE samples/s" to the results.
hosts() {
    local way=$1 rate=$2 run pids=() endpoint=tcp://10.214.0.1:5731 pid
    shift 2
    run=$work/$way
    rm -rf -- "$run"
    ip netns exec "$one" timeout -k 5 300 "$apus" coordinate --workers 2 --endpoint "$endpoint" --output "$run" "${job[@]}" "$@" >"$work/log" 2>&1 &
    pids+=($!)
    RANK=0 ip netns exec "$one" timeout -k 5 300 "$apus" work --threads 1 --coordinator "$endpoint" "$@" >"$work/log-1" 2>&1 &
    pids+=($!)
    RANK=1 ip netns exec "$two" timeout -k 5 300 "$apus" work --threads 1 --coordinator "$endpoint" "$@" >"$work/log-2" 2>&1 &
    pids+=($!)
    for pid in "${pids[@]}"; do
        if ! wait -n; then
            kill "${pids[@]}" 2>/dev/null || true
            cat "$work"/log* >&2
            printf 'hosts: a run with %s at %s failed\n' "$way" "$rate" >&2
            exit 1
        fi
    done
    printf '%s %s %s\n' "$rate" "$way" "$(speed "$run")" >>"$work/results"
}

APUS_SECRET=$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')
for ((round = 0; round < rounds; round++)); do
    rm -rf -- "$work/shared"
    "$apus" launch --workers 2 --threads 1 --output "$work/shared" "${job[@]}" >"$work/log" 2>&1
    shared=$(speed "$work/shared")
    for rate in "${rates[@]}"; do
        limit "$rate"
        printf '%s shared %s\n' "$rate" "$shared" >>"$work/results"
        APUS_SECRET=$APUS_SECRET hosts keys "$rate"
        hosts insecure "$rate" --insecure
    done
done
python3 - "$work/results" <<'P'
import statistics, sys
found = {}
for line in open(sys.argv[1]):
    rate, way, speed, waited = line.split()
    found.setdefault(rate, {}).setdefault(way, []).append(float(speed))
    if way == "keys":
        found[rate].setdefault("waited", []).append(float(waited))
print("| link | keys (default) | --insecure | shared memory | keys / insecure | keys / shared | ms after the pass |")
print("|---|---|---|---|---|---|---|")
for rate, ways in found.items():
    def ratio(other):
        return statistics.median(a / b for a, b in zip(ways["keys"], ways[other]))
    cells = [f"{statistics.median(ways[way]):.1f}" for way in ("keys", "insecure", "shared")]
    waited = statistics.median(ways["waited"])
    print(f"| {rate} | {' | '.join(cells)} | {ratio('insecure'):.2f} | {ratio('shared'):.2f} | {waited:.0f} |")
P
