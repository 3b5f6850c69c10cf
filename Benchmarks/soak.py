#!/usr/bin/env python3
"""A long run of a tiny model: are memory and file descriptors of launcher, coordinator and workers flat?

    Benchmarks/soak.py [STEPS=20000] [WORKERS=2]        # about two minutes on two cores

Looks at each process four times a second and fits a line through the second half of the run. Exit status 1 if a process
grows by more than 3 % or 2 MB, whichever is more, from the middle to the end, or its file descriptors by more than 2.
APUS names another program.
"""
import os, pathlib, shutil, subprocess, sys, tempfile, time

import tiny_job


def slope(points):
    """Least squares: growth of the second value for each unit of the first."""
    count = len(points)
    middle_x, middle_y = (sum(p[i] for p in points) / count for i in (0, 1))
    width = sum((x - middle_x) ** 2 for x, _ in points)
    return sum((x - middle_x) * (y - middle_y) for x, y in points) / width if width else 0.0


def main():
    steps, workers = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000, int(sys.argv[2]) if len(sys.argv) > 2 else 2
    program = tiny_job.program()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="apus-soak-"))
    output = folder / "run"
    job = tiny_job.make(folder) + ["--batch-size", "8", "--lanes", "4", "--epochs", "1000000", "--max-steps", str(steps)]
    command = [program, "launch", "--workers", str(workers), "--threads", "1", "--checkpoint-every", "1000", "--output", str(output)] + job
    log = open(folder / "log", "w")
    launcher = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    begin, seen = time.monotonic(), {}
    while launcher.poll() is None:
        processes = [(launcher.pid, "launch")] + tiny_job.children(launcher.pid)
        for process, role in processes:
            found = tiny_job.status(process)
            if found:
                seen.setdefault((role, process), []).append((time.monotonic() - begin,) + found)
        time.sleep(0.25)
    seconds = time.monotonic() - begin
    text = (folder / "log").read_text()
    if launcher.returncode != 0:
        sys.exit(f"soak: the run ended with status {launcher.returncode}: {folder}/log\n{text[-2000:]}")
    flat = True
    print(f"{steps} steps of a tiny model, {workers} workers, {seconds:.0f} s")
    print("| process | memory at the middle, MB | at the end | growth over the second half | file descriptors, middle and end |\n|---|---|---|---|---|")
    for (role, process), samples in sorted(seen.items(), key=lambda item: (item[0][0], item[0][1])):
        half = [s for s in samples if s[0] > seconds / 2][:-2]  # the last moments are those of the end
        if len(half) < 8:
            print(f"| {role} {process} | only {len(half)} looks | | | |")
            flat = False
            continue
        eighth = max(1, len(half) // 8)
        middle = sum(s[1] for s in half[:eighth]) / eighth / 1024
        end = sum(s[1] for s in half[-eighth:]) / eighth / 1024
        growth = slope([(s[0], s[1]) for s in half]) * (half[-1][0] - half[0][0]) / 1024
        files = half[0][2], half[-1][2]
        good = growth <= max(0.03 * middle, 2) and files[1] <= files[0] + 2
        flat = flat and good
        print(f"| {role} {process} | {middle:.1f} | {end:.1f} | {growth:+.2f} MB{'' if good else ' GROWS'} | {files[0]}, {files[1]} |")
    sizes = {path.name: path.stat().st_size for path in output.iterdir() if path.is_file()}
    print("files of the run, bytes a step: " + ", ".join(f"{name} {size / steps:.1f}" for name, size in sorted(sizes.items()) if size > steps))
    shutil.rmtree(folder)
    sys.exit(0 if flat else 1)


main()
