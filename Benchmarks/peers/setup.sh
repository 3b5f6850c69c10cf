#!/usr/bin/env bash
# Prepares PyTorch, Transformers and PEFT, the peers that Apus is measured against, in a virtual environment outside the
# repository, and prints its folder. Silent otherwise once it is there; APUS_PEERS_VENV names another one.
set -euo pipefail

if [[ -z ${HOME:-} ]]; then
    unset HOME
    export HOME=~
fi
venv=${APUS_PEERS_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/apus/peers}

usable() {
    [[ -x $venv/bin/python ]] && "$venv/bin/python" -c 'import peft, safetensors, torch, transformers' >/dev/null 2>&1
}

if ! usable; then
    if [[ -n ${APUS_PEERS_VENV:-} ]]; then
        printf 'peers: %s has no Python with torch, transformers and peft: install them there, or unset APUS_PEERS_VENV\n' "$venv" >&2
        exit 2
    fi
    printf 'Installing torch, transformers and peft into %s (some minutes)\n' "$venv" >&2
    if ! python3 -m venv "$venv" >&2; then
        printf 'peers: Python could not make a virtual environment: install python3-venv, then run this again\n' >&2
        exit 2
    fi
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check torch transformers peft >&2
    if ! usable; then
        printf 'peers: torch, transformers and peft do not load from %s: remove the folder and run this again\n' "$venv" >&2
        exit 2
    fi
fi
printf '%s\n' "$venv"
