#!/usr/bin/env bash
# Apus's Swift code on arm64, emulated: compiles a program that trains in one process (Benchmarks/Portability/OneProcess)
# for arm64 with Debian sid's Swift, runs it under QEMU, and compares its weights with those of this machine's own build.
#
#     scripts/test-arm64.sh swift
#
# Needs Swift 6.3 as every build, root, some 1.5 GB of downloads the first time and 8 GB of disk, and on Debian
# qemu-user-static. What it fetches and builds lies in APUS_ARM64, by default ~/.cache/apus/arm64. What is missing is said,
# and nothing is done then. Exit status 1 if weights differ.
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
cd -- "$root"
folder=${APUS_ARM64:-${XDG_CACHE_HOME:-$HOME/.cache}/apus/arm64}
toolchain=/usr/libexec/swift

leave_out() {
    printf 'swift: left out, %s\n' "$1"
    exit 0
}
for program in apt-get dpkg-deb unshare chroot python3 swift qemu-aarch64-static; do
    type -P "$program" >/dev/null || leave_out "there is no $program (Debian: apt, util-linux, coreutils, python3, qemu-user-static)"
done
if [[ $(id -u) != 0 ]]; then leave_out 'it needs root, for a chroot'; fi

# Debian's Swift as a compiler for this machine in compiler/, and what arm64 code is compiled and linked with in target/,
# both of one version. Nothing is installed: the packages are unpacked.
fetch() {
    local own mirror archive state=$folder/apt
    printf 'swift: fetching Debian sid'"'"'s Swift for this machine and for arm64\n' >&2
    own=$(dpkg --print-architecture)
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Label: Debian' 'Created-By: Packages' | head -n 1)
    if [[ -z $mirror ]]; then leave_out 'apt has no lists of Debian: run apt-get update'; fi
    rm -rf -- "$folder"
    mkdir -p -- "$state"/{lists/partial,archives/partial} "$folder"/{compiler,target}
    : >"$state/status"
    printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s sid main\n' "$mirror" >"$state/sources.list"
    printf '%s;\n' "Dir::Etc::sourcelist \"$state/sources.list\"" 'Dir::Etc::sourceparts "/nonexistent"' \
        "Dir::State \"$state\"" "Dir::State::status \"$state/status\"" "Dir::Cache::archives \"$state/archives\"" \
        "Dir::Cache \"$state\"" "APT::Architectures {\"$own\"; \"arm64\";}" 'APT::Install-Recommends "0"' \
        'APT::Sandbox::User "root"' 'Acquire::Languages "none"' 'Acquire::Check-Valid-Until "0"' >"$state/apt.conf"
    export APT_CONFIG=$state/apt.conf
    apt-get -qq update
    unpack "$own" compiler ./usr base-files bash coreutils dash sed grep findutils git g++ swiftlang
    unpack arm64 target ".$toolchain/lib" g++ libssl-dev zlib1g-dev swiftlang
    # Where a compiler looks for them below a foreign root.
    for archive in swift swift_static clang; do ln -s "../libexec/swift/lib/$archive" "$folder/target/usr/lib/$archive"; done
    unset APT_CONFIG
    rm -rf -- "$state"
    : >"$folder/complete"
}

# unpack ARCHITECTURE FOLDER PART PACKAGE...: PART is what is wanted of Swift's own package.
unpack() {
    local architecture=$1 into=$folder/$2 part=$3 archive
    shift 3
    apt-get -qq install -y --download-only "${@/%/:$architecture}" >&2
    # The links /bin, /lib and so on come with base-files, and everything else through them.
    mkdir -p -- "$into/usr/lib" "$into/usr/bin"
    for archive in bin lib; do ln -s "usr/$archive" "$into/$archive"; done
    for archive in "$folder"/apt/archives/*.deb; do
        dpkg-deb --fsys-tarfile "$archive" | if [[ $archive == */swiftlang_* ]]; then tar -C "$into" -xf - "$part"; else tar -C "$into" --keep-directory-symlink -xf -; fi
    done
    rm -f -- "$folder"/apt/archives/*.deb
}

# Apus's package as an older compiler takes it: with this checkout's sources, and the packages that it depends on as folders.
make_package() {
    local package=$folder/package name
    mkdir -p -- "$package"
    {
        # A warning may be new or gone in another version of the compiler.
        sed -e '1s/6\.3/6.2/' -e '/treatAllWarnings/d' \
            -e 's|\.package(url: "[^"]*/\([^/"]*\)", from: "[^"]*")|.package(path: "/apus/.build/checkouts/\1")|' Package.swift
        printf '\n'
        cat Benchmarks/Portability/manifest.swift
    } >"$package/Package.swift"
    for name in Sources Tests Benchmarks; do ln -sfn "/apus/$name" "$package/$name"; done
    # Debian's compiler checks itself, and stops at typed throws around a span that 6.3 compiles: -sil-verify-none.
    cat >"$folder/arm64.json" <<JSON
{
  "version": 1,
  "target": "aarch64-unknown-linux-gnu",
  "sdk": "/arm64",
  "toolchain-bin-dir": "$toolchain/bin",
  "extra-cc-flags": [],
  "extra-cpp-flags": [],
  "extra-swiftc-flags": [
    "-sdk", "/arm64", "-resource-dir", "/arm64/usr/lib/swift", "-use-ld=lld", "-Xfrontend", "-sil-verify-none"
  ]
}
JSON
}

# Runs the arguments in the compiler's folder as root, where /apus is this checkout, /arm64 the target's files, /arm64-build the rest.
inside() {
    mkdir -p -- "$folder"/compiler/{apus,arm64,arm64-build,proc,dev,tmp}
    # The mounts end with the command.
    unshare --mount bash -euc '
        folder=$0 root=$1
        shift
        mount --make-rprivate /
        mount --bind "$root" "$folder/compiler/apus"
        mount --bind "$folder/target" "$folder/compiler/arm64"
        mount --bind "$folder" "$folder/compiler/arm64-build"
        mount -t proc none "$folder/compiler/proc"
        mount --rbind /dev "$folder/compiler/dev"
        exec chroot "$folder/compiler" /usr/bin/env -i "PATH=$1/bin:/usr/bin" HOME=/tmp TMPDIR=/tmp "${@:2}"
    ' "$folder" "$root" "$toolchain" "$@"
}

if [[ ! -e $folder/complete ]]; then fetch; fi
swift package resolve >&2
make_package
printf 'swift: compiling for arm64 with %s (some ten minutes the first time)\n' "$(inside swift --version 2>/dev/null | head -n 1)" >&2
log=$folder/build.log
if ! inside swift build --package-path /arm64-build/package --scratch-path /arm64-build/build --disable-sandbox --no-color-diagnostics \
    --destination /arm64-build/arm64.json -c release --product OneProcess >"$log" 2>&1; then
    grep -E 'error:|^Stack dump' "$log" | head -n 20 >&2 || true
    printf 'test-arm64: the Swift code did not compile for arm64; all that was said is in %s\n' "$log" >&2
    exit 1
fi
scripts/build.sh -c release --product apus

emulated=(qemu-aarch64-static -L "$folder/target" -E LD_LIBRARY_PATH=/usr/lib/swift/linux
    "$folder/build/aarch64-unknown-linux-gnu/release/OneProcess")
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
weights() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["parameters_sha256"])' "$1/summary.json"; }
differing=0

# compare NAME OPTION...: the options as lines of a file, for a run here and one under QEMU.
compare() {
    local name=$1 where here there
    shift
    printf '%s\n' 'validation: none' "$@" >"$work/$name.yaml"
    for where in here there; do
        sed "\$a output: $work/$name-$where" "$work/$name.yaml" >"$work/$name-$where.yaml"
    done
    .build/release/apus train --config "$work/$name-here.yaml" >"$work/$name-here.log" 2>&1 || { cat "$work/$name-here.log" >&2; exit 1; }
    "${emulated[@]}" "$work/$name-there.yaml" >"$work/$name-there.log" 2>&1 || { cat "$work/$name-there.log" >&2; exit 1; }
    here=$(weights "$work/$name-here") there=$(weights "$work/$name-there")
    if [[ $here == "$there" ]]; then
        printf 'swift: %s: %s on both\n' "$name" "$here"
    else
        printf 'swift: %s: %s here, %s on arm64\n' "$name" "$here" "$there"
        differing=1
    fi
}

PYTHONPATH=Benchmarks python3 -c 'import sys, tiny_job; tiny_job.make(sys.argv[1])' "$work/tiny" >/dev/null
tiny=("model: $work/tiny/model" "train: $work/tiny/train.tsv" 'max-length: 20' 'epochs: 6' 'max-steps: 40')
for precision in float32 bf16 bf16-amx; do compare "small-$precision" "${tiny[@]}" "precision: $precision" 'threads: 1'; done
compare small-two-threads "${tiny[@]}" 'threads: 2'
if scripts/fetch.sh >&2; then
    # The default model and data; see README.
    compare default 'test: none' 'max-steps: 3'
else
    printf 'swift: the default job was left out, its model and data are not here\n'
fi
exit "$differing"
