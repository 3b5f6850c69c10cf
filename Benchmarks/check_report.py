#!/usr/bin/env python3
"""Opens a run's report and its live page in headless Chromium: phone and desktop, light and dark, with hostile texts in every field.

    Benchmarks/check_report.py [APUS] [SCREENS]     # SCREENS: a folder for a screenshot of each view

Trains the tests' small model on such texts, and looks at what the browser made of the pages: no error in the console, no element that
the page did not draw itself, no request to anywhere else, the figures of summary.json; and how long a report of 100,000 steps takes.
Without Chromium (apt-get install chromium) nothing is checked: it says SKIPPED and ends with status 77.
"""
import json, math, pathlib, re, shutil, subprocess, sys, tempfile, time

from browser import Browser

root = pathlib.Path(__file__).resolve().parent.parent
apus = sys.argv[1] if len(sys.argv) > 1 else str(root / ".build/release/apus")
screens = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
browser_path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
if browser_path is None:
    print("SKIPPED: check_report found no Chromium, nothing was checked: apt-get install chromium", file=sys.stderr)
    sys.exit(77)

hostile = [
    "</script><script>document.title='broken'</script>", "<img src=http://127.0.0.1:9/x onerror=document.title='broken'>", "<!--<script>",
    "\u202etxt.exe\u2066", "\u2028\u2029", "\x1b[2J\x1b]0;broken\x07", "<svg onload=document.title='broken'>", "{{7*7}} ${7*7}",
    "<style>*{display:none}</style>", "javascript:alert(1)", "--- !!python/object:os", "=cmd|'/C calc'!A0", "\ufeff\u0000\ud7ff", "<b>" * 350_000,
]
views = [(width, dark) for width in (390, 1400) for dark in (False, True)]
drawn = "document.querySelectorAll('svg path').length >= 6"
colors = {}


def check(condition, problem):
    if not condition:
        sys.exit(f"check_report: {problem}")


def check_page(browser, address, name, expected, ready=drawn):
    """Opens a page in all views; `expected`: texts that must be on it as they are; `ready`: when it can be looked at."""
    for width, dark in views:
        view = f"{name}-{width}-{'dark' if dark else 'light'}"
        page = browser.open(address, width, dark)
        page.wait(ready)
        check(not page.said, f"{view}: the console says {page.said[:3]}")
        strangers = [url for url in page.requests if not url.startswith((address.split("?")[0].rsplit("/", 1)[0], "about:"))]
        check(not strangers, f"{view}: asked for {strangers[:3]}")
        check(page.value("document.title") != "broken" and page.value("typeof window.broken") == "undefined", f"{view}: a text ran as a script")
        names = page.value("[...new Set([...document.querySelectorAll('body *')].map((one) => one.localName))]")
        check(set(names) <= known, f"{view}: a text became an element: {sorted(set(names) - known)}")
        check(page.value("document.documentElement.scrollWidth <= innerWidth"), f"{view}: the page is wider than its window")
        shown = page.value("document.body.textContent")
        for text in expected:
            check(text in shown, f"{view}: not on the page as it is: {text[:80]!r}")
        colors[dark] = page.value("getComputedStyle(document.body).backgroundColor")
        if screens:
            screens.mkdir(exist_ok=True)
            page.screenshot(screens / f"{view}.png")
        page.close()
    check(colors[False] != colors[True], f"{name}: light and dark look the same")


known = set("p main h1 h2 h3 div section span svg line text title path polygon circle table thead tbody tr th td dl dt dd pre script progress".split())


def train(folder):
    model = folder / "model"
    model.mkdir()
    for name in ("config.json", "model.safetensors"):
        shutil.copy(root / "Tests/Fixtures/golden/classify" / name, model)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + [f"w{index}" for index in range(206)]
    (model / "vocab.txt").write_text("\n".join(words) + "\n")
    labels = ["<i>bad</i>", "good\x1b[2J", "'\"`</script>"]
    rows = [dict(text=f"w{index} {hostile[index % len(hostile)]}", label=labels[index % 3]) for index in range(42)]
    data = folder / "data <img src=x>.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    run = folder / "run <b>\u202e"
    options = ["--model", str(model), "--train", str(data), "--validation", str(data), "--test", str(data), "--epochs", "3", "--batch-size", "8", "--lanes", "2"]
    said = subprocess.run([apus, "train", *options, "--max-length", "20", "--output", str(run)], check=True, capture_output=True).stdout
    check(not re.search(rb"[\x00-\x09\x0b-\x1f]|\xe2\x80\xae", said), "the terminal got a control character of the data")
    return run, labels


class Served:
    """A run's page, live, by `apus watch --serve`."""

    def __init__(self, run):
        self.run = run

    def __enter__(self):
        self.process = subprocess.Popen([apus, "watch", "--serve", str(self.run)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        return re.search(r"http://\S+", self.process.stdout.readline()).group(0)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def add_hostile_events(run):
    """Hostile names, reasons and log lines."""
    with open(run / "metrics.jsonl", "a") as file:
        for text in hostile:
            workers = [dict(rank=rank, host=text, lanes=2, first_lane=2 * rank, threads=1) for rank in range(2)]
            for event in (dict(event="generation", generation=3, after_step=4, workers=workers),
                          dict(event="generation_end", generation=3, after_step=4, reason=text, lost=[1]),
                          dict(event="evaluation", step=5, split="validation", loss=1.0, samples=4, **{text[:50]: 0.5})):
                file.write(json.dumps(event) + "\n")
        file.write(json.dumps(dict(event="generation", generation=4, after_step=4, workers=[
            dict(rank=rank, host=hostile[rank], lanes=2, first_lane=2 * rank, threads=1) for rank in range(3)])) + "\n")
        file.write('{"event":"step","lo')
    with open(run / "log.txt", "a") as file:
        for text in hostile:
            file.write(text + "\n")


def check_long_run(browser, folder):
    run = folder / "long"
    run.mkdir()
    with open(run / "metrics.jsonl", "w") as file:
        for step in range(1, 100_001):
            event = dict(event="step", step=step, epoch=1 + step // 1_000, loss=math.exp(-step / 4e4), learning_rate=1e-5, gradient_norm=1.5,
                         samples=32, tokens=900, seconds=0.1, workers=[dict(rank=0), dict(rank=1)])
            file.write(json.dumps(event) + "\n")
            if step % 1_000 == 0:
                file.write(json.dumps(dict(event="evaluation", step=step, epoch=step // 1_000, split="validation", loss=1 / step, samples=9)) + "\n")
    begun = time.monotonic()
    subprocess.run([apus, "report", str(run)], check=True, stdout=subprocess.DEVNULL)
    written = time.monotonic() - begun
    page = run / "report.html"
    check(page.stat().st_size < 3_000_000, f"a report of 100,000 steps has {page.stat().st_size} bytes")
    begun = time.monotonic()
    shown = browser.open(page.as_uri(), 1400, False)
    shown.wait(drawn)
    opened = time.monotonic() - begun
    shown.close()
    print(f"check_report: 100,000 steps: {page.stat().st_size / 1e6:.2f} MB, written in {written:.1f} s, opened in {opened:.2f} s")
    check(opened < 2, f"a report of 100,000 steps took {opened:.1f} s to open")


def check_live(browser, folder, run):
    """A page that is open while its run goes on: figures right without a reload, values under the pointer kept."""
    lines = (run / "metrics.jsonl").read_text().splitlines(keepends=True)
    growing = folder / "growing"
    growing.mkdir()
    shutil.copy(run / "config.yaml", growing)
    (growing / "metrics.jsonl").write_text("".join(lines[:4]))
    with Served(growing) as address:
        page = browser.open(address, 1400, False)
        page.wait("document.querySelectorAll('svg path').length >= 3")
        for count in range(5, len(lines) + 1):
            with open(growing / "metrics.jsonl", "a") as file:
                file.write(lines[count - 1])
            if '"event":"step"' in lines[count - 1]:
                step = json.loads(lines[count - 1])
                page.wait(f"contents.runs[0].steps.step.at(-1) === {step['step']}")
        steps = [event for event in map(json.loads, lines) if event["event"] == "step"]
        for key in ("loss", "gradient_norm", "learning_rate"):
            values = page.value(f"contents.runs[0].steps.{key}")
            check(len(values) == len(steps) and all(abs(own - step[key]) <= 1e-6 * abs(step[key]) for own, step in zip(values, steps)), f"{key} of the live page")
        check(not page.said, f"live: the console says {page.said[:3]}")
        page.close()


with tempfile.TemporaryDirectory() as folder, Browser(browser_path) as browser:
    folder = pathlib.Path(folder)
    run, labels = train(folder)
    summary = json.loads((run / "summary.json").read_text())
    expected = [summary["parameters_sha256"], f"{summary['test']['accuracy']:.4f}", labels[0], hostile[0]]
    check_page(browser, (run / "report.html").as_uri(), "report", expected)
    check_live(browser, folder, run)
    with Served(run) as address:
        check_page(browser, address, "live", expected)
        add_hostile_events(run)
        check_page(browser, address, "hostile", [*expected, hostile[1]], "document.body.textContent.includes('generation 3 ended')")
    shown = subprocess.run([apus, "watch", str(run)], check=True, capture_output=True).stdout
    check(not re.search(rb"[\x00-\x09\x0b-\x1f]|\xe2\x80\xae", shown), "the terminal got a control character of the run's files")
    check_long_run(browser, folder)
print("check_report: report, live page and hostile files in four views each: no error in the console, every text as text")
