#!/usr/bin/env bash
# Makes a folder and a tarball with which Apus runs on a Debian machine without Swift: the program with Swift's runtime in it,
# beside it OpenBLAS, ZeroMQ, OpenSSL and what they need, apart from the C library.
#
#     scripts/package.sh [FOLDER]      # default: .build/package/apus-VERSION-linux-MACHINE; the tarball lies beside it
#     scripts/package.sh --contents    # the files of this project in it other than the program
#
# The C library of the machine it runs on must be at least as new as that of this one: package on the oldest system you have.
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
# Whatever a message of the program or one of these documents tells a user to run or to read.
contents=(ARCHITECTURE.md CHANGELOG.md CONTRIBUTING.md LICENSE README.md SECURITY.md cluster docs
    Benchmarks/README.md Benchmarks/transfer.svg Sources/Collectives/Collectives.docc
    scripts/fetch.py scripts/fetch.sh scripts/install.sh)
if [[ ${1:-} == --contents ]]; then
    printf '%s\n' "${contents[@]}"
    exit 0
fi
"$root/scripts/setup.sh"

scratch=$root/.build/package
# An old-style path: it also holds for what the libraries beside the program need.
"$root/scripts/build.sh" --scratch-path "$scratch" -c release --product apus --static-swift-stdlib \
    -Xlinker -rpath -Xlinker '$ORIGIN/lib' -Xlinker --disable-new-dtags >&2
program=$scratch/release/apus
# The line begins with name and version: apus 0.2.0, arithmetic 1, …
version=$("$program" --version | sed 's/^apus \([^, ]*\).*/\1/')
folder=$(realpath -m -- "${1:-$scratch/apus-$version-linux-$(uname -m)}")

rm -rf -- "$folder"
mkdir -p -- "$folder/lib" "$folder/licenses"
install -m 755 "$program" "$folder/apus"
strip --strip-debug "$folder/apus"
(cd -- "$root" && cp -r --parents -- "${contents[@]}" "$folder/")

# What the C library and the loader bring is on every machine, and must be that machine's own.
own='^(ld-linux.*|linux-vdso|lib(c|m|dl|rt|pthread|resolv|util|anl|nsl))\.so'
licence() {
    local package
    package=$(dpkg-query -S "$(readlink -f -- "$1")" 2>/dev/null | cut -d: -f1 | head -n 1) || return 0
    if [[ -f /usr/share/doc/$package/copyright ]]; then cp -L -- "/usr/share/doc/$package/copyright" "$folder/licenses/$package"; fi
}
while read -r name path; do
    if [[ $name =~ $own ]]; then continue; fi
    install -m 644 -- "$path" "$folder/lib/$name"
    licence "$path"
done < <(
    ldd "$program" | awk '$2 == "=>" && $3 ~ /^\// { print $1, $3 }'
    # The program loads OpenBLAS itself, with --blas openblas.
    openblas=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p | awk '$1 == "libopenblas.so.0" { print $NF; exit }')
    if [[ $openblas ]]; then
        printf 'libopenblas.so.0 %s\n' "$openblas"
        ldd "$openblas" | awk '$2 == "=>" && $3 ~ /^\// { print $1, $3 }'
    fi
)

tar -C "$(dirname -- "$folder")" --sort=name --owner=0 --group=0 --numeric-owner -czf "$folder.tar.gz" "$(basename -- "$folder")"
printf '%s\n%s\n' "$folder" "$folder.tar.gz"
