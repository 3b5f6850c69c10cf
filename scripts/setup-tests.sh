#!/usr/bin/env bash
# Installs what only some tests need, where this may be done without asking: an ssh server and network namespaces, for the
# hosts of a cluster file; Slurm, munge and Open MPI's launcher. Never fails: without them those tests are skipped, and say so.
set -euo pipefail

missing=()
[[ -x /usr/sbin/sshd ]] || missing+=(openssh-server)
type -P ssh ssh-keygen >/dev/null || missing+=(openssh-client)
PATH=$PATH:/usr/sbin:/sbin type -P ip >/dev/null || missing+=(iproute2)
type -P unshare >/dev/null || missing+=(util-linux)
PATH=$PATH:/usr/sbin type -P slurmctld slurmd sbatch >/dev/null || missing+=(slurm-wlm)
PATH=$PATH:/usr/sbin type -P munged >/dev/null || missing+=(munge)
type -P mpirun >/dev/null || missing+=(openmpi-bin)
if ((${#missing[@]} == 0)); then exit 0; fi

as_root=()
if [[ $(id -u) != 0 ]]; then as_root=(sudo -n); fi
if ! type -P apt-get >/dev/null || ! ${as_root[@]+"${as_root[@]}"} true >/dev/null 2>&1 </dev/null; then
    printf 'setup-tests: %s cannot be installed without asking: their tests are skipped\n' "${missing[*]}" >&2
    exit 0
fi

apt() {
    ${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 "$@" </dev/null >&2
}

printf 'Installing %s for the tests\n' "${missing[*]}" >&2
apt update || true # the installation decides
apt install -y --no-install-recommends "${missing[@]}" ||
    printf 'setup-tests: apt-get could not install %s: their tests are skipped\n' "${missing[*]}" >&2
