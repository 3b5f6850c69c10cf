#!/usr/bin/env bash
# Sets up, checks how the code is laid out, builds and runs the tests. Arguments go to `swift test`:
#
#     scripts/test.sh --sanitize=address --scratch-path .build-asan
#     scripts/test.sh --filter KernelsTests
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

scripts/setup.sh
scripts/fetch.sh

if swift format --version >/dev/null 2>&1 </dev/null; then
    swift format lint --strict --parallel --recursive Sources Tests Benchmarks Package.swift
else
    printf 'test: this toolchain has no swift format: the layout is not checked\n' >&2
fi
# ThreadSanitizer does not know the waits inside Swift's Mutex; LeakSanitizer finds what XCTest's runner leaks.
export TSAN_OPTIONS="suppressions=$PWD/Tests/thread-sanitizer.supp${TSAN_OPTIONS:+:$TSAN_OPTIONS}"
export ASAN_OPTIONS="detect_leaks=0:suppressions=$PWD/Tests/address-sanitizer.supp${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
for argument in "$@"; do
    case $argument in
        --filter | --filter=* | --skip | --skip=*) exec swift test --no-color-diagnostics "$@" ;;
    esac
done
# Tests of actors and of real processes wait on the threads that other tests need to go on: they have runs of their own.
swift build --no-color-diagnostics --build-tests "$@"
swift test --no-color-diagnostics --skip-build --skip ProcessTests --skip ClusterTests "$@"
swift test --no-color-diagnostics --skip-build --filter ClusterTests "$@"
# Foundation's Process reads a folder's entry beyond its end, which may be that of a further heap.
MALLOC_ARENA_MAX=1 swift test --no-color-diagnostics --skip-build --filter ProcessTests "$@"
