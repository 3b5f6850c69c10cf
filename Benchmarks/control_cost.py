"""Measures the control plane of a run from outside: see control-cost.sh."""

import json
import os
import subprocess
import sys
import tempfile
import time

TICK = os.sysconf("SC_CLK_TCK")
COMPUTING = "apus data"  # the thread that computes and exchanges, with one thread a worker
IO = "ZMQbg/IO"  # ZeroMQ's own thread, which carries samples and the gradient's rows as well


def threads(process):
    """CPU seconds of each thread of a process, by id: (name, seconds)."""
    found = {}
    for thread in os.listdir(f"/proc/{process}/task"):
        try:
            text = open(f"/proc/{process}/task/{thread}/stat").read()
            # Nanoseconds on the processor; ticks of 10 ms are too coarse for a control thread.
            seconds = int(open(f"/proc/{process}/task/{thread}/schedstat").read().split()[0]) * 1e-9
        except OSError:
            continue
        found[thread] = (text[text.index("(") + 1 : text.rindex(")")], seconds)
    return found


def resident(process):
    for line in open(f"/proc/{process}/status"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def children(launcher):
    """Process ids by role."""
    roles = {"coordinate": [], "work": []}
    for name in os.listdir("/proc"):
        try:
            parent = int(open(f"/proc/{name}/stat").read().rsplit(")", 1)[1].split()[1])
            arguments = open(f"/proc/{name}/cmdline").read().split("\0")
        except (OSError, ValueError, IndexError):
            continue
        if parent == launcher and arguments[1] in roles:
            roles[arguments[1]].append(int(name))
    return roles


def wait_for(metrics, step, launcher):
    """Follows the metrics until they tell of a step."""
    while launcher.poll() is None:
        try:
            with open(metrics) as lines:
                if any(f'"step":{step},' in line for line in lines):
                    return
        except OSError:
            pass
        time.sleep(0.02)
    sys.exit("control-cost: the run ended before its last look; see above")


def look(roles):
    return {process: threads(process) for group in roles.values() for process in group}


def difference(before, after):
    spent = {}
    for process in before:
        for thread, (name, seconds) in after[process].items():
            spent[(process, thread)] = (name, seconds - before[process].get(thread, (name, 0.0))[1])
    return spent


def main():
    program, workers, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "launch", "--workers", str(workers), "--threads", "1", "--lanes", str(workers), "--validation", "none", "--test", "none"]
        command += ["--max-steps", str(steps + 40), "--output", folder + "/run"]
        with open(folder + "/log", "w") as log:
            launcher = subprocess.Popen(command, stdout=log, stderr=log)
            try:
                wait_for(folder + "/run/metrics.jsonl", 20, launcher)
                roles = children(launcher.pid)
                coordinator = roles["coordinate"][0]
                before, memory = look(roles), resident(coordinator)
                wait_for(folder + "/run/metrics.jsonl", 20 + steps, launcher)
                after, later = look(roles), resident(coordinator)
            finally:
                launcher.terminate()
                launcher.wait()
    spent = difference(before, after)
    own = sum(seconds for (process, _), (_, seconds) in spent.items() if process == coordinator)
    io = sum(seconds for (process, _), (name, seconds) in spent.items() if process != coordinator and name.startswith(IO))
    control = sum(seconds for (process, _), (name, seconds) in spent.items() if process != coordinator and name != COMPUTING and not name.startswith(IO))
    computing = sum(seconds for (process, _), (name, seconds) in spent.items() if process != coordinator and name == COMPUTING)
    print(
        json.dumps(
            {
                "workers": workers,
                "steps": steps,
                "coordinator_ms_per_step": round(own / steps * 1000, 3),
                "control_threads_ms_per_step": round(control / steps * 1000, 3),
                "workers_io_ms_per_step": round(io / steps * 1000, 3),
                "together_ms_per_step": round((own + control) / steps * 1000, 3),
                "computing_ms_per_step": round(computing / steps * 1000, 1),
                "coordinator_mib_before": round(memory, 1),
                "coordinator_mib_after": round(later, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
