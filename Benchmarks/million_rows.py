"""Times and peak memory of reading many rows: see million-rows.sh."""
import argparse
import gzip
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time

FORMATS = ["jsonl.gz", "jsonl", "tsv", "csv", "conll", "txt"]
CACHE = os.path.expanduser(os.environ.get("APUS_CACHE", "~/.cache/apus"))

parser = argparse.ArgumentParser()
parser.add_argument("--apus", required=True)
parser.add_argument("--rows", type=int, default=1_000_000)
parser.add_argument("--model", default=f"{CACHE}/models/all-MiniLM-L6-v2")
parser.add_argument("formats", nargs="*")
arguments = parser.parse_args()
unknown = [name for name in arguments.formats if name not in FORMATS]
if unknown:
    sys.exit(f"million-rows: found {unknown[0]}, expected one of {' '.join(FORMATS)}")


def texts(count):
    """Texts of 10 to 30 words of the default data, the same ones each time, hardly any of them twice."""
    with open(f"{CACHE}/data/movie-reviews/train.tsv") as file:
        words = [word for line in file.readlines()[1:] for word in line.split("\t")[0].replace('"', "").split()]
    chance = random.Random(7)
    for row in range(count):
        yield " ".join(chance.choices(words, k=chance.randint(10, 30))), row % 2


def write(path, form, rows):
    raw = open(path, "w") if not form.endswith(".gz") else gzip.open(path, "wt", compresslevel=6)
    with raw as file:
        if form in ("tsv", "csv"):
            file.write("sentence\tlabel\n" if form == "tsv" else "sentence,label\n")
        for text, label in rows:
            if form.startswith("jsonl"):
                file.write(json.dumps({"sentence": text, "label": label}) + "\n")
            elif form == "tsv":
                file.write(f"{text}\t{label}\n")
            elif form == "csv":
                file.write(f'"{text}",{label}\n')
            elif form == "txt":
                file.write(text + "\n")
            else:
                file.write("".join(f"{word}\t{'O' if place else 'B-X'}\n" for place, word in enumerate(text.split())) + "\n")


def measure(command, stdin=None):
    """Wall time, processor time, peak resident memory in bytes and what was printed."""
    start = time.monotonic()
    with tempfile.TemporaryFile("w+") as said:
        child = subprocess.Popen(command, stdin=stdin or subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        words = said.read() if stdin is None else ""
    if child.returncode:
        sys.exit(f"million-rows: {' '.join(command)}: status {child.returncode}\n{words[-2000:]}")
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, words


def line(what, figures, note=""):
    wall, processor, memory, _ = figures
    print(f"{what:<28}{wall:8.1f} s wall {processor:8.1f} s processor {memory / 1e6:8.0f} MB at its peak{note}", flush=True)


with tempfile.TemporaryDirectory() as temporary:
    folder = os.environ.get("APUS_MILLION_KEEP", temporary)
    os.makedirs(folder, exist_ok=True)
    few, bare = f"{folder}/few.tsv", f"{folder}/bare-{arguments.rows}.jsonl"
    write(few, "tsv", list(texts(64)))
    if not os.path.exists(bare):
        with open(bare, "w") as file:
            for text, _ in texts(arguments.rows):
                file.write(json.dumps({"text": text}) + "\n")
    size = os.path.getsize(bare)

    def train(path, *more):
        return measure([arguments.apus, "train", "--model", arguments.model, "--train", path, "--validation", "none",
                        "--test", "none", "--max-steps", "1", "--output", f"{temporary}/run-{os.urandom(4).hex()}", *more])

    bottom = train(few)
    line("train, 64 rows", bottom)
    with open(bare) as file:
        tokenized = measure([arguments.apus, "tokenize", "--model", arguments.model], file)
    line("tokenize, all rows", tokenized, f", {size / 1e6 / tokenized[0]:.0f} MB of JSON lines a second")
    for form in arguments.formats or ["jsonl.gz", "tsv", "csv"]:
        path = f"{folder}/rows-{arguments.rows}.{form}"
        if not os.path.exists(path):
            write(path, form, texts(arguments.rows))
        line(f"data, {form}", measure([arguments.apus, "data", path]))
        trained = train(path, *(["--task", "masked-lm"] if form == "txt" else []))
        found = re.search(r"(\d+) samples of .*?, ([0-9.]+) tokens on average", trained[3])
        rows, mean = int(found.group(1)), float(found.group(2))
        # Kept: 4 bytes a token; a sample's offset, length, class.
        kept = rows * (4 * mean + 16)
        line(f"train, {form}", trained, f", {(trained[2] - bottom[2]) / kept:.1f} times the tokens' {kept / 1e6:.0f} MB"
             f" above the run of 64 rows")
