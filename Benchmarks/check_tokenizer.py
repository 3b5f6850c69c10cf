#!/usr/bin/env python3
"""Whether `apus tokenize` gives the ids and types of Hugging Face's tokenizers on newly generated lines.

    "$(Benchmarks/peers/setup.sh)/bin/python" Benchmarks/check_tokenizer.py [--seed 1] [--count 1500] [--characters]

For two vocabularies (the default model's, and one that has a token for nearly every character, so that nothing hides behind
[UNK]) and every combination of do_lower_case, strip_accents and tokenize_chinese_chars, COUNT generated lines go through
`apus tokenize` and through BertTokenizerFast, BertTokenizer or, if a folder has only tokenizer.json, Tokenizers.
Half of these have added tokens as well. --characters also sends every code point, alone and within a word: some minutes.
Tests/Fixtures/tokenizers/generate.py --apus compares what the other files of a folder may say.
Exit status 1 when a line differs.
"""
import argparse
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import unicodedata

from tokenizers import AddedToken, Tokenizer
from transformers import BertTokenizer, BertTokenizerFast

root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "apus")
SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--count", type=int, default=1500, help="lines for each tokenizer")
parser.add_argument("--characters", action="store_true", help="also every code point")
parser.add_argument("--vocabulary", default=os.path.join(cache, "models", "all-MiniLM-L6-v2", "vocab.txt"))
parser.add_argument("--apus", default=os.path.join(root, ".build", "release", "apus"))
arguments = parser.parse_args()
draw = random.Random(arguments.seed)

with open(arguments.vocabulary, encoding="utf-8") as file:
    usual = [line.rstrip("\n") for line in file]
words = [piece for piece in usual if piece.isalpha() and len(piece) > 2]


def has_piece(code):
    """Whether the second vocabulary knows a character: all but unassigned, private and ideographic ones."""
    return not (0x3400 <= code < 0xA000 or 0xAC00 <= code < 0xF900 or code >= 0x20000) and unicodedata.category(chr(code)) not in ("Cn", "Co", "Cs")


def every_character():
    letters = [chr(code) for code in range(0x21, 0x110000) if has_piece(code)]
    some = ["\u4e2d", "\u56fd", "\ud55c", "\uae00", "\u3a00", "\U00020001"]
    return SPECIALS + letters + some + ["##" + letter for letter in letters + some] + [word for word in words[:3000] if len(word) < 8]


BLOCKS = [(0x20, 0x7E)] * 5 + [
    (0, 0x1F), (0x7F, 0xA0), (0xA0, 0x24F), (0x250, 0x2FF), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x52F), (0x530, 0x6FF), (0x700, 0x8FF),
    (0x900, 0xDFF), (0xE00, 0xFFF), (0x1000, 0x1CFF), (0x1D00, 0x1DFF), (0x1E00, 0x1EFF), (0x1F00, 0x1FFF), (0x2000, 0x206F),
    (0x2070, 0x2BFF), (0x2C00, 0x2DFF), (0x2E00, 0x2FFF), (0x3000, 0x30FF), (0x3100, 0x33FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF),
    (0xA000, 0xABFF), (0xAC00, 0xD7A3), (0xD7B0, 0xD7FF), (0xE000, 0xF8FF), (0xF900, 0xFAFF), (0xFB00, 0xFDFF), (0xFE00, 0xFE2F),
    (0xFE30, 0xFFFF), (0x10000, 0x10FFF), (0x11000, 0x12FFF), (0x16000, 0x18FFF), (0x1B000, 0x1BFFF), (0x1D000, 0x1D7FF), (0x1E000, 0x1EFFF),
    (0x1F000, 0x1FAFF), (0x20000, 0x2A6DF), (0x2A700, 0x323AF), (0xE0000, 0xE01EF), (0xF0000, 0x10FFFF),
]
MARKS = [chr(code) for code in range(0x300, 0x20000) if unicodedata.category(chr(code)) in ("Mn", "Mc")]
COMPOSED = [chr(code) for code in range(0xC0, 0x30000) if unicodedata.normalize("NFD", chr(code)) != chr(code) and not 0xAC00 <= code <= 0xD7A3]
EMOJI = ["\U0001F44D\U0001F3FD", "\U0001F469\u200D\U0001F469\u200D\U0001F467", "\U0001F1EB\U0001F1F7", "1\uFE0F\u20E3", "\u2764\uFE0F", "\U0001FAE0"]
SPACES = ["", " ", " ", " ", "  ", "\t", "\n", "\r\n", "\u00a0", "\u3000", "\u2009", "\u2028", "\u0085", "\u200b", "\u00ad", "\ufeff", "\u1680", "\u180e", "\x0b", "\x1c"]


def character():
    low, high = draw.choice(BLOCKS)
    return chr(draw.randint(low, high))


def word():
    kind = draw.random()
    if kind < 0.30:
        base = draw.choice(words)
        return draw.choice([base, base.title(), base.upper(), base + draw.choice(words), base + draw.choice("'-.,!?_/")])
    if kind < 0.42:
        return "".join(character() for _ in range(draw.randint(1, 9)))
    if kind < 0.52:  # marks in any order on any letter
        return "".join(draw.choice("aAeEnZ\u00e9\u1ea5\u0130\u03a3\u1112\uac00") + "".join(draw.choice(MARKS) for _ in range(draw.randint(0, 5))) for _ in range(draw.randint(1, 4)))
    if kind < 0.60:
        return "".join(draw.choice(COMPOSED) for _ in range(draw.randint(1, 5)))
    if kind < 0.66:  # about the longest word that is looked up
        unit = draw.choice(["a", "ab", "\u00e9", "\u00c5", "e\u0301", "x\u00ad", "\u01c4", "\U0001d4d0", "\u0130", "1", "\u1112\u1161"])
        return (unit * 120)[:draw.randint(94, 106)]
    if kind < 0.68:
        return draw.choice(words) * draw.randint(10, 400)
    if kind < 0.76:
        special = draw.choice(SPECIALS)
        return draw.choice(["", "x", "[", "\u00e9", "\u0301", "##"]) + draw.choice([special, special, special.lower(), special[:-1], special[1:], special * 2]) + draw.choice(["", "y", "]", "\u0301"])
    if kind < 0.82:
        return draw.choice(EMOJI) * draw.randint(1, 3)
    if kind < 0.84:
        return draw.choice(["caf\u00e9", "CAFE\u0301s", "<e1>", "<E1>x", "New York", "new\u3000york", "\u4e2d\u56fd\u4e2d", "Sing", "ing-ing", "x\u00e9"])
    if kind < 0.88:
        return "".join(chr(draw.randint(0x4E00, 0x9FFF)) if draw.random() < 0.8 else character() for _ in range(draw.randint(1, 6)))
    if kind < 0.94:
        return "".join(draw.choice("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~\u2018\u201d\u2026\u00bf\u00b7\u3002\uff01") for _ in range(draw.randint(1, 5)))
    code = draw.randrange(0x110000 - 0x800)
    return chr(code + 0x800 if code >= 0xD800 else code)


def text():
    return "".join(word() + draw.choice(SPACES) for _ in range(draw.choice([0, 1, 1, 2, 3, 5, 8, 13, 30])))


def lines():
    for _ in range(arguments.count):
        pair = text() if draw.random() < 0.4 else None
        shortest = 2 if pair is None else 3
        yield text(), pair, draw.choice([None, None, None, draw.randint(shortest, 12), draw.randint(shortest, 48), draw.randint(shortest, 130)])
    # Two long texts, and one, cut to every length.
    for length in range(2, 60):
        yield " ".join(draw.choice(words) for _ in range(draw.randint(0, 40))), None, length
        for _ in range(3 if length > 2 else 0):
            yield (*(" ".join(draw.choice(words) for _ in range(draw.randint(0, 40))) for _ in range(2)), length)


def every_code_point():
    for code in itertools.chain(range(0xD800), range(0xE000, 0x110000)):
        yield f"{chr(code)} a{chr(code)}b", None, None


def answers(folder, cases):
    process = subprocess.Popen([arguments.apus, "tokenize", "--model", folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    lines = [json.dumps(dict(text=text, pair=pair, max_length=length), ensure_ascii=draw.random() < 0.5) for text, pair, length in cases]
    out, _ = process.communicate("".join(line + "\n" for line in lines).encode("utf-8"))
    found = [json.loads(line) for line in out.splitlines()]
    if process.returncode != 0 or len(found) != len(cases):
        sys.exit(f"apus tokenize ended with {process.returncode} after {len(found)} of {len(cases)} lines ({folder})")
    return found


def reference(tokenizer, text, pair, length):
    if isinstance(tokenizer, Tokenizer):
        if length is None:
            tokenizer.no_truncation()
        else:
            tokenizer.enable_truncation(length, strategy="longest_first")
        encoding = tokenizer.encode(text, pair) if pair is not None else tokenizer.encode(text)
        return encoding.ids, encoding.type_ids
    # As a list: called with a text alone, Transformers takes an empty second text for none.
    encoding = tokenizer([text], None if pair is None else [pair], truncation=length is not None, max_length=length)
    return encoding["input_ids"][0], encoding["token_type_ids"][0]


def folders(work):
    """Model folders with a tokenizer each, and what reads it in Hugging Face's libraries."""
    options = list(itertools.product([True, False], [None, True, False], [True, False]))
    for (name, pieces), (lower, strip, chinese) in itertools.product((("usual", usual), ("every-character", every_character())), options):
        folder = os.path.join(work, f"{name}-lower-{lower}-strip-{strip}-chinese-{chinese}")
        os.mkdir(folder)
        with open(os.path.join(folder, "vocab.txt"), "w", encoding="utf-8") as file:
            file.write("".join(piece + "\n" for piece in pieces))
        settings = dict(tokenizer_class="BertTokenizer", do_lower_case=lower, strip_accents=strip, tokenize_chinese_chars=chinese)
        with open(os.path.join(folder, "tokenizer_config.json"), "w") as file:
            json.dump(settings, file)
        tokenizer = draw.choice([BertTokenizer, BertTokenizerFast]).from_pretrained(folder)
        yield folder, tokenizer
        alone = folder + "-json"
        os.mkdir(alone)
        # The class that takes a tokenizer.json as it is; BertTokenizer would follow its own settings.
        with open(os.path.join(alone, "tokenizer_config.json"), "w") as file:
            json.dump(dict(tokenizer_class="PreTrainedTokenizerFast", model_input_names=["input_ids", "token_type_ids"]), file)
        path = os.path.join(alone, "tokenizer.json")
        if draw.random() < 0.5:
            tokenizer.add_tokens([
                AddedToken(content, normalized=draw.random() < 0.7)
                for content in ["Caf\u00e9", "<E1>", "new york", "\u4e2d\u56fd", "ing", "e\u0301", "-", draw.choice(words), draw.choice(words).upper()]])
        tokenizer.backend_tokenizer.save(path)
        yield alone, Tokenizer.from_file(path)


different = total = 0
with tempfile.TemporaryDirectory() as work:
    for folder, tokenizer in folders(work):
        cases = list(lines())
        if arguments.characters and "every-character" in folder and folder.endswith(("strip-None-chinese-True", "strip-False-chinese-True")):
            cases += every_code_point()
        shown = 0
        for case, answer in zip(cases, answers(folder, cases)):
            ids, types = reference(tokenizer, *case)
            total += 1
            if answer["ids"] != ids or answer["types"] != types:
                different += 1
                shown += 1
                if shown <= 5:
                    at = next((place for place, (a, b) in enumerate(zip(answer["ids"], ids)) if a != b), min(len(ids), len(answer["ids"])))
                    print(f"{os.path.basename(folder)}: {ascii(case)[:300]}: apus {answer['ids'][at:at + 5]}, expected {ids[at:at + 5]} at {at}", file=sys.stderr)
print(json.dumps({"lines": total, "different": different, "seed": arguments.seed}))
sys.exit(1 if different else 0)
