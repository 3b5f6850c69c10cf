#!/usr/bin/env python3
"""The tables of growth.sh; see there."""
import argparse, json, os, shutil, subprocess, sys, tempfile, time

TABLES = ["tokens", "layers", "width", "lanes", "workers", "dataset", "start", "exchange"]
parser = argparse.ArgumentParser()
parser.add_argument("--root", required=True)
parser.add_argument("tables", nargs="*", default=TABLES)
options = parser.parse_args()
unknown = [table for table in options.tables if table not in TABLES]
if unknown:
    sys.exit(f"growth: {unknown[0]} is not a table: choose among {' '.join(TABLES)}")

here = os.path.dirname(os.path.abspath(__file__))
release = os.path.join(options.root, ".build", "release")
cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "apus")
source, data = os.path.join(cache, "models", "all-MiniLM-L6-v2"), os.path.join(cache, "data", "movie-reviews", "train.tsv")
work = tempfile.mkdtemp(prefix="apus-growth-")


def note(**figures):
    if os.environ.get("APUS_GROWTH_KEEP"):
        with open(os.environ["APUS_GROWTH_KEEP"], "a") as file:
            file.write(json.dumps(figures) + "\n")
    return figures


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"growth: {' '.join(command)} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}")
    return done.stdout


def steps(arguments, count=16, model=source, train=data):
    """Median milliseconds of a step and its number of tokens, after the first 5 steps."""
    output = os.path.join(work, "run")
    shutil.rmtree(output, ignore_errors=True)
    run([os.path.join(release, "apus"), *arguments, "--model", model, "--train", train, "--validation", "none", "--max-steps", str(count),
         "--output", output])
    events = [json.loads(line) for line in open(os.path.join(output, "metrics.jsonl"))]
    events = [event for event in events if event["event"] == "step"][5:]
    middle = len(events) // 2
    return sorted(1_000 * event["seconds"] for event in events)[middle], sum(event["tokens"] for event in events) / len(events)


def table(title, head, rows):
    print(f"\n{title}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    sys.stdout.flush()


def shaped(layers, width):
    """A model of the default's vocabulary with other sizes; heads of 32 columns, feed-forward four times the width."""
    folder = os.path.join(cache, "benchmarks", f"shape-{layers}-{width}")
    if not os.path.exists(os.path.join(folder, "model.safetensors")):
        run([sys.executable, os.path.join(here, "peers", "make_model.py"), source, folder, str(layers), str(width), str(width // 32)])
    return folder


ONE = ["train", "--threads", "1", "--lanes", "2"]


def grow(name):
    rows = []
    if name == "tokens":
        for batch in (4, 8, 16, 32, 64, 128):
            ms, tokens = steps([*ONE, "--batch-size", str(batch)], count=10 if batch > 32 else 16)
            note(table=name, batch=batch, tokens=tokens, milliseconds=ms)
            rows.append((batch, f"{tokens:.0f}", f"{ms:.1f}", f"{1_000 * ms / tokens:.0f}"))
        table("Tokens per step (1 thread, 2 lanes, all-MiniLM-L6-v2)", ("batch size", "tokens", "ms a step", "µs a token"), rows)
    elif name in ("layers", "width"):
        shapes = [(n, 384) for n in (1, 2, 4, 6, 12)] if name == "layers" else [(4, width) for width in (128, 256, 384, 512, 768)]
        for layers, width in shapes:
            ms, tokens = steps(ONE, count=12, model=shaped(layers, width))
            note(table=name, layers=layers, width=width, milliseconds=ms)
            rows.append((layers, width, f"{ms:.1f}", f"{ms / layers:.1f}"))
        table(f"{name.capitalize()} (1 thread, 2 lanes, batch 32)", ("layers", "width", "ms a step", "ms a layer"), rows)
    elif name == "lanes":
        for lanes in (1, 2, 4, 8, 16):
            ms, _ = steps(["train", "--threads", "2", "--lanes", str(lanes)])
            note(table=name, lanes=lanes, milliseconds=ms)
            rows.append((lanes, f"{ms:.1f}", f"{32_000 / ms:.0f}"))
        table("Lanes (1 process of 2 threads, batch 32)", ("lanes", "ms a step", "samples/s"), rows)
    elif name == "workers":
        cores = os.cpu_count()
        many = cores >= 16
        for batch in (32, 256) if many else (32,):
            lanes = 16 if many else 8
            for workers in (1, 2, 4, 8, 16) if many else range(1, 9):
                ms, _ = steps(["launch", "--workers", str(workers), "--threads", "1", "--lanes", str(lanes), "--batch-size", str(batch)], count=14)
                note(table=name, batch=batch, workers=workers, milliseconds=ms)
                rows.append((batch, workers, f"{ms:.1f}", f"{1_000 * batch / ms:.0f}"))
        table(f"Workers of 1 thread on {cores} cores ({lanes} lanes)", ("batch size", "workers", "ms a step", "samples/s"), rows)
    elif name in ("dataset", "start"):
        lines = open(data).read().splitlines(True)
        for copies in (1, 4, 16) if name == "dataset" else (1,):
            path = os.path.join(work, "data.tsv")
            with open(path, "w") as file:
                file.writelines(lines[:1] + lines[1:] * copies)
            begun = time.time()
            ms, _ = steps([*ONE, "--batch-size", "4"], count=8, train=path)
            seconds = time.time() - begun
            note(table=name, samples=(len(lines) - 1) * copies, milliseconds=ms, seconds=seconds)
            rows.append((f"{(len(lines) - 1) * copies:,}", f"{ms:.1f}", f"{seconds - 8 * ms / 1_000:.2f}"))
        table("Samples of the training data (1 thread, batch 4)", ("samples", "ms a step", "s other than 8 steps: start, checkpoint, model"), rows)
    elif name == "exchange":
        exchange()


def exchange():
    cores = os.cpu_count()
    measured = []
    for workers in range(2, 9):
        out = run([os.path.join(release, "AllReduceBenchmark"), "--workers", str(workers), "--megabytes", "1,22,44,90", "--over", "tcp", "--rounds", "7"])
        for line in out.splitlines():
            row = json.loads(line)
            measured.append((workers, row["megabytes"] * 1e6, row["milliseconds"] / 1e3))
            note(table="exchange", workers=workers, megabytes=row["megabytes"], milliseconds=row["milliseconds"])

    # t = hops · latency + messages · cost + bytes / bandwidth, by least squares of the relative error. Ranks that share a core
    # take turns: their messages and bytes count as often as there are ranks a core.
    def terms(workers, size, turns):
        return 2.0, 2 * (workers - 1) * turns, 2 * (workers - 1) / workers * size * turns

    rows = [([term / t for term in terms(n, size, max(1, n / cores))], 1.0) for n, size, t in measured]
    normal = [[sum(r[i] * r[j] for r, _ in rows) for j in range(3)] + [sum(r[i] * y for r, y in rows)] for i in range(3)]
    for i in range(3):
        pivot = max(range(i, 3), key=lambda k: abs(normal[k][i]))
        normal[i], normal[pivot] = normal[pivot], normal[i]
        for k in range(3):
            if k != i:
                factor = normal[k][i] / normal[i][i]
                normal[k] = [a - factor * b for a, b in zip(normal[k], normal[i])]
    latency, message, byte = (normal[i][3] / normal[i][i] for i in range(3))
    predict = lambda n, size, turns, bandwidth: sum(
        term * cost for term, cost in zip(terms(n, size, turns), (max(latency, 0), max(message, 0), max(byte, 1 / bandwidth))))
    note(table="fit", latency=latency, message=message, byte=byte)
    print(f"\nFitted to {len(measured)} exchanges over TCP on {cores} cores: {latency * 1e6:.0f} µs a hop, {message * 1e6:.1f} µs a message, "
          f"{1e-9 / byte:.2f} GB/s a core")
    table("The exchange, measured and by the model", ("workers", "MB", "measured ms", "model ms"),
          [(n, f"{size / 1e6:.0f}", f"{t * 1e3:.1f}", f"{predict(n, size, max(1, n / cores), 1e15) * 1e3:.1f}") for n, size, t in measured])
    gradient = 44e6
    table(f"One worker a host, {gradient / 1e6:.0f} MB (all-MiniLM-L6-v2 without its word table), predicted ms",
          ("hosts", "10 Gb/s", "25 Gb/s", "100 Gb/s"),
          [(n, *(f"{predict(n, gradient, 1, gigabits * 1e9 / 8) * 1e3:.1f}" for gigabits in (10, 25, 100))) for n in (2 ** k for k in range(1, 11))])


try:
    for name in options.tables:
        print(f"table {name}", file=sys.stderr, flush=True)
        grow(name)
finally:
    shutil.rmtree(work, ignore_errors=True)
