#!/usr/bin/env bash
# Installs what Apus needs and this machine lacks: OpenBLAS, ZeroMQ, OpenSSL, zlib and pip, from Debian's archive.
#
#     scripts/setup.sh
#
# Silent, and without the network, when everything is there. Never waits for input. Exit status 2 when a person has to act.
set -euo pipefail

packages=(libopenblas-dev libzmq3-dev libssl-dev zlib1g-dev python3-pip)
oldest_swift=6.3

fail() {
    printf 'setup: %s\n' "$1" >&2
    exit 2
}

# Prints Swift's version, as in "6.3.1"; nothing if there is no Swift.
swift_version() {
    local words
    words=$(swift --version 2>/dev/null </dev/null) || return 0
    if [[ $words =~ Swift\ version\ ([0-9]+(\.[0-9]+)*) ]]; then printf '%s' "${BASH_REMATCH[1]}"; fi
}

# Succeeds when version $1 is $2 or later; both are looked at as MAJOR.MINOR.
at_least() {
    local major=${1%%.*} minor=0
    if [[ $1 == *.* ]]; then
        minor=${1#*.}
        minor=${minor%%.*}
    fi
    ((major > ${2%%.*} || (major == ${2%%.*} && minor >= ${2#*.})))
}

# Where dpkg does not keep the books, the compiler and pip are asked themselves.
present() {
    local status
    if type -P dpkg-query >/dev/null; then
        status=$(dpkg-query -W -f='${Status}' "$1" 2>/dev/null) && [[ $status == "install ok installed" ]] && return 0
        [[ $1 == python3-pip ]] || return 1
    fi
    case $1 in
        libopenblas-dev) clang -E -x c - <<<'#include <cblas.h>' >/dev/null 2>&1 ;;
        libzmq3-dev) clang -E -x c - <<<'#include <zmq.h>' >/dev/null 2>&1 ;;
        libssl-dev) clang -E -x c - <<<'#include <openssl/ssl.h>' >/dev/null 2>&1 ;;
        zlib1g-dev) clang -E -x c - <<<'#include <zlib.h>' >/dev/null 2>&1 ;;
        python3-pip) python3 -m pip --version >/dev/null 2>&1 </dev/null ;;
    esac
}

version=$(swift_version)
advice="Apus needs Swift $oldest_swift or later: get it from https://www.swift.org/install and put its usr/bin on PATH"
if [[ -z $version ]]; then fail "found no Swift; $advice"; fi
if ! at_least "$version" "$oldest_swift"; then fail "found Swift $version; $advice"; fi

missing=()
for package in "${packages[@]}"; do
    present "$package" || missing+=("$package")
done
if ((${#missing[@]} == 0)); then exit 0; fi

if ! type -P apt-get >/dev/null; then
    fail "found no ${missing[*]} (Debian's names) and no apt-get: install them with this system's package manager, then run this again"
fi

as_root=()
if [[ $(id -u) != 0 ]]; then
    if ! sudo -n true >/dev/null 2>&1 </dev/null; then
        fail "${missing[*]} must be installed, and neither root nor sudo without a password is available; run this as root, then again:
    apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
    fi
    as_root=(sudo -n)
fi

apt() {
    ${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 "$@" </dev/null >&2
}

printf 'Installing %s\n' "${missing[*]}" >&2
# A list that cannot be refreshed need not matter: the installation decides.
apt update || printf 'setup: apt-get update failed; going on with the package lists at hand\n' >&2
if ! apt install -y --no-install-recommends "${missing[@]}"; then
    fail "apt-get could not install ${missing[*]}: fix what it says above (network? apt sources?), then run this again"
fi
