#!/usr/bin/env bash
# The library product Apus reaches no socket: of its targets none is Transport or Cluster, and a program that depends
# on it is not linked to libzmq.
#
#     scripts/check-library.sh --targets    # what Package.swift says: a second or two
#     scripts/check-library.sh              # also builds Tests/Fixtures/library, labels a text with it and looks at ldd
#
# The second takes five minutes of processor time the first time: a program of another package shares no build with
# this one's. .ci/run has only the first.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

swift package describe --type json 2>/dev/null | python3 -c '
import json, sys
targets = {target["name"]: target for target in json.load(sys.stdin)["targets"]}
reached, open_ones = set(), ["Apus"]
while open_ones:
    name = open_ones.pop()
    if name in reached: continue
    reached.add(name)
    open_ones += targets[name].get("target_dependencies", [])
sockets = sorted(reached & {"Transport", "Cluster", "CZeroMQ", "CTLS", "CMPI"})
if sockets:
    sys.exit(f"check-library: the library product Apus reaches {sockets}: it must do without sockets")
print(f"check-library: Apus is made of {len(reached)} targets, none of which has sockets")'
if [[ ${1:-} == --targets ]]; then exit 0; fi

scratch=$PWD/.build/library
swift build --package-path Tests/Fixtures/library --scratch-path "$scratch" --no-color-diagnostics --quiet </dev/null >&2
program=$scratch/debug/Reviews

model=$(mktemp -d)
trap 'rm -rf -- "$model"' EXIT
cp -- Tests/Fixtures/golden/classify/{config.json,model.safetensors} "$model/"
{
    printf '[%s]\n' PAD UNK CLS SEP MASK
    printf '%s\n' {a..z} '##'{a..z}
    printf '%s\n' {b,d,f,g,k,l,m,n,p,r,s}{an,el,ik,om,ur,ast,end,ilt,ond,unk,arm,irt,oft,ule}
} >"$model/vocab.txt"
said=$("$program" "$model" 'ban lom sik')
printf '%s\n' "$said"
if [[ $said != LABEL_[012]$'\t3 classes\tban lom sik\n'* ]]; then
    printf 'check-library: expected the label of one text in the first line\n' >&2
    exit 1
fi
linked=$(ldd "$program")
if grep -E 'libzmq|libssl|libmpi' <<<"$linked"; then
    printf 'check-library: %s is linked to libraries of sockets, see above\n' "$program" >&2
    exit 1
fi
printf 'check-library: a program with Apus is linked to no library of sockets\n'
