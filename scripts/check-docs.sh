#!/usr/bin/env bash
# What the documents name is there: linked files, headings behind #, source files, options and commands of apus; so are
# the symbols that comments of the code link.
#
#     scripts/check-docs.sh [APUS]      # default: .build/release/apus
#
# Prints FILE:LINE: TEXT for each that is not; exit status 1 then. Takes a few seconds and no network.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
apus=${1:-.build/release/apus}
if [[ ! -x $apus ]]; then
    printf 'check-docs: %s is not there: build it first, or name the program\n' "$apus" >&2
    exit 2
fi
exec python3 - "$(realpath -- "$apus")" <<'PYTHON'
import glob, os, re, subprocess, sys

apus = sys.argv[1]
documents = sorted(
    glob.glob("*.md") + glob.glob("docs/**/*.md", recursive=True) + glob.glob("*/README.md")
    + glob.glob("Sources/**/*.md", recursive=True))
found = []


def complain(name, number, text):
    found.append(f"{name}:{number}: {text}")


def options(command):
    answer = subprocess.run([apus, *command, "--help-hidden"], capture_output=True, text=True).stdout
    return set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", answer)) | {"--help", "--help-hidden", "--version"}


help_text = subprocess.run([apus, "--help"], capture_output=True, text=True).stdout
commands = re.findall(r"^  ([a-z]+) {2,}\S", help_text.split("SUBCOMMANDS:")[1], re.M)
known = {command: options([command]) for command in commands}
known["launch.sh"] = known["launch"]
everywhere = set().union(*known.values()) | {"--generate-completion-script"}

# Options of other programs, which documents name by themselves: SwiftPM's, Slurm's, curl's.
foreign = set("--filter --sanitize --scratch-path --static-swift-stdlib --traits --signal --no-kill --disable".split())
# These pages have tables of other programs' names, or of versions that are over.
without_options = {"CHANGELOG.md", "docs/options.md", "Benchmarks/README.md"}


# Source files by the ends of their paths: documents leave out the first folders.
sources = [path for folder in ("Sources", "Tests", "Benchmarks") for path in glob.glob(folder + "/**", recursive=True)]


def is_source(path):
    """Whether a source file ends like this; … stands for the beginning of its name, * for any part."""
    end = re.escape(path).replace("…", "[^/]*").replace(r"\*", "[^/]*")
    return any(re.search(f"(^|/){end}$", source) for source in sources)


def slug(heading):
    text = re.sub(r"[`*]|\[|\]\([^)]*\)", "", heading.strip().lower())
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


headings = {}
for name in documents:
    text = re.sub(r"^```.*?^```", "", open(name).read(), flags=re.S | re.M)
    headings[name] = {slug(line) for line in re.findall(r"^#+ (.*)", text, re.M)}


def check_link(name, number, target):
    if re.match(r"[a-z]+:", target):
        return
    path, _, anchor = target.partition("#")
    full = os.path.normpath(os.path.join(os.path.dirname(name), path)) if path else name
    if not os.path.exists(full):
        complain(name, number, f"links {target}, which is not there")
    elif anchor and full in headings and anchor not in headings[full]:
        complain(name, number, f"links {target}, which has no such heading")


def check_command(name, number, line):
    """A line of a shell, or a piece of one, in which apus or launch.sh is called."""
    line = re.split(r"\s#\s|\s#$", line)[0]
    for part in re.split(r"[|;&]+|\$\(", line):
        calls = list(re.finditer(r"(?:^|(?<=[\s/'`]))(?:apus ([a-z]+)|(launch\.sh))\b", part))
        for call, following in zip(calls, calls[1:] + [None]):
            command = call.group(1) or call.group(2)
            arguments = part[call.end():following.start() if following else None]
            if command not in known:
                if command != "help" and re.match(r" +(-|[A-Z])", arguments):
                    complain(name, number, f"apus has no command {command}")
                continue
            # After --, chaos takes the options of launch.
            own, _, rest = arguments.partition(" -- ")
            for text, allowed in ((own, known[command]), (rest, known["launch"])):
                for option in re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", text):
                    if option not in allowed:
                        complain(name, number, f"apus {command} has no option {option}")


def check_options(name, number, text):
    if name in without_options:
        return
    for option in re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", text):
        if option not in everywhere | foreign:
            complain(name, number, f"apus has no option {option}")


for name in documents:
    is_code, is_shell, joined = False, False, ""
    for number, line in enumerate(open(name), 1):
        line = line.rstrip("\n")
        if line.startswith("```"):
            is_code = not is_code
            continue
        if is_code or re.match(r"    \S", line):
            joined += line
            if joined.endswith("\\"):
                joined = joined[:-1]
                continue
            check_command(name, number, joined)
            joined = ""
            continue
        for target in re.findall(r"\]\(([^)\s]+)\)", line):
            check_link(name, number, target)
        for code in re.findall(r"`([^`]+)`", line):
            if re.match(r"(?:\S*/)?apus [a-z]|\S*launch\.sh", code):
                check_command(name, number, code)
            elif code.startswith("--"):
                check_options(name, number, code)
            elif re.fullmatch(r"(Sources|Tests|Benchmarks|scripts|docs|cluster)/[\w./+-]+", code):
                if not os.path.exists(code):
                    complain(name, number, f"names {code}, which is not there")
            elif name != "CHANGELOG.md" and re.fullmatch(r"[\w+…*./-]+\.(swift|c|h)", code) and not is_source(code):
                complain(name, number, f"names {code}, which is not a source file")

# Comments of the code: symbols in double backticks, as DocC has them.
code = {path: open(path).read() for path in sources if path.endswith(".swift")}
bare = "\n".join(re.sub(r'(?m)(?<![:"])//.*', "", text) for text in code.values())
names = set(re.findall(r"[A-Za-z_]\w*", bare)) | set(os.listdir("Sources"))


def signature(parameters):
    """The labels of a list of parameters, such as `_:in:`; an associated value without one has `_`."""
    depth, parts = 0, [""]
    for character in parameters:
        depth += (character in "([{<") - (character in ")]}>")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    labels = []
    for part in filter(None, map(str.strip, parts)):
        label = re.match(r"(?:@\w+(?:\([^)]*\))?\s+)*`?([A-Za-z_]\w*)`?(?:\s+`?\w+`?)?\s*:", part)
        labels.append((label.group(1) if label else "_") + ":")
    return "".join(labels)


def signatures(text):
    text = text.replace("->", "  ")
    for call in re.finditer(r"\b(?:func\s+`?(\w+)`?|(init)[?!]?|case\s+(\w+))\s*(?:<[^>(]*>)?\(", text):
        depth, end = 1, call.end()
        while end < len(text) and depth:
            depth += (text[end] == "(") - (text[end] == ")")
            end += 1
        yield (call.group(1) or call.group(2) or call.group(3)), signature(text[call.end():end - 1])


known_calls = set(signatures(bare))
for path, text in code.items():
    for number, line in enumerate(text.split("\n"), 1):
        for link in re.findall(r"(?<!`)``([\w/():]+)``(?!`)", line.partition("//")[2]):
            for part in link.split("/"):
                name, _, labels = part.rstrip(")").partition("(")
                if name not in names or (labels and (name, labels) not in known_calls):
                    complain(path, number, f"links ``{link}``, which is not in the code")

print("\n".join(found), end="\n" if found else "")
sys.exit(1 if found else 0)
PYTHON
