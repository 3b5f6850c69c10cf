#!/usr/bin/env bash
# Fine-tunes BERT on all cores of this machine, or as told: sets up what is missing, builds, fetches the default model
# and data where no others are named, and becomes `apus launch`, which takes every argument.
#
#     ./launch.sh [--workers N] [--threads T] [--single [--debug]] [--cluster FILE] [TRAIN OPTIONS]
#
# Paths among the arguments are taken from the folder it is called in.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
if [[ -z ${HOME:-} ]]; then
    unset HOME # without it, bash takes the home folder from the password file
    export HOME=~
fi

build=release model=default data=default configuration=
for argument in "$@"; do
    if [[ $configuration == next ]]; then configuration=$argument; fi
    case $argument in
        --debug) build=debug ;;
        --model | --model=* | --model[-_]name[-_]or[-_]path*) model=own ;;
        --train | --train=* | --train[-_]file*) data=own ;;
        --config) configuration=next ;;
        --config=*) configuration=${argument#*=} ;;
        --help | -h | --version | --resume) model=none data=none ;; # nothing to fetch: the run folder says what it uses
    esac
done
if [[ -f $configuration ]]; then
    if grep -qE '^model([-_]name[-_]or[-_]path)?:' "$configuration"; then model=own; fi
    if grep -qE '^train([-_]file)?:' "$configuration"; then data=own; fi
fi

"$root/scripts/setup.sh"

"$root/scripts/build.sh" -c "$build" --product apus

parts=()
if [[ $model == default ]]; then parts+=(model); fi
if [[ $data == default ]]; then parts+=(data); fi
if ((${#parts[@]} > 0)); then "$root/scripts/fetch.sh" "${parts[@]}"; fi

exec "$root/.build/$build/apus" launch "$@"
