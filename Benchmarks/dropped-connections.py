#!/usr/bin/env python3
"""Connections dropped while the processes at both ends live: does every run end with the undisturbed SHA-256?

    Benchmarks/dropped-connections.py [RUNS=200] [SEED=1]      # about half an hour on two cores

A coordinator and 1, 2 or 3 workers on loopback, in turn; steps of about 1 and 50 ms, in turn; and in turn what is dropped: the
control connections, each of which goes through a proxy that resets it; the data links, cut from outside (Linux 5.6, and leave
to trace the workers); or both. Every second run has keys, the others --insecure. Ten drops a run, 10 to 150 ms apart, of one or
more workers at once. Exit status 1 where a run ends with other bits, with another status or not at all, or a sample was not
computed exactly once. APUS names another program.
"""
import ctypes
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import tiny_job
from dropping_proxy import DroppingProxy

RUNS = int(sys.argv[1]) if len(sys.argv) > 1 else 200
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 1
DROPS = 10
APUS = tiny_job.program()
PIDFD_OPEN, PIDFD_GETFD = 434, 438
libc = ctypes.CDLL(None, use_errno=True)


def cut_data(process, control):
    """Shuts the connections of a process down whose peer's port is not `control`, nor that of its proxy. Returns how many."""
    count = 0
    handle = libc.syscall(PIDFD_OPEN, process, 0)
    if handle < 0:
        return 0
    try:
        names = [name for name in os.listdir(f"/proc/{process}/fd")]
    except OSError:
        names = []
    for name in names:
        try:
            if not os.readlink(f"/proc/{process}/fd/{name}").startswith("socket:"):
                continue
        except OSError:
            continue
        copy = libc.syscall(PIDFD_GETFD, handle, int(name), 0)
        if copy < 0:
            continue
        with socket.socket(fileno=copy) as connection:
            try:
                if connection.getpeername()[1] in control or connection.getsockname()[1] in control:
                    continue
                connection.shutdown(socket.SHUT_RDWR)
                count += 1
            except (OSError, IndexError, TypeError):
                pass
    os.close(handle)
    return count


def lines(output):
    try:
        return sum(1 for line in open(output / "metrics.jsonl") if '"event":"step"' in line)
    except OSError:
        return 0


def digest(output):
    try:
        return json.loads((output / "summary.json").read_text())["parameters_sha256"]
    except (OSError, ValueError, KeyError):
        return "none"


def one(place, job, workers, kind, keys, chance):
    """Runs a disturbed job, with keys or --insecure. Returns its status, SHA-256, drops made and what it said."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    place.mkdir()
    environment = dict(os.environ, TMPDIR=str(place))
    plain = [] if keys else ["--insecure"]
    if keys:
        environment["APUS_SECRET"] = os.urandom(32).hex()
    log = open(place / "log", "w")
    start = lambda words, rank=0: subprocess.Popen([APUS, *map(str, words), *plain], env=dict(environment, RANK=str(rank)) if keys else environment, stdout=log, stderr=log)
    coordinator = start(["coordinate", "--workers", workers, "--endpoint", f"tcp://127.0.0.1:{port}", "--output", place / "out", *job])
    proxies = [DroppingProxy(port) for _ in range(workers)]
    helpers = [start(["work", "--threads", 1, "--coordinator", f"tcp://127.0.0.1:{proxy.port}"], rank) for rank, proxy in enumerate(proxies)]
    control = {port} | {proxy.port for proxy in proxies}
    deadline = time.time() + 120
    while lines(place / "out") < 5 and coordinator.poll() is None and time.time() < deadline:
        time.sleep(0.01)
    dropped = 0
    for _ in range(DROPS):
        if coordinator.poll() is not None:
            break
        for n in chance.sample(range(workers), chance.randint(1, workers)):
            what = chance.choice(["control", "data"]) if kind == "both" else kind
            dropped += proxies[n].drop() if what == "control" else cut_data(helpers[n].pid, control)
        time.sleep(chance.uniform(0.01, 0.15))
    try:
        status = coordinator.wait(max(1, deadline - time.time()))
    except subprocess.TimeoutExpired:
        status = "no end"
        coordinator.kill()
    for helper in helpers:
        try:
            helper.wait(10)
        except subprocess.TimeoutExpired:
            helper.kill()
    for proxy in proxies:
        proxy.end()
    log.close()
    return status, digest(place / "out"), dropped, (place / "log").read_text(errors="replace")


def main():
    work = pathlib.Path(tempfile.mkdtemp(prefix="apus-drops."))
    bad, drops, jobs = 0, 0, {}
    for pace, (samples, batch, epochs) in {"1 ms": (160, 8, 20), "50 ms": (6000, 1500, 12)}.items():
        folder = work / pace.replace(" ", "")
        options = tiny_job.make(folder, samples) + ["--batch-size", batch, "--epochs", epochs, "--lanes", 4, "--learning-rate", "1e-3", "--checkpoint-every", 25]
        subprocess.run([APUS, "train", "--threads", "1", *map(str, options), "--output", folder / "clean"], check=True, stdout=subprocess.DEVNULL)
        summary = json.loads((folder / "clean/summary.json").read_text())
        jobs[pace] = (options, digest(folder / "clean"), epochs)
        print(f"undisturbed, steps of {summary['seconds'] / summary['steps'] * 1e3:.1f} ms: {jobs[pace][1]}", flush=True)
    for n in range(RUNS):
        workers, pace, kind = 1 + n % 3, list(jobs)[n // 3 % 2], ["control", "data", "both"][n // 6 % 3]
        job, wanted, epochs = jobs[pace]
        place, keys = work / str(n), n % 2 == 1
        status, got, dropped, said = one(place, job, workers, kind, keys, random.Random(f"{SEED}-{n}"))
        once = said.count("each exactly once")
        well = status == 0 and got == wanted and once == epochs
        drops += dropped
        print(f"{n}: {workers} workers, {pace}, {kind}, {'keys' if keys else 'insecure'}: {dropped} dropped, status {status}, {'same bits' if got == wanted else got}, {once} of {epochs} epochs exactly once", flush=True)
        if well:
            shutil.rmtree(place)
        else:
            bad += 1
            print(f"   its files are {place}", flush=True)
    print(f"{RUNS - bad} of {RUNS} runs with the undisturbed SHA-256, {drops} connections dropped")
    if not bad:
        shutil.rmtree(work)
    sys.exit(bad > 0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    main()
