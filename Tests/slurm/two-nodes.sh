#!/usr/bin/env bash
# Runs a real Slurm on this machine, as root: one slurmctld and two slurmd, nodes of one processor each.
#
#     Tests/slurm/two-nodes.sh FOLDER [--hide PATH]      # until its standard input ends
#
# Says "ready" once both nodes are idle; FOLDER/slurm.conf is then what SLURM_CONF has to name. FOLDER/node-2.pid is the second
# slurmd's. With --hide the second node sees an empty folder at PATH: no shared file system. What it starts ends with it.
set -euo pipefail
folder=$1
hidden=
if [[ ${2:-} == --hide ]]; then hidden=$3; fi

host=$(hostname -s)
mkdir -p "$folder/state" "$folder/munge"
chmod 755 "$folder"
chown munge "$folder/munge"

# Ports of this run: three that nobody listens at.
free_ports() {
    python3 -c 'import socket
taken = [socket.socket() for _ in range(3)]
for s in taken: s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in taken))'
}
read -r control first second < <(free_ports)

cat >"$folder/slurm.conf" <<CONF
ClusterName=two
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$control
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket
CryptoType=crypto/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
ReturnToService=2
KillWait=5
MinJobAge=30
SchedulerParameters=batch_sched_delay=0,sched_interval=2,defer_batch=0
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool-%n
SlurmctldPidFile=$folder/control.pid
SlurmdPidFile=$folder/slurmd-%n.pid
SlurmctldLogFile=$folder/control.log
SlurmdLogFile=$folder/slurmd-%n.log
NodeName=127.0.0.1 NodeHostname=$host NodeAddr=127.0.0.1 Port=$first CPUs=1 State=UNKNOWN
NodeName=127.0.0.2 NodeHostname=$host NodeAddr=127.0.0.2 Port=$second CPUs=1 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES State=UP
CONF
export SLURM_CONF=$folder/slurm.conf

started=()
finish() {
    for process in ${started[@]+"${started[@]}"}; do kill "$process" 2>/dev/null || true; done
    # A slurmd may wait for ever for a step that it can no longer reach.
    (sleep 2 && kill -KILL ${started[@]+"${started[@]}"}) </dev/null >/dev/null 2>&1 &
    wait ${started[@]+"${started[@]}"} 2>/dev/null || true
    kill $! 2>/dev/null || true
}
trap finish EXIT

setpriv --reuid munge --regid munge --clear-groups munged --foreground --socket="$folder/munge/socket" \
    --pid-file="$folder/munge/pid" --log-file="$folder/munge/log" --seed-file="$folder/munge/seed" </dev/null >&2 &
started+=($!)
for _ in {1..100}; do
    if [[ -S $folder/munge/socket ]]; then break; fi
    sleep 0.05
done
slurmctld -D </dev/null >&2 &
started+=($!)
slurmd -D -N 127.0.0.1 </dev/null >&2 &
started+=($!)
if [[ -n $hidden ]]; then
    unshare --mount bash -c 'mount -t tmpfs none "$1" && exec slurmd -D -N 127.0.0.2' bash "$hidden" </dev/null >&2 &
else
    slurmd -D -N 127.0.0.2 </dev/null >&2 &
fi
started+=($!)
printf '%s\n' "$!" >"$folder/node-2.pid"

for _ in {1..150}; do
    if [[ $(sinfo --noheader --states idle --format %D 2>/dev/null) == 2 ]]; then
        printf 'ready\n'
        cat >/dev/null
        exit
    fi
    sleep 0.1
done
printf 'two-nodes: the nodes did not come up within 15 s:\n' >&2
tail -n 5 "$folder"/*.log >&2
exit 1
