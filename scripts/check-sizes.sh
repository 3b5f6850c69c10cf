#!/usr/bin/env bash
# No source file has more than 400 lines, and no line more than 120 columns. Prints those that do; status 1 then.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
export LC_ALL=C.UTF-8

mapfile -d '' files < <(find Package.swift Sources Tests Benchmarks \( -name '*.swift' -o -name '*.[ch]' \) -print0)
status=0
if grep -nE '^.{121}' "${files[@]}" | cut -c 1-200; then
    printf 'check-sizes: these lines have more than 120 columns\n' >&2
    status=1
fi
for file in "${files[@]}"; do
    lines=$(wc -l <"$file")
    if ((lines > 400)); then
        printf 'check-sizes: %s has %d lines, 400 at most: split it\n' "$file" "$lines" >&2
        status=1
    fi
done
exit "$status"
