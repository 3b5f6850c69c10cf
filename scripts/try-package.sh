#!/usr/bin/env bash
# Tries a package on a system without Swift, no OpenBLAS and no ZeroMQ: makes a bare Debian with debootstrap, unpacks
# the tarball in it and trains a small model there, in one process and over two workers. As root.
#
#     scripts/try-package.sh TARBALL [FOLDER]      # FOLDER keeps the bare Debian; default: a new one, removed in the end
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
tarball=$(realpath -- "$1")
bare=${2:-}
fresh=
if [[ -z $bare ]]; then
    bare=$(mktemp -d)
    fresh=$bare
fi
finish() {
    umount -- "$bare/proc" 2>/dev/null || true
    if [[ -n $fresh ]]; then rm -rf --one-file-system -- "$fresh"; fi
}
trap finish EXIT

if [[ ! -x $bare/bin/sh ]]; then
    # From where this machine's own packages come.
    codename=$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")
    mirror=$(apt-get indextargets --format '$(REPO_URI)' "Codename: $codename" "Created-By: Packages" | head -n 1)
    debootstrap --variant=minbase "$codename" "$bare" "$mirror" >&2
fi

# The small model of the tests, words for it, and sentences whose first word tells the label.
place=$bare/srv/try
rm -rf -- "$bare/opt/apus" "$place"
mkdir -p -- "$bare/opt/apus" "$place/model"
tar -C "$bare/opt/apus" --strip-components 1 -xzf "$tarball"
cp -- "$root"/Tests/Fixtures/golden/classify/{config.json,model.safetensors} "$place/model/"
{
    printf '[%s]\n' PAD UNK CLS SEP MASK
    printf '%s\n' {a..z} '##'{a..z}
    printf '%s\n' {b,d,f,g,k,l,m,n,p,r,s}{an,el,ik,om,ur,ast,end,ilt,ond,unk,arm,irt,oft,ule}
} >"$place/model/vocab.txt"
printf 'sentence\tlabel\n' >"$place/train.tsv"
for first in b d f g k l m; do
    printf '%s\n' "${first}an lom sik"$'\t0' "${first}ond mel"$'\t1' "${first}oft nunk pirt rule"$'\t2'
done >>"$place/train.tsv"

inside() { chroot "$bare" /usr/bin/env -i PATH=/usr/bin:/bin TMPDIR=/tmp HOME=/root "$@"; }
if inside sh -c 'command -v swift || ls /usr/lib/*/libopenblas* /usr/lib/*/libzmq*' >/dev/null 2>&1; then
    printf 'try-package: %s is not bare: it has Swift, OpenBLAS or ZeroMQ of its own\n' "$bare" >&2
    exit 1
fi
mount -t proc none "$bare/proc"
options=(--model /srv/try/model --train /srv/try/train.tsv --max-length 20 --batch-size 8 --lanes 2 --max-steps 20)
inside /opt/apus/apus train "${options[@]}" --output /srv/try/single
inside /opt/apus/apus launch --workers 2 --threads 1 "${options[@]}" --output /srv/try/workers
echo 'ban lom' | inside /opt/apus/apus predict --model /srv/try/workers/model
weights() { sed -n 's/.*"parameters_sha256" : "\([0-9a-f]\{64\}\)".*/\1/p' "$place/$1/summary.json"; }
if [[ -z $(weights single) || $(weights single) != "$(weights workers)" ]]; then
    printf 'try-package: one process and two workers gave different weights\n' >&2
    exit 1
fi
printf 'trained in a bare Debian: %s\n' "$(weights workers)"
