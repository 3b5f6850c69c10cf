#!/usr/bin/env bash
# One SHA-256, however it runs: the default job in one process with one, two and four threads, over 1, 2, 3, 4 and 8 workers, under
# several core types of OpenBLAS, with AVX2 only, as a debug build, and over three hosts in network namespaces of their own, each
# with a real ssh server, from a cluster file.
#
#     Benchmarks/same-bits.sh [STEPS=40] [LANES]      # some ten minutes on two cores; LANES: the default
#
# Prints one line per run. Exit status 1 if one differs. The hosts need root, iproute2 and OpenSSH's server
# (scripts/setup-tests.sh); without them that run is left out, with a message. OPTIONS=... adds training options to each
# run.
set -euo pipefail

steps=${1:-40} lanes=${2:-}
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=${here%/*}
if ! [[ $steps =~ ^[1-9][0-9]*$ && $lanes =~ ^([1-9][0-9]*)?$ ]]; then
    printf 'same-bits: found steps %s and lanes %s, needed whole numbers from 1: Benchmarks/same-bits.sh [STEPS] [LANES]\n' "$steps" "$lanes" >&2
    exit 2
fi

"$root/scripts/setup.sh"
"$root/scripts/fetch.sh"
"$root/scripts/build.sh" -c release --product apus
apus=$root/.build/release/apus

work=$(mktemp -d)
spaces=() servers=()
finish() {
    local item
    for item in ${servers[@]+"${servers[@]}"}; do kill "$item" 2>/dev/null || true; done
    for item in ${spaces[@]+"${spaces[@]}"}; do ip netns del "$item" 2>/dev/null || true; done
    rm -rf -- "$work"
}
trap finish EXIT

# shellcheck disable=SC2206 # options are words
job=(${lanes:+--lanes "$lanes"} --max-steps "$steps" ${OPTIONS:-})
# The SHA-256 of the default job's first 40 steps, which README has too: that of every machine.
first='' differing=0
if [[ $steps == 40 && -z $lanes && -z ${OPTIONS:-} ]]; then
    first=5f9eda2f0e515f72496cc7acfaeb0e0658b05865ee4cfd0e6988e8cd9294a373
fi

# run NAME COMMAND...: prints the run's hash beside the first one's.
run() {
    local name=$1 digest note=''
    shift
    if ! "$@" "${job[@]}" --output "$work/$name" >"$work/$name.log" 2>&1; then
        tail -n 20 "$work/$name.log" >&2
        printf 'same-bits: the run %s failed\n' "$name" >&2
        exit 1
    fi
    digest=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["parameters_sha256"])' "$work/$name/summary.json")
    first=${first:-$digest}
    if [[ $digest != "$first" ]]; then note=' DIFFERS' differing=1; fi
    printf '%-22s %s%s\n' "$name" "$digest" "$note"
}

run single-1-thread "$apus" launch --single --threads 1
run single-2-threads "$apus" launch --single --threads 2
run single-4-threads "$apus" launch --single --threads 4
if APUS_VECTOR_LEVEL=avx2 "$apus" --version >/dev/null 2>&1; then
    run avx2-kernels env APUS_VECTOR_LEVEL=avx2 "$apus" launch --single
fi
for type in Haswell SkylakeX Zen; do run "openblas-for-$type" env "OPENBLAS_CORETYPE=$type" "$apus" launch --single; done
"$root/scripts/build.sh" --product apus
run debug-build "$root/.build/debug/apus" launch --single
for workers in 1 2 3 4 8; do run "workers-$workers" "$apus" launch --workers "$workers" --threads 1; done

# host NUMBER: a namespace on the bridge with an ssh server that has keys of its own.
host() {
    local number=$1 space=$home-$1 address=10.213.0.$1 keys=$work/host-$1
    ip netns add "$space"
    spaces+=("$space")
    ip -n "$space" link set lo up
    ip -n "$home" link add "host$number" type veth peer name eth0 netns "$space"
    ip -n "$home" link set "host$number" master br0 up
    ip -n "$space" address add "$address/24" dev eth0
    ip -n "$space" link set eth0 up
    mkdir -m 700 "$keys"
    ssh-keygen -q -t ed25519 -N '' -f "$keys/host"
    ssh-keygen -q -t ed25519 -N '' -f "$keys/user"
    printf '%s %s\n' "$address" "$(cut -d ' ' -f 1,2 "$keys/host.pub")" >>"$work/known"
    printf '%s\n' "Host $address" "  IdentityFile $keys/user" >>"$work/ssh-config"
    printf '%s\n' "ListenAddress $address" "HostKey $keys/host" "AuthorizedKeysFile $keys/user.pub" 'PidFile none' 'StrictModes no' \
        'UsePAM no' >"$keys/sshd"
    ip netns exec "$space" unshare --mount sh -c \
        "mount -t tmpfs none /run && mkdir -m 755 /run/sshd && exec /usr/sbin/sshd -D -e -f '$keys/sshd'" >"$keys/log" 2>&1 &
    servers+=($!)
    until grep -q 'Server listening' "$keys/log"; do
        if ! kill -0 $! 2>/dev/null; then
            cat "$keys/log" >&2
            exit 1
        fi
        read -r -t 0.1 <> <(:) || true
    done
}

home=apus-bits-$$
if [[ $(id -u) == 0 && -x /usr/sbin/sshd ]] && type -P ip unshare ssh ssh-keygen >/dev/null && ip netns add "$home" 2>/dev/null; then
    spaces+=("$home")
    ip -n "$home" link set lo up
    ip -n "$home" link add br0 type bridge
    ip -n "$home" address add 10.213.0.254/24 dev br0
    ip -n "$home" link set br0 up
    for number in 1 2 3; do host "$number"; done
    printf '%s\n' 'Host *' '  IdentitiesOnly yes' '  IdentityAgent none' "  UserKnownHostsFile $work/known" '  GlobalKnownHostsFile none' \
        '  StrictHostKeyChecking yes' >>"$work/ssh-config"
    mkdir "$work/bin"
    printf '#!/bin/sh\nexec %s -F %s "$@"\n' "$(type -P ssh)" "$work/ssh-config" >"$work/bin/ssh"
    chmod 755 "$work/bin/ssh"
    printf '%s\n' 'coordinator: {address: 10.213.0.254}' "defaults: {threads: 1, interface: eth0, binary: '$apus'}" 'hosts:' \
        '  - address: 10.213.0.1' '  - address: 10.213.0.2' '  - address: 10.213.0.3' >"$work/cluster.yaml"
    run three-hosts ip netns exec "$home" env "PATH=$work/bin:$PATH" "$apus" launch --cluster "$work/cluster.yaml"
    grep -h -o '3 workers on 3 hosts' "$work/three-hosts.log" | head -n 1
else
    printf 'three-hosts            left out: needs root, network namespaces and an ssh server (scripts/setup-tests.sh)\n'
fi
exit "$differing"
