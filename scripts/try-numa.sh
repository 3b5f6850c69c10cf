#!/usr/bin/env bash
# A run on a machine with two NUMA nodes of two processors, which QEMU emulates: how many workers start, on which processors
# each may run, on which node its memory is, also after one was killed, and whether the weights are those of a run here.
#
#     scripts/try-numa.sh              # some minutes on two cores
#     KERNEL=/boot/vmlinuz scripts/try-numa.sh
#
# Needs the release build, python3, and on Debian qemu-system-x86 and busybox-static. The kernel is KERNEL, or Debian's,
# which apt-get downloads for this script alone. What is missing is said, and nothing is tried. Exit status 1 if a worker is
# bound otherwise than expected or the weights differ.
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
cd -- "$root"
program=${APUS:-.build/release/apus}
for need in qemu-system-x86_64:qemu-system-x86 busybox:busybox-static python3:python3; do
    if ! type -P "${need%%:*}" >/dev/null; then
        printf 'try-numa: left out, there is no %s (Debian: %s)\n' "${need%%:*}" "${need#*:}"
        exit 0
    fi
done
if ! [[ -x $program ]]; then
    printf 'try-numa: left out, there is no %s: scripts/build.sh -c release\n' "$program"
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
kernel=${KERNEL:-}
if [[ ! $kernel ]]; then
    package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | awk '/Depends:/ { print $2; exit }')
    if ! [[ $package ]] || ! (cd -- "$work" && apt-get download "$package" >apt.log 2>&1 && dpkg-deb -x linux-*.deb kernel); then
        printf 'try-numa: left out, no kernel was found: set KERNEL to the file of one\n'
        exit 0
    fi
    kernel=$(echo "$work"/kernel/boot/vmlinuz-*)
fi

guest=$work/guest
mkdir -p "$guest"/{bin,proc,sys,dev,tmp,job,lib64}
PYTHONPATH=Benchmarks python3 -c 'import sys, tiny_job; tiny_job.make(sys.argv[1])' "$work/job"
cp -r "$work/job" "$guest"
strip -o "$guest/bin/apus" "$program"
cp -L "$(type -P busybox)" "$guest/bin/busybox"
ldd "$program" | grep -o '/[^ ]*' | while read -r library; do
    mkdir -p "$guest$(dirname -- "$library")"
    cp -L "$library" "$guest$library"
done
options=(--validation none --max-length 20 --epochs 10 --max-steps 40 --batch-size 16 --seed 7)

cat >"$guest/init" <<INIT
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin HOME=/tmp TMPDIR=/tmp
mount -t proc none /proc; mount -t sysfs none /sys; mount -t devtmpfs none /dev
mkdir /dev/shm; mount -t tmpfs none /dev/shm; mount -t tmpfs none /tmp; ip link set lo up
# Those that share memory already.
workers() { for id in \$(pidof apus); do tr '\0' ' ' </proc/\$id/cmdline | grep -q '^[^ ]*apus work ' && grep -q shm/apus- /proc/\$id/maps && echo \$id; done; }
# Each worker's processors, and its pages by node: private ones, copies of those of program and libraries, shared ones.
show() {
    for id in \$(workers); do
        rank=\$(tr '\0' '\n' </proc/\$id/cmdline | grep -A 1 -x -e --rank | tail -n 1)
        echo "worker \$rank: processors \$(sed -n 's/Cpus_allowed_list:\t//p' /proc/\$id/task/*/status | sort -u | tr '\n' ' ')"
        awk -v rank=\$rank '
            FNR == NR { split(\$1, ends, "-"); mode[ends[1]] = \$2; next }
            { kind = /apus-/ ? (mode[\$1] ~ /w/ ? "shared, its own" : "shared, of others") : ! / anon=/ ? "" : /file=/ ? "of files" : "private" }
            kind { for (i = 3; i <= NF; i++) if (\$i ~ /^N[0-9]+=/) { split(\$i, n, "="); pages[kind, n[1]] += n[2]; kinds[kind] } }
            END { for (k in kinds) printf "worker %s: %s: N0 %d, N1 %d pages\n", rank, k, pages[k, "N0"], pages[k, "N1"] }
        ' /proc/\$id/maps /proc/\$id/numa_maps
    done
}
head -n 1 /sys/devices/system/node/node*/cpulist
apus launch --model /job/model --train /job/train.tsv ${options[*]} --output /tmp/run --heartbeat-timeout 60 2>&1 | cat &
until grep -q '"step":3,' /tmp/run/metrics.jsonl; do sleep 1; done 2>/dev/null
show
old=\$(workers | head -n 1)
kill -KILL \$old
until [ "\$(workers | grep -cvx \$old)" = 2 ] || ! pidof apus >/dev/null; do sleep 1; done
show
wait
sleep 1
reboot -f
INIT
chmod +x "$guest/init"
(cd -- "$guest" && find . | busybox cpio -o -H newc) >"$work/initramfs"

nodes=(-object memory-backend-ram,size=1G,id=m0 -numa node,nodeid=0,cpus=0-1,memdev=m0
    -object memory-backend-ram,size=1G,id=m1 -numa node,nodeid=1,cpus=2-3,memdev=m1)
timeout 900 qemu-system-x86_64 -cpu max -smp 4 -m 2G "${nodes[@]}" -nographic -no-reboot -net none -kernel "$kernel" \
    -initrd "$work/initramfs" -append 'console=ttyS0 quiet panic=-1' </dev/null | tee "$work/log"

"$program" launch --workers 1 --model "$work/job/model" --train "$work/job/train.tsv" "${options[@]}" --output "$work/run" >"$work/here"
here=$(grep -o 'SHA-256 .*' "$work/here")
printf 'here: parameters %s\n' "$here"
status=0
expect() { # COUNT TEXT
    local found
    found=$(grep -cF -- "$2" "$work/log" || true)
    if ((found != $1)); then
        printf 'try-numa: found %s lines with "%s", expected %s\n' "$found" "$2" "$1" >&2
        status=1
    fi
}
expect 1 '2 workers of 2 threads'
expect 2 'worker 0: processors 0-1'
expect 2 'worker 1: processors 2-3'
expect 1 "$here"
exit "$status"
