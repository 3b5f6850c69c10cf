"""A tiny model and data that the scripts of this folder make themselves, and the processes of a run as /proc shows them."""
import os, pathlib, random, shutil, subprocess, sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def program():
    """The release build, made when it is not there; APUS names another."""
    named = os.environ.get("APUS")
    if named:
        return named
    subprocess.run(["swift", "build", "--package-path", ROOT, "--no-color-diagnostics", "-c", "release", "--product", "apus", "--quiet"], check=True, stdout=sys.stderr)
    return str(ROOT / ".build/release/apus")


def make(folder, rows=200):
    """The golden folder's model with a vocabulary, and sentences of 1 to 16 words; the first tells the label."""
    folder = pathlib.Path(folder)
    golden, model = ROOT / "Tests/Fixtures/golden/classify", folder / "model"
    model.mkdir(parents=True)
    for name in ("config.json", "model.safetensors"):
        shutil.copy(golden / name, model / name)
    letters = [chr(97 + n) for n in range(26)]
    words = [a + b for a in "bdfgklmnprs" for b in ("an", "el", "ik", "om", "ur", "ast", "end", "ilt", "ond", "unk", "arm", "irt", "oft", "ule")]
    pieces = (["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + letters + ["##" + l for l in letters] + words)[:211]
    (model / "vocab.txt").write_text("\n".join(pieces) + "\n")
    chance = random.Random(0)
    lines = ["sentence\tlabel"]
    for row in range(rows):
        first = words[row % 3 * 40 + chance.randrange(40)]
        lines.append(" ".join([first] + chance.choices(words, k=chance.randrange(16))) + f"\t{row % 3}")
    (folder / "train.tsv").write_text("\n".join(lines) + "\n")
    return ["--model", str(model), "--train", str(folder / "train.tsv"), "--validation", "none", "--max-length", "20"]


def status(process):
    """Resident kilobytes that belong only to the process, and its open file descriptors; None if it has ended."""
    try:
        fields = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{process}/status").read_text().splitlines() if ":" in line)
        return int(fields["RssAnon"].split()[0]), len(os.listdir(f"/proc/{process}/fd"))
    except (OSError, KeyError):
        return None


def children(process):
    """Its children with the command of apus that each runs."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            stat = pathlib.Path(f"/proc/{name}/stat").read_text()
            words = pathlib.Path(f"/proc/{name}/cmdline").read_text().split("\0")
        except OSError:
            continue
        if int(stat[stat.rindex(")") + 2 :].split()[1]) == process and len(words) > 1:
            found.append((int(name), words[1]))
    return sorted(found)
