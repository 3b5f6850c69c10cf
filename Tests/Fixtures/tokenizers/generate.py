#!/usr/bin/env python3
"""Token ids of Transformers' AutoTokenizer for model folders whose tokenizer files say things in every way that they may.

    "$(Benchmarks/peers/setup.sh)/bin/python" Tests/Fixtures/tokenizers/generate.py --out Tests/Fixtures/tokenizers/folders.jsonl
    "$(Benchmarks/peers/setup.sh)/bin/python" Tests/Fixtures/tokenizers/generate.py --seed 7 --count 400 --apus .build/release/apus

With --out the first line holds the vocabulary, the texts and the version of Transformers; each other line a folder: its files, in which
"@VOCABULARY@" stands for the vocabulary, and the ids of every text. With --apus the same folders go through `apus tokenize`: exit
status 1 where an id differs. A folder that Transformers itself cannot read is passed over.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")
os.environ["TRANSFORMERS_VERBOSITY"] = "critical"
import transformers  # noqa: E402
from transformers import AutoTokenizer  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--count", type=int, default=110, help="folders drawn, beside those that are written down here")
parser.add_argument("--out")
parser.add_argument("--apus")
arguments = parser.parse_args()
draw = random.Random(arguments.seed)

SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
VOCABULARY = SPECIALS + list("abcdehilmnorstvwHCE") + ["é", "É", "中", "国", ".", ",", "-", "[", "]", "<", ">", "\x07"] + [
    "##" + letter for letter in "abcdehilmnorstvwHCE"] + ["##é", "##中", "##国"] + [
    "hello", "Hello", "world", "cafe", "café", "Café", "the", "movie", "##er", "block", "##bust", "new", "mask", "<e1>", "e1"]
TEXTS = [
    "", "hello world", "Hello CAFÉ movies.", "the café 中国 movie", "blockbuster Blockbuster", "new movie new\tmovie new  movie", "[MASK] hello[MASK]",
    "[mask] <mask> <MASK>", "<e1>hello <E1> x<e1>", "Ce\u0301 e\u0301", "hel\x07lo \x07 wor\u200bld", "中hello国", "[CLS] the [SEP] [PAD][UNK]", "hello\u00a0world\x0bnew",
    "café-world, hello", "newmovie newer news", "cafe Cafe CAFE", "hellohello movie", "<s>the</s>", "the. movie"]
# No two that are the same once they are normalized: which of them Tokenizers takes differs from run to run.
ADDED = ["blockbuster", "new movie", "Café", "<e1>", "<mask>", "hello", "movie", "中国", "<s>", "</s>", "er"]


def token(text, **flags):
    return dict(content=text, **{key: value for key, value in flags.items() if value is not None})


def whole(text, normalized, special):
    return dict(content=text, lstrip=False, normalized=normalized, rstrip=False, single_word=False, special=special)


def file_of(added=(), lowercase=True, accents=None, chinese=True, clean=True, normalizer=True, prefix="##", longest=100, post="template", specials=True):
    """A tokenizer.json; `added` are (text, normalized, special)."""
    listed = [(text, False, True) for text in SPECIALS] if specials else []
    tokens, ids, following = [], {text: place for place, text in enumerate(VOCABULARY)}, len(VOCABULARY)
    for text, normalized, special in listed + [entry for entry in added if entry[0] not in SPECIALS or not specials]:
        if text not in ids:
            ids[text] = following
            following += 1
        tokens.append(dict(id=ids[text], **whole(text, normalized, special)))
    tokens.sort(key=lambda entry: entry["id"])
    name = lambda text, kind: {"SpecialToken": {"id": text, "type_id": kind}}  # noqa: E731
    single = [name("[CLS]", 0), {"Sequence": {"id": "A", "type_id": 0}}, name("[SEP]", 0)]
    template = dict(type="TemplateProcessing", single=single, pair=single + [{"Sequence": {"id": "B", "type_id": 1}}, name("[SEP]", 1)], special_tokens={
        text: dict(id=text, ids=[ids[text]], tokens=[text]) for text in ("[CLS]", "[SEP]")})
    processors = dict(template=template, bert=dict(type="BertProcessing", sep=["[SEP]", 3], cls=["[CLS]", 2]), none=None)
    return json.dumps(dict(
        version="1.0", truncation=None, padding=None, added_tokens=tokens,
        normalizer=dict(type="BertNormalizer", clean_text=clean, handle_chinese_chars=chinese, strip_accents=accents, lowercase=lowercase) if normalizer else None,
        pre_tokenizer=dict(type="BertPreTokenizer"), post_processor=processors[post], decoder=dict(type="WordPiece", prefix="##", cleanup=True),
        model=dict(type="WordPiece", unk_token="[UNK]", continuing_subword_prefix=prefix, max_input_chars_per_word=longest, vocab="@VOCABULARY@"),
    ), ensure_ascii=False).replace('"@VOCABULARY@"', "@VOCABULARY@")


def changed(text, **parts):
    """A tokenizer.json with other parts."""
    return json.dumps({**json.loads(text.replace("@VOCABULARY@", '"@VOCABULARY@"')), **parts}, ensure_ascii=False).replace('"@VOCABULARY@"', "@VOCABULARY@")


BERT = json.dumps(dict(model_type="bert"))
LISTED = {str(place): whole(text, False, True) for place, text in enumerate(SPECIALS)}


def written():
    """Folders as people's reports describe them."""
    config, fast = {"tokenizer_class": "BertTokenizer"}, {"tokenizer_class": "PreTrainedTokenizerFast"}
    text = {"vocab.txt": "@VOCABULARY@"}
    yield text
    yield {**text, "added_tokens.json": {"blockbuster": len(VOCABULARY)}, "tokenizer_config.json": config}
    yield {**text, "added_tokens.json": {"new movie": len(VOCABULARY) + 1, "blockbuster": len(VOCABULARY)}}
    yield {**text, "added_tokens.json": {"<mask>": len(VOCABULARY)}, "special_tokens_map.json": {"mask_token": "<mask>"}}
    yield {**text, "special_tokens_map.json": {"mask_token": "<mask>"}, "tokenizer_config.json": {"mask_token": "[MASK]"}}
    yield {**text, "special_tokens_map.json": {"mask_token": "<mask>"}, "tokenizer_config.json": {"mask_token": "[MASK]", "added_tokens_decoder": LISTED}}
    yield {**text, "tokenizer_config.json": {"added_tokens_decoder": {**LISTED, str(len(VOCABULARY)): whole("blockbuster", True, False)}}, "added_tokens.json": {"new movie": 150}}
    yield {**text, "tokenizer_config.json": {"added_tokens_decoder": {**LISTED, "900": whole("<s>", False, True)}}}
    yield {**text, "tokenizer_config.json": {"do_lower_case": False, "mask_token": {"__type": "AddedToken", **whole("[MASK]", True, False)}}}
    yield {**text, "tokenizer_config.json": {"mask_token": {"__type": "AddedToken", **whole("[MASK]", True, False)}}}
    yield {**text, "tokenizer_config.json": {"additional_special_tokens": ["<e1>", "<s>"]}}
    yield {**text, "tokenizer_config.json": {"extra_special_tokens": {"image_token": "<s>", "start_token": "<e1>"}}}
    yield {**text, "special_tokens_map.json": {"additional_special_tokens": ["<e1>"], "cls_token": token("[CLS]", normalized=True, lstrip=False)}}
    yield {**text, "config.json": json.dumps(dict(model_type="bert", tokenizer_class="DistilBertTokenizer"))}
    yield {"vocab.txt": "\n".join(piece for piece in VOCABULARY if piece not in ("[PAD]", "[MASK]")) + "\n"}
    # A token twice: the last place counts, and the first added token shares an id.
    yield {"vocab.txt": "@VOCABULARY@hello\n", "added_tokens.json": {"blockbuster": len(VOCABULARY) + 1}}
    for name in ("BertTokenizerFast", "PreTrainedTokenizer", "TokenizersBackend", "ElectraTokenizer", "RetriBertTokenizer"):
        yield {"tokenizer.json": file_of(lowercase=False), "tokenizer_config.json": {"tokenizer_class": name}}
    for name in ("BertTokenizer", "PreTrainedTokenizerFast"):
        own = {"tokenizer_class": name}
        for settings in (dict(lowercase=False), dict(accents=False), dict(chinese=False), dict(normalizer=False), dict(clean=False), dict(longest=4)):
            yield {"tokenizer.json": file_of(**settings), "tokenizer_config.json": own}
        yield {"tokenizer.json": file_of(), "tokenizer_config.json": {**own, "do_lower_case": False}}
        yield {"tokenizer.json": file_of(added=[("blockbuster", True, False), ("<s>", False, True)]), "tokenizer_config.json": own}
        yield {"tokenizer.json": file_of(added=[("blockbuster", True, False)]), "tokenizer_config.json": {**own, "added_tokens_decoder": LISTED}}
        yield {"tokenizer.json": file_of(specials=False), "tokenizer_config.json": own}
        yield {"tokenizer.json": file_of(post="bert"), "tokenizer_config.json": {**own, "mask_token": "<mask>"}}
    yield {"tokenizer.json": file_of(lowercase=False)}
    yield {"tokenizer.json": file_of(lowercase=False), "config.json": json.dumps(dict(model_type="bert", tokenizer_class="PreTrainedTokenizerFast"))}
    yield {"tokenizer.json": file_of(normalizer=False), **text, "tokenizer_config.json": fast, "special_tokens_map.json": {"mask_token": token("<mask>", lstrip=True, normalized=False)}}
    yield {"tokenizer.json": file_of(post="none"), "tokenizer_config.json": config}


    # What a null stands for; BertTokenizer then begins and ends a text with tokens 2 and 3.
    for key in ("mask_token", "pad_token", "cls_token", "sep_token"):
        yield {**text, "tokenizer_config.json": {key: None}}
        yield {**text, "tokenizer_config.json": {key: "<mask>"}, "special_tokens_map.json": {key: None}}
        yield {**text, "tokenizer_config.json": {key: None, "added_tokens_decoder": LISTED}}
        yield {"tokenizer.json": file_of(specials=False), "tokenizer_config.json": {**config, key: None}}
    yield {**text, "tokenizer_config.json": {"mask_token": None}, "special_tokens_map.json": {"mask_token": "<mask>"}}
    # Chinese characters get spaces around them, which a normalized token may begin and end with.
    yield {**text, "added_tokens.json": {" hello ": len(VOCABULARY), "\u56fd ": len(VOCABULARY) + 1}}
    yield {**text, "added_tokens.json": {"\u4e2d": len(VOCABULARY), "hello\u56fd": len(VOCABULARY) + 1, "e": len(VOCABULARY) + 2}}
    yield {"vocab.txt": "\ufeff@VOCABULARY@"}
    yield {**text, "tokenizer_config.json": {
        "mask_token": {"__type": "AddedToken", **whole("<mask>", True, True)}, "additional_special_tokens": ["</s>", "<mask>"], "added_tokens_decoder": LISTED}}
    for normalized in (False, True):
        single = {**whole("movie", normalized, False), "single_word": True}
        short = {**whole("hel", normalized, False), "single_word": True}
        listed = {**LISTED, str(VOCABULARY.index("movie")): single, str(len(VOCABULARY)): short, str(len(VOCABULARY) + 1): whole("el", normalized, False)}
        yield {**text, "tokenizer_config.json": {"added_tokens_decoder": listed}}
        yield {"tokenizer.json": changed(file_of(), added_tokens=[dict(id=int(place), **entry) for place, entry in listed.items()]), "tokenizer_config.json": fast}
        yield {**text, "special_tokens_map.json": {"mask_token": {**whole("hello", normalized, True), "single_word": True}}}
    # BertTokenizer reads the vocabulary and the added tokens, nothing else.
    sequence = {name: {"type": "Sequence", name + "s": []} for name in ("normalizer", "pretokenizer", "processor")}
    for parts in (
            dict(normalizer={"type": "NFC"}), dict(normalizer={"type": "Lowercase"}), dict(pre_tokenizer={"type": "Whitespace"}),
            dict(normalizer={"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "Lowercase"}, {"type": "StripAccents"}]}),
            dict(pre_tokenizer={"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, {"type": "Punctuation", "behavior": "Isolated"}]}),
            dict(post_processor={"type": "RobertaProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2], "trim_offsets": True, "add_prefix_space": False}),
            dict(normalizer=sequence["normalizer"], pre_tokenizer=sequence["pretokenizer"], post_processor=sequence["processor"])):
        yield {"tokenizer.json": changed(file_of(), **parts), "tokenizer_config.json": config}
        yield {"tokenizer.json": changed(file_of(lowercase=False), **parts)}
    plain = json.loads(file_of(lowercase=False).replace("@VOCABULARY@", "0"))
    one = dict(
        normalizer={"type": "Sequence", "normalizers": [plain["normalizer"]]}, pre_tokenizer={"type": "Sequence", "pretokenizers": [plain["pre_tokenizer"]]},
        post_processor={"type": "Sequence", "processors": [plain["post_processor"]]})
    yield {"tokenizer.json": changed(file_of(), **one), "tokenizer_config.json": fast}


def maybe(chance):
    return draw.random() < chance


def flag():
    return draw.choice([True, False])


def drawn():
    files = {}
    kind = draw.choice(["text", "file", "both"])
    if kind != "file":
        files["vocab.txt"] = "@VOCABULARY@"
    if kind != "text":
        files["tokenizer.json"] = file_of(
            added=[(text, flag(), flag()) for text in draw.sample(ADDED, draw.randint(0, 4))], lowercase=flag(), accents=draw.choice([None, True, False]),
            chinese=flag(), clean=not maybe(0.1), normalizer=not maybe(0.1), longest=draw.choice([100, 100, 4]), post=draw.choice(["template", "bert"]), specials=not maybe(0.15))
    if maybe(0.8):
        config = {}
        if maybe(0.7):
            names = ["BertTokenizer", "BertTokenizerFast", "DistilBertTokenizer"] + (["PreTrainedTokenizerFast"] * 3 + ["PreTrainedTokenizer", "TokenizersBackend"] if kind != "text" else [])
            config["tokenizer_class"] = draw.choice(names)
        for key, values in (("do_lower_case", [True, False]), ("strip_accents", [None, True, False]), ("tokenize_chinese_chars", [True, False])):
            if maybe(0.4):
                config[key] = draw.choice(values)
        if maybe(0.3):
            config["mask_token"] = draw.choice(["[MASK]", "<mask>", "mask", {"__type": "AddedToken", **whole(draw.choice(["[MASK]", "<mask>"]), flag(), flag())}])
        if maybe(0.2):
            config["pad_token"] = draw.choice(["[PAD]", "<s>"])
        if maybe(0.2):
            config["bos_token"] = draw.choice(["<s>", None, "hello"])
        if maybe(0.2):
            config[draw.choice(["additional_special_tokens", "extra_special_tokens"])] = draw.sample(ADDED, draw.randint(0, 3))
        if maybe(0.1):
            config["extra_special_tokens"] = {"image_token": draw.choice(ADDED)}
        if maybe(0.4):
            listed = dict(LISTED) if maybe(0.8) else {}
            for place, text in enumerate(draw.sample(ADDED, draw.randint(0, 3))):
                listed[str(VOCABULARY.index(text) if text in VOCABULARY else len(VOCABULARY) + draw.choice([0, 3]) + place)] = whole(text, flag(), flag())
            config["added_tokens_decoder"] = listed
        files["tokenizer_config.json"] = config
    if maybe(0.35):
        special = {}
        if maybe(0.5):
            special["mask_token"] = draw.choice(["[MASK]", "<mask>", token("<mask>", normalized=draw.choice([None, True, False]), lstrip=True)])
        if maybe(0.5):
            special["additional_special_tokens"] = draw.sample(ADDED, draw.randint(0, 3))
        if maybe(0.3):
            special["unk_token"] = token("[UNK]", normalized=draw.choice([None, True, False]))
        files["special_tokens_map.json"] = special
    if maybe(0.35):
        files["added_tokens.json"] = {text: len(VOCABULARY) + place for place, text in enumerate(draw.sample(ADDED, draw.randint(1, 4)))}
    return files


def filled(name, contents):
    lines = "".join(piece + "\n" for piece in VOCABULARY)
    listed = json.dumps({piece: place for place, piece in enumerate(VOCABULARY)}, ensure_ascii=False)
    return contents.replace("@VOCABULARY@", lines if name == "vocab.txt" else listed)


def folder_of(files, path):
    os.makedirs(path)
    for name, contents in files.items():
        with open(os.path.join(path, name), "w", encoding="utf-8") as file:
            file.write(filled(name, contents))


cases, unread = [], 0
with tempfile.TemporaryDirectory() as work:
    for number, files in enumerate([*written(), *(drawn() for _ in range(arguments.count))]):
        files = {name: contents if isinstance(contents, str) else json.dumps(contents, ensure_ascii=False) for name, contents in {"config.json": BERT, **files}.items()}
        path = os.path.join(work, str(number))
        folder_of(files, path)
        try:
            tokenizer = AutoTokenizer.from_pretrained(path)
            ids = [tokenizer([text])["input_ids"][0] for text in TEXTS]
        except Exception:
            unread += 1
            continue
        cases.append((path, files, ids))
    print(f"{len(cases)} folders, {unread} that Transformers cannot read", file=sys.stderr)
    if arguments.out:
        with open(arguments.out, "w", encoding="utf-8") as file:
            file.write(json.dumps(dict(transformers=transformers.__version__, vocabulary=VOCABULARY, texts=TEXTS)) + "\n")
            for _, files, ids in cases:
                file.write(json.dumps(dict(files=files, ids=ids)) + "\n")
    different = refused = 0
    if arguments.apus:
        lines = "".join(json.dumps(dict(text=text)) + "\n" for text in TEXTS)
        for path, files, ids in cases:
            done = subprocess.run([arguments.apus, "tokenize", "--model", path], input=lines, capture_output=True, encoding="utf-8")
            if done.returncode != 0:
                refused += 1
                print(f"refused: {done.stderr.strip()}", file=sys.stderr)
                continue
            found = [json.loads(line)["ids"] for line in done.stdout.splitlines()]
            for text, own, theirs in zip(TEXTS, found, ids):
                if own != theirs:
                    different += 1
                    shown = {name: contents if len(contents) < 700 else contents[:700] + "…" for name, contents in files.items()}
                    print(f"{text!r}: apus {own}, Transformers {theirs}: {json.dumps(shown, ensure_ascii=False)}", file=sys.stderr)
                    break
        print(json.dumps(dict(folders=len(cases), different=different, refused=refused, seed=arguments.seed)))
sys.exit(1 if different else 0)
