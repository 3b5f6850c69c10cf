"""Compares the hub's cache of Apus with that of huggingface_hub: check_hub.py [--apus PROGRAM].

A local server stands for the hub. Python loads what Apus downloaded and Apus what Python downloaded, both without the
server; both download at the same time; scan_cache_dir finds no damage. Needs huggingface_hub, and Transformers for
from_pretrained (Benchmarks/peers/setup.sh). Exit status 1 if anything differs.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile

root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
parser = argparse.ArgumentParser()
parser.add_argument("--apus", default=os.path.join(root, ".build/release/apus"))
parser.add_argument("--model", default=os.path.expanduser("~/.cache/apus/models/all-MiniLM-L6-v2"))
arguments = parser.parse_args()

NAME = "org/model"
DOWNLOAD = "import sys, huggingface_hub as h; print(h.snapshot_download(sys.argv[1]))"
OFFLINE = """
import sys, huggingface_hub as h
from transformers import AutoModel, AutoTokenizer
folder = h.snapshot_download(sys.argv[1], local_files_only=True)
model, tokenizer = AutoModel.from_pretrained(sys.argv[1]), AutoTokenizer.from_pretrained(sys.argv[1])
assert tokenizer("a quiet film")["input_ids"]
found = h.scan_cache_dir()
assert not found.warnings, found.warnings
repositories = [(r.repo_id, sorted(f.file_name for v in r.revisions for f in v.files)) for r in found.repos]
print(folder, repositories)
"""


def step(what, command, environment, expect=0):
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    good = done.returncode == expect
    print(("ok    " if good else "WRONG ") + what)
    if not good:
        print(done.stdout[-2000:], done.stderr[-4000:], sep="\n")
        sys.exit(1)
    return done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""


with tempfile.TemporaryDirectory() as folder:
    shutil.copytree(arguments.model, f"{folder}/models/{NAME}")
    server = subprocess.Popen([sys.executable, f"{root}/Tests/Fixtures/hub/hub_server.py", f"{folder}/models"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    port = server.stdout.readline().strip()
    try:
        def environment(cache, offline=False):
            kept = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUGGING", "TRANSFORMERS_"))}
            return {**kept, "HF_ENDPOINT": f"http://127.0.0.1:{port}", "HF_HOME": f"{folder}/{cache}", "HF_HUB_DISABLE_XET": "1",
                    "HF_HUB_OFFLINE": "1" if offline else "0"}

        def data(name):
            path = f"{folder}/{name}"
            with open(path, "w") as file:
                file.write("text\tlabel\n" + "a quiet film\t1\na loud one\t0\n" * 8)
            return path

        python = [sys.executable, "-c"]
        path = step("Apus downloads", [arguments.apus, "download", NAME], environment("a"))
        told = step("Python loads it offline, and its scan finds no damage", [*python, OFFLINE, NAME], environment("a", offline=True))
        if not told.startswith(path + " "):
            sys.exit(f"WRONG other folders: {path}, {told}")
        step("Apus trains on it offline", [arguments.apus, "train", "--model", NAME, "--train", data("t.tsv"), "--max-steps", "2",
                                           "--batch-size", "4", "--output", f"{folder}/run"], environment("a", offline=True))

        path = step("Python downloads", [*python, DOWNLOAD, NAME], environment("b"))
        found = step("Apus finds it offline", [arguments.apus, "download", NAME], environment("b", offline=True))
        if path != found:
            sys.exit(f"WRONG other folders: {path}, {found}")
        step("Apus asks the hub and downloads nothing again", [arguments.apus, "download", NAME], environment("b"))
        step("Python's scan finds no damage", [*python, OFFLINE, NAME], environment("b", offline=True))

        for trial in range(4):
            together = [subprocess.Popen(command, env=environment(f"c{trial}"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                        for command in [[arguments.apus, "download", NAME], [*python, DOWNLOAD, NAME]] * 2]
            said = [process.communicate()[1].decode(errors="replace")[-600:] for process in together]
            ends = [process.returncode for process in together]
            if any(ends):
                sys.exit(f"WRONG together: {ends}\n" + "\n".join(text for text, end in zip(said, ends) if end))
            step(f"four at once, round {trial + 1}", [*python, OFFLINE, NAME], environment(f"c{trial}", offline=True))
            left = [name for _, _, names in os.walk(f"{folder}/c{trial}/hub") for name in names if "incomplete" in name or "partial" in name]
            if left:
                sys.exit(f"WRONG left behind: {left}")
    finally:
        server.kill()
print("both read what the other wrote")
