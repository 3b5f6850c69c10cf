#!/usr/bin/env bash
# The C kernels on processors that this machine does not have, emulated: builds them for arm64, for riscv64 and for an
# x86-64 without AVX2, and compares each kernel's hash with Tests/Fixtures/kernel-hashes.tsv, which is that of this machine.
#
#     scripts/test-arm64.sh            # some five minutes on two cores
#     scripts/test-arm64.sh arm64      # only that one; or riscv64, x86-64, native
#     scripts/test-arm64.sh swift      # the Swift code on arm64: scripts/test-arm64-swift.sh, as root, half an hour at first
#
# Needs clang 17 or later with lld, as Swift's toolchain has them, and on Debian qemu-user-static, libc6-dev-arm64-cross,
# libgcc-12-dev-arm64-cross, and the same two for riscv64. What cannot be built or run is left out, and said. Exit status 1 if a
# hash differs.
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
cd -- "$root"
if [[ ${1:-} == swift && $# == 1 ]]; then exec scripts/test-arm64-swift.sh; fi
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

expected=Tests/Fixtures/kernel-hashes.tsv
kernels=Sources/CVectorMath
sources=("$kernels"/*.c Tests/KernelHashes/*.c Benchmarks/Portability/main.c)
flags=(-O2 -ffp-contract=off -Wall -Wextra -Werror "-I$kernels/include" -ITests/KernelHashes/include)
differing=0 tried=0

# try NAME TARGET RUNNER...: builds for a target and runs it; without RUNNER on this machine.
try() {
    local name=$1 target=$2 source
    shift 2
    if ((wanted[$name] == 0)); then return; fi
    if [[ ${1:-} ]] && ! type -P "$1" >/dev/null; then
        printf '%s: left out, there is no %s (Debian: qemu-user-static)\n' "$name" "$1"
        return
    fi
    if ! printf 'int main(void) { return 0; }' | clang "--target=$target" -fuse-ld=lld -static -x c - -lm -o "$work/probe" 2>"$work/probe.log"; then
        printf '%s: left out, clang cannot build for %s: %s\n' "$name" "$target" "$(head -n 1 "$work/probe.log")"
        return
    fi
    tried=$((tried + 1))
    mkdir "$work/$name"
    # -march: every riscv64 that runs Linux has these.
    if [[ $name == riscv64 ]]; then set -- "$@" -- -march=rv64gc; else set -- "$@" --; fi
    local runner=()
    while [[ $1 != -- ]]; do
        runner+=("$1")
        shift
    done
    shift
    for source in "${sources[@]}"; do
        clang "--target=$target" "${flags[@]}" "$@" -c "$source" -o "$work/$name/$(basename -- "$source").o"
    done
    clang "--target=$target" -fuse-ld=lld -static "$work/$name"/*.o -lm -o "$work/$name/kernel-hashes"
    printf '%s%s\n' "$name" "${runner[*]:+, emulated: ${runner[*]}}"
    ${runner[@]+"${runner[@]}"} "$work/$name/kernel-hashes" "$expected" || differing=1
}

declare -A wanted=([native]=1 [arm64]=1 [riscv64]=1 [x86-64]=1)
if (($# > 0)); then
    wanted=([native]=0 [arm64]=0 [riscv64]=0 [x86-64]=0)
    for name in "$@"; do
        if [[ -z ${wanted[$name]:-} ]]; then
            printf 'test-arm64: found %s, expected native, arm64, riscv64 or x86-64, or swift alone\n' "$name" >&2
            exit 2
        fi
        wanted[$name]=1
    done
fi
if ! type -P clang >/dev/null; then
    printf 'test-arm64: found no clang: put the usr/bin of a Swift toolchain on PATH\n' >&2
    exit 2
fi

try native "$(uname -m)-linux-gnu"
try arm64 aarch64-linux-gnu qemu-aarch64-static
try riscv64 riscv64-linux-gnu qemu-riscv64-static
# A processor of 2008, without AVX and fused multiply-adds.
try x86-64 x86_64-linux-gnu qemu-x86_64-static -cpu Nehalem
if ((tried == 0)); then printf 'test-arm64: nothing could be tried\n' >&2; fi
exit "$differing"
