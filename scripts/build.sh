#!/usr/bin/env bash
# Builds, with the arguments of `swift build`, and says so if anything has to be compiled.
#
#     scripts/build.sh -c release --product apus
#
# The flags are the same on a terminal and in a pipe: with SwiftPM's own choice of colors everything would be compiled again when
# the output changes from one to the other. On a terminal one line shows how far it is. What the compiler says is shown if it fails.
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)

log=$(mktemp)
trap 'rm -f -- "$log"' EXIT
redraws=
if [[ -t 2 && -n ${TERM:-} && $TERM != dumb ]]; then redraws=yes; fi

# Follows SwiftPM's lines, such as "[12/464] Compiling Tensors FloatBuffer.swift".
follow() {
    local line said= fetching=
    while IFS= read -r line; do
        printf '%s\n' "$line" >>"$log"
        if [[ $line =~ ^\[([0-9]+)/([0-9]+)\]\ (Compiling|Emitting|Linking|Merging|Wrapping) ]]; then
            if [[ -z $said ]]; then
                said=yes
                printf 'Building Apus (the first time takes three to six minutes on two cores, and all of them)\n' >&2
            fi
            if [[ -n $redraws ]]; then printf '\r\033[K  %s of %s' "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" >&2; fi
        elif [[ $line == Fetching\ * && -z $fetching ]]; then
            fetching=yes
            printf 'Fetching the Swift packages that Apus depends on\n' >&2
        elif [[ $line == *"Another instance of SwiftPM"* ]]; then
            printf '%s\n' "$line" >&2
        fi
    done
    if [[ -n $said && -n $redraws ]]; then printf '\r\033[K' >&2; fi
}

if ! swift build --package-path "$root" --no-color-diagnostics "$@" </dev/null 2>&1 | follow; then
    grep -v '^\[[0-9]*/[0-9]*\] ' "$log" >&2 || true
    exit 1
fi
