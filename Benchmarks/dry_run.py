"""Compares what `--dry-run` predicts with the run: see dry-run.sh."""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time

SHAPES = {
    "default": [],
    "short": ["--batch-size", "8", "--max-length", "64"],
    "masked-lm": ["--task", "masked-lm", "--test", "none"],
    "lora": ["--lora-rank", "8"],
    "bf16": ["--precision", "bf16"],
    "frozen": ["--freeze", "encoder"],
    "workers": ["--workers", "2", "--threads", "1"],
    "workers4": ["--workers", "4", "--threads", "1"],
    "epoch": ["--batch-size", "128", "--eval-every", "10"],
}

parser = argparse.ArgumentParser()
parser.add_argument("--apus", required=True)
parser.add_argument("--steps", type=int, default=40)
parser.add_argument("shapes", nargs="*")
arguments = parser.parse_args()
unknown = [name for name in arguments.shapes if name not in SHAPES]
if unknown:
    sys.exit(f"dry-run: found {unknown[0]}, expected one of {' '.join(SHAPES)}")


def seconds(text):
    """The last time in a line: "3.4 s", "1:02 min" or "1:02:03"."""
    parts = re.findall(r"(\d+(?::\d\d)+|\d+\.\d+ s)", text)[-1].removesuffix(" s").split(":")
    return sum(float(part) * 60 ** power for power, part in enumerate(reversed(parts)))


def megabytes(text):
    number, unit = re.search(r"([0-9.]+) (kB|MB|GB)", text).groups()
    return float(number) * {"kB": 1e-3, "MB": 1, "GB": 1e3}[unit]


def children(parent):
    """Processes below one, by what /proc says."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as file:
                    if int(file.read().rsplit(")", 1)[1].split()[1]) == parent:
                        found += [int(entry)] + children(int(entry))
            except OSError:
                pass
    return found


def peaks(parent, kept):
    """Notes the largest memory and the arguments of each process below `parent` while it lives."""
    for process in [parent] + children(parent):
        try:
            with open(f"/proc/{process}/status") as status, open(f"/proc/{process}/cmdline") as line:
                found = re.search(r"VmHWM:\s+(\d+)", status.read())
                if found:
                    kept[process] = (int(found.group(1)) * 1024 / 1e6, line.read().split("\0"))
        except OSError:
            pass


def finish(command):
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    kept, start, over = {}, time.monotonic(), threading.Event()

    def watch():
        while not over.wait(0.05):
            peaks(child.pid, kept)

    watching = threading.Thread(target=watch)
    watching.start()
    said = child.communicate()[0]
    over.set()
    watching.join()
    if child.returncode:
        sys.exit(f"dry-run: {' '.join(command)}: status {child.returncode}\n{said[-2000:]}")
    return said, kept, time.monotonic() - start


wrong = False
print(f"{'shape':<12}{'predicted':>12}{'run':>10}{'':>8}{'predicted':>14}{'run':>10}")
with tempfile.TemporaryDirectory() as folder:
    for name in arguments.shapes or SHAPES:
        command = [arguments.apus, "launch" if name.startswith("workers") else "train", *SHAPES[name],
                   "--max-steps", str(arguments.steps)]
        command += ["--output", f"{folder}/{name}"]
        prediction, _, _ = finish([*command, "--dry-run"])
        lines = prediction.splitlines()
        expected = megabytes(next(line for line in lines if line.startswith("memory of ")).split(": ", 1)[1])
        expected_time = seconds(next(line for line in lines if line.startswith("time on ")))
        said, kept, wall = finish(command)
        with open(f"{folder}/{name}/summary.json") as file:
            summary = json.load(file)
        found = summary["peak_resident_bytes"] / 1e6
        if name.startswith("workers"):
            found = max(peak for peak, line in kept.values() if "work" in line)
        off = expected / found - 1
        wrong = wrong or abs(off) > 0.15
        print(f"{name:<12}{expected:>9.0f} MB{found:>7.0f} MB{off:>+8.0%}{expected_time:>12.1f} s{wall:>8.1f} s"
              f"{expected_time / wall - 1:>+8.0%}", flush=True)
sys.exit(wrong)
