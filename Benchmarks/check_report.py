#!/usr/bin/env python3
"""Opens reports of runs in headless Chromium: phone and desktop, light and dark, with texts that mean something to a browser.

    Benchmarks/check_report.py [APUS] [SCREENS]     # SCREENS: a folder for the four screens of the first report

Trains the tests' small model on such texts, and looks at what the browser made of the page: no error in the console, no element that
the page did not draw itself, the figures of summary.json. Skips with a message if there is no Chromium (apt-get install chromium).
"""
import html, json, os, pathlib, re, shutil, subprocess, sys, tempfile

root = pathlib.Path(__file__).resolve().parent.parent
apus = sys.argv[1] if len(sys.argv) > 1 else str(root / ".build/release/apus")
screens = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
if browser is None:
    print("check_report: found no Chromium, nothing was checked")
    sys.exit(0)

hostile = [
    "</script><script>document.title='broken'</script>", "<img src=x onerror=document.title='broken'>", "<!--<script>", "\u202etxt.exe", "\u2028\u2029",
    "\x1b[2J", "<svg onload=document.title='broken'>", "{{7*7}} ${7*7}", "<b>" * 100_000,
]


def open_page(page, *flags):
    """The page's elements after its script ran, and what the console said."""
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--virtual-time-budget=3000", *flags, page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def check(condition, problem):
    if not condition:
        print(f"check_report: {problem}")
        sys.exit(1)


with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    model = folder / "model"
    model.mkdir()
    for name in ("config.json", "model.safetensors"):
        shutil.copy(root / "Tests/Fixtures/golden/classify" / name, model)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + [f"w{index}" for index in range(206)]
    (model / "vocab.txt").write_text("\n".join(words) + "\n")
    labels = ["<i>bad</i>", "good", "'\"`"]
    rows = [dict(text=f"w{index} {hostile[index % len(hostile)]}", label=labels[index % 3]) for index in range(30)]
    (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    data = str(folder / "data.jsonl")
    run = folder / "run <b>"
    options = ["--model", str(model), "--train", data, "--validation", data, "--test", data, "--epochs", "3", "--batch-size", "8", "--lanes", "2"]
    subprocess.run([apus, "train", *options, "--max-length", "20", "--output", str(run)], check=True, stdout=subprocess.DEVNULL)
    page = run / "report.html"
    for width in (390, 1400):
        for name, flags in (("light", []), ("dark", ["--blink-settings=preferredColorScheme=0"])):
            size = [f"--window-size={width},3000", "--hide-scrollbars", *flags]
            elements, console = open_page(page, "--dump-dom", *size)
            check(not console, f"the console says at {width} pixels, {name}: {console[:3]}")
            check("<title>broken" not in elements, "a text of the data ran as a script")
            body = re.sub(r"<(script|style)\b.*?</\1>", "", elements, flags=re.S)
            check(not re.search(r"<(img|i|b)\b", body), "a text of the data became an element")
            check(body.count("<svg") >= 6, f"found {body.count('<svg')} charts at {width} pixels, expected 6 or more")
            shown = html.unescape(body)
            summary = json.loads((run / "summary.json").read_text())
            check(summary["parameters_sha256"] in shown, "the SHA-256 of summary.json is not on the page")
            check(f"{summary['test']['accuracy']:.4f}" in shown, "the accuracy of summary.json is not on the page")
            check(labels[0] in shown and hostile[0] in shown, "a label or a text is not on the page as it is")
            if screens:
                screens.mkdir(exist_ok=True)
                open_page(page, f"--screenshot={(screens / f'report-{width}-{name}.png').resolve()}", *size)
print("check_report: four views, no error in the console, every text as text")
