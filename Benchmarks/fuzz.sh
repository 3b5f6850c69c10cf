#!/usr/bin/env bash
# Feeds every reader of bytes that others write with inputs that libFuzzer makes, under the address sanitizer.
#
#     Benchmarks/fuzz.sh [INPUTS=10000000] [TARGET…]       # all targets: about half an hour on two cores
#
# INPUTS are shared out among the targets; the tokenizer, which is slow, gets a hundredth. What was found interesting stays in
# .build/fuzz/corpus, an input that crashes in .build/fuzz. Without libFuzzer in the toolchain: swift run -c release FuzzBenchmark --inputs 10000000
set -euo pipefail
inputs=${1:-10000000}
shift || true
targets=("$@")
((${#targets[@]})) || targets=(frame stream handshake envelope invocation shard json safetensors keys cluster tokenizer answer torch)
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
place=$root/.build/fuzz
mkdir -p "$place/corpus"

"$root/scripts/build.sh" -c release --product FuzzBenchmark
"$root/.build/release/FuzzBenchmark" --examples "$place/corpus"
# Objects alone: libFuzzer brings the main function, so they are linked by hand.
swift build --package-path "$root" --no-color-diagnostics --scratch-path "$place/build" -c release --target FuzzTargets --sanitize address --sanitize fuzzer --quiet >&2
swiftc -use-ld=lld -sanitize=fuzzer,address -o "$place/fuzz" $(find "$place/build/release/" -name '*.o') -lzmq -lz -Xlinker -w 2>&1 |
    grep -v 'Cannot export local symbol' >&2 || true

# A target's share of all inputs.
share() {
    ((${#targets[@]} > 1)) || { echo "$inputs"; return; }
    local slow=$((inputs / 100)) others=$((${#targets[@]})) rest=$inputs
    if [[ " ${targets[*]} " == *' tokenizer '* ]]; then others=$((others - 1)) rest=$((inputs - slow)); fi
    if [[ $1 == tokenizer ]]; then echo "$slow"; else echo $(((rest + others - 1) / others)); fi
}
total=0
cd "$place"
for target in "${targets[@]}"; do
    if ! APUS_FUZZ_TARGET=$target ./fuzz "corpus/$target" -runs="$(share "$target")" -max_len=4096 -malloc_limit_mb=8 -rss_limit_mb=1024 -timeout=10 \
        -artifact_prefix="$target-" >"$target.log" 2>&1; then
        tail -n 30 "$target.log" >&2
        printf 'fuzz: %s fails: see %s\n' "$target" "$place/$target.log" >&2
        exit 1
    fi
    ran=$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$target.log")
    cover=$(grep -o 'cov: [0-9]*' "$target.log" | tail -n 1)
    printf '%s: %s inputs, %s\n' "$target" "$ran" "$cover"
    total=$((total + ran))
done
printf '%s inputs, no crash\n' "$total"
