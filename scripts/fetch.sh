#!/usr/bin/env bash
# Fetches the default model and data into ${XDG_CACHE_HOME:-~/.cache}/apus, each file checked by its SHA-256.
#
#     scripts/fetch.sh [model] [data] [amazon] [newspaper] [tweets]
#
# Without arguments model and data. The others are rated sentences of the same archive, for source tasks and regression. Silent, and without the network, when they are there. Exit status 2 when they cannot be had.
set -euo pipefail

if [[ -z ${HOME:-} ]]; then
    unset HOME # without it, bash takes the home folder from the password file
    export HOME=~
fi
exec python3 "$(dirname -- "${BASH_SOURCE[0]}")/fetch.py" "${XDG_CACHE_HOME:-$HOME/.cache}/apus" "$@"
