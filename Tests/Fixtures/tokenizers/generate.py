#!/usr/bin/env python3
"""Token ids of Transformers' AutoTokenizer for model folders whose tokenizer files say things in every way that they may.

    "$(Benchmarks/peers/setup.sh)/bin/python" Tests/Fixtures/tokenizers/generate.py --out Tests/Fixtures/tokenizers/folders.jsonl
    "$(Benchmarks/peers/setup.sh)/bin/python" Tests/Fixtures/tokenizers/generate.py --seed 7 --count 400 --apus .build/release/apus

With --out the first line holds the vocabulary, the texts and the version of Transformers; each other line a folder: its files, in which
"@VOCABULARY@" stands for the vocabulary, the ids of every text, and ids and types of some pairs and lengths. With --apus the same folders, and COUNT more whose files say less
usual things, go through `apus tokenize`, also with pairs and lengths: exit status 1 where an id or a type differs, unless the folder is
refused. With --export each of these folders gets a small model, which `apus train` trains for a step, with added words or without; then
the exported folder goes through both. A folder that Transformers itself cannot read is passed over.
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
parser.add_argument("--export", action="store_true")
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
# What `apus tokenize` is asked beside the texts: text, second text, length.
FURTHER = [
    ("hello world the movie", "new movie caf\u00e9", None), ("hello world the movie", "new movie caf\u00e9", 7), ("the movie", None, 3), ("", "", None),
    ("hello world the movie. hello", None, 5), ("the", "hello world new movie hello", 6), ("x " * 40, "hello " * 41, 20), ("hello " * 9, "the " * 9, 12),
    ("\0hello\0 wor\ufffdld \ue000the\uf8ff", None, None), ("\u202ehello\u202c \u05d0\u05d1 hello \u0627\u0644", None, None), (" \t\n\u3000 ", None, None),
    ("hello" * 20, None, None), ("hello" * 21, None, None), ("c" * 100 + " " + "c" * 101, None, None), ("\U0001f469\u200d\U0001f467hello\U0001f44d\U0001f3fd", None, None),
    ("e\u0301" * 50 + " " + "e\u0301" * 51, None, None), ("hello  <mask>  the", None, None), (" hello \u4e2d hello\u56fd", None, None), ("hello the\u0301movie_movie movie9 movie", None, None),
    ("\u0130stanbul \u1e9e \u03a3\u03c2 \ufb01ne \uff28\uff25", None, None), ("hello\u0085world\u2028the\x1fmovie\x7f", None, None), ("hello world " * 300, None, 512)]
# So many of them are recorded.
RECORDED = 6
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
    # A token without characters counts among the tokens, an id without a token does not.
    blank = {"added_tokens.json": {"blockbuster": len(VOCABULARY) + 2}, "tokenizer_config.json": config}
    yield {"vocab.txt": "@VOCABULARY@\n\n", **blank}
    yield {"vocab.txt": "@VOCABULARY@\u00a0\r\n\u3000", **blank}
    listed = dict(added_tokens=[dict(id=len(VOCABULARY) + 1, **whole("blockbuster", True, False))])
    for own in (config, fast):
        for further in ({"": len(VOCABULARY)}, {"news": len(VOCABULARY) + 1}):
            model = json.loads(file_of().replace("@VOCABULARY@", "0"))["model"] | {"vocab": {**{piece: place for place, piece in enumerate(VOCABULARY)}, **further}}
            yield {"tokenizer.json": changed(file_of(), model=model, **listed), "tokenizer_config.json": own}
            # Two added tokens with one id: the last one is matched.
            both = [dict(id=place, **whole(text, True, False)) for place, text in ((len(VOCABULARY), "blockbuster"), (len(VOCABULARY) + 1, "news"))]
            yield {"tokenizer.json": changed(file_of(), model=model, added_tokens=both), "tokenizer_config.json": own}
    # The side that is cut, and whether the model is given types.
    for own in (config, fast):
        for side in ("left", "right"):
            yield {"tokenizer.json": file_of(), "tokenizer_config.json": {**own, "truncation_side": side}}
            cut = dict(direction=side.title(), max_length=5, strategy="LongestFirst", stride=0)
            yield {"tokenizer.json": changed(file_of(), truncation=cut), "tokenizer_config.json": {**own, "truncation_side": "right"} if side == "left" else own}
        yield {"tokenizer.json": changed(file_of(), truncation={**cut, "direction": "Left"}), "tokenizer_config.json": own}
        yield {"tokenizer.json": file_of(), "tokenizer_config.json": {**own, "model_input_names": ["input_ids", "attention_mask"]}}
        yield {"tokenizer.json": file_of(), "tokenizer_config.json": {**own, "model_input_names": ["input_ids", "token_type_ids", "attention_mask"]}}
    yield {**text, "tokenizer_config.json": {"truncation_side": "left", "tokenizer_class": "DistilBertTokenizerFast"}}
    # The template decides the ids, whatever its tokens are called.
    typed = {**fast, "model_input_names": ["input_ids", "token_type_ids"]}
    post = json.loads(file_of().replace("@VOCABULARY@", "0"))["post_processor"]
    for first in ([5], [2]):
        names = {**post["special_tokens"], "[CLS]": dict(id="[CLS]", ids=first, tokens=["[CLS]"])}
        yield {"tokenizer.json": changed(file_of(), post_processor={**post, "special_tokens": names}), "tokenizer_config.json": typed}
    yield {"tokenizer.json": changed(file_of(), post_processor=dict(type="BertProcessing", sep=["[SEP]", 0], cls=["nothing", 7])), "tokenizer_config.json": typed}
    plain = [{kind: {**part, "type_id": 0}} for entry in post["pair"] for kind, part in entry.items()]
    yield {"tokenizer.json": changed(file_of(), post_processor={**post, "pair": plain}), "tokenizer_config.json": typed}
    # An object in tokenizer_config.json does not make a token of added_tokens.json special.
    yield {**text, "tokenizer_config.json": {"mask_token": {"__type": "AddedToken", **whole("<mask>", False, True)}}, "added_tokens.json": {"<mask>": len(VOCABULARY)}}
    yield {**text, "tokenizer_config.json": {"cls_token": None, "sep_token": None}}


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


def odd_vocabulary():
    """A vocab.txt with what editors and scripts leave in one."""
    lines, end = list(VOCABULARY), draw.choice(["\n", "\n", "\r\n"])
    for _ in range(draw.randint(0, 3)):
        place = draw.randint(5, len(lines))
        lines.insert(place, draw.choice(["", "", " ", "\u00a0", "hello", "[MASK]", "the ", "\tnew", "\u3000", "a\rb"]))
    if maybe(0.2):
        lines.append("")
    if maybe(0.15):
        lines[1] = "<unk>"
    return ("\ufeff" if maybe(0.1) else "") + end.join(lines) + ("" if maybe(0.3) else end)


def odd_token(text):
    return dict(content=text, lstrip=flag(), normalized=flag(), rstrip=flag(), single_word=maybe(0.3), special=flag())


def odd_file():
    """A tokenizer.json with parts that BERT's own has not."""
    text = file_of(added=[(text, flag(), flag()) for text in draw.sample(ADDED, draw.randint(0, 4))], lowercase=flag(), accents=draw.choice([None, True, False]),
                   post=draw.choice(["template", "template", "bert", "none"]), specials=not maybe(0.15))
    own = json.loads(text.replace("@VOCABULARY@", '"@VOCABULARY@"'))
    bert = own["normalizer"]
    if maybe(0.3):
        parts = [{"type": "NFD"}, {"type": "NFC"}, {"type": "NFKC"}, {"type": "Lowercase"}, {"type": "StripAccents"}, {"type": "Strip", "strip_left": True, "strip_right": True},
                 {"type": "Replace", "pattern": {"String": "h"}, "content": "w"}, bert, {"type": "Prepend", "prepend": "e"}]
        own["normalizer"] = draw.choice([None, draw.choice(parts), {"type": "Sequence", "normalizers": draw.sample(parts, draw.randint(0, 3))}])
    if maybe(0.3):
        parts = [{"type": "BertPreTokenizer"}, {"type": "Whitespace"}, {"type": "WhitespaceSplit"}, {"type": "Punctuation", "behavior": "Isolated"}, {"type": "Digits", "individual_digits": True}]
        own["pre_tokenizer"] = draw.choice([None, draw.choice(parts), {"type": "Sequence", "pretokenizers": draw.sample(parts, draw.randint(0, 3))}])
    if own["post_processor"] and own["post_processor"]["type"] == "TemplateProcessing" and maybe(0.3):
        post = own["post_processor"]
        kind = draw.randrange(5)
        if kind == 0:
            post["single"] = post["single"][1:]
        elif kind == 1:
            for part in post["pair"]:
                list(part.values())[0]["type_id"] = 0
        elif kind == 2:
            for part in post["single"] + post["pair"]:
                if "SpecialToken" in part and part["SpecialToken"]["id"] == "[CLS]":
                    part["SpecialToken"]["id"] = "<s>"
            post["special_tokens"]["<s>"] = dict(id="<s>", ids=[draw.choice([2, 0, 5])], tokens=["<s>"])
        elif kind == 3:
            post["special_tokens"]["[CLS]"]["ids"] = [draw.choice([5, 2, 2])] * draw.choice([1, 2])
        else:
            post["pair"] = post["pair"][:3] + [{"SpecialToken": {"id": "[SEP]", "type_id": 1}}] + post["pair"][3:]
    if own["post_processor"] and own["post_processor"]["type"] == "BertProcessing" and maybe(0.3):
        own["post_processor"][draw.choice(["sep", "cls"])] = draw.choice([["[SEP]", 0], ["[CLS]", 3], ["nothing", 2]])
    if maybe(0.3):
        own["truncation"] = dict(direction=draw.choice(["Right", "Right", "Left"]), max_length=draw.choice([6, 128]), strategy=draw.choice(["LongestFirst", "OnlyFirst"]), stride=0)
    if maybe(0.3):
        own["padding"] = dict(strategy=draw.choice(["BatchLongest", {"Fixed": 8}]), direction="Right", pad_to_multiple_of=None, pad_id=0, pad_type_id=0, pad_token="[PAD]")
    for entry in own["added_tokens"]:
        if maybe(0.15):
            entry.update(odd_token(entry["content"]))
    if maybe(0.1):
        del own[draw.choice(["added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "truncation"])]
    if maybe(0.15):
        own["model"][draw.choice(["unk_token", "continuing_subword_prefix", "max_input_chars_per_word"])] = draw.choice(["[PAD]", "[UNK]", "", "e", 0, 7, 5000])
    if maybe(0.1):
        own["model"].pop(draw.choice(["type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word"]))
    vocabulary = {piece: place for place, piece in enumerate(VOCABULARY)}
    if maybe(0.3):
        vocabulary[""] = len(VOCABULARY)
    if maybe(0.1):
        vocabulary["blockbuster"] = len(VOCABULARY) + draw.choice([0, 1, 7])
    if maybe(0.05):
        vocabulary["world"] = vocabulary["hello"]
    if maybe(0.05):
        del vocabulary[draw.choice(["[UNK]", "[MASK]", "[PAD]", "world"])]
    own["model"]["vocab"] = vocabulary
    return json.dumps(own, ensure_ascii=flag())


def wide():
    """A folder whose files say what few folders do."""
    files, kind = {}, draw.choice(["text", "text", "file", "file", "both"])
    if kind != "file":
        files["vocab.txt"] = odd_vocabulary()
    if kind != "text":
        files["tokenizer.json"] = odd_file()
    if maybe(0.85):
        config = {}
        if maybe(0.7):
            config["tokenizer_class"] = draw.choice([
                "BertTokenizer", "BertTokenizerFast", "DistilBertTokenizer", "DistilBertTokenizerFast", "ElectraTokenizerFast", "MPNetTokenizer", "RobertaTokenizer", "Other", None,
                "MobileBertTokenizer", "SqueezeBertTokenizer", "LayoutLMTokenizer", "LxmertTokenizer", "FunnelTokenizer", "ConvBertTokenizer", "RetriBertTokenizer", "BertTokenizerLegacy",
                "PreTrainedTokenizerFast", "PreTrainedTokenizerFast", "PreTrainedTokenizer", "TokenizersBackend"])
        for key, values in (
                ("do_lower_case", [None, True, False]), ("strip_accents", [None, True, False]), ("tokenize_chinese_chars", [None, True, False]), ("model_max_length", [512, 1e30, 8, 0, None, -1]),
                ("truncation_side", ["right", "left"]), ("padding_side", ["right", "left"]), ("model_input_names", [["input_ids", "attention_mask"], ["input_ids", "token_type_ids", "attention_mask"]]),
                ("do_basic_tokenize", [True, False]), ("never_split", [None, ["hello"]]), ("clean_up_tokenization_spaces", [True, False]), ("add_bos_token", [True, False]),
                ("eos_token", ["[SEP]", None, "</s>"]), ("unk_token", ["[UNK]", "<unk>", "hello"]), ("cls_token", ["[CLS]", "<s>", "hello"]), ("sep_token", ["[SEP]", "</s>", "the"]),
                ("pad_token", ["[PAD]", "<s>"]), ("mask_token", ["[MASK]", "<mask>", None]), ("extra_special_tokens", [["<e1>"], {"image_token": "<s>"}, [odd_token("er")]]),
                ("special_tokens_map_file", [None, "nowhere"]), ("tokenizer_file", [None, "/nowhere/tokenizer.json"]), ("max_length", [4]), ("stride", [0, 2]), ("truncation_strategy", ["longest_first", "only_first"])):
            if maybe(0.12):
                config[key] = draw.choice(values)
        if maybe(0.3):
            listed = dict(LISTED) if maybe(0.8) else {}
            for place, text in enumerate(draw.sample(ADDED, draw.randint(0, 3))):
                listed[str(VOCABULARY.index(text) if text in VOCABULARY else len(VOCABULARY) + draw.choice([0, 3]) + place)] = odd_token(text)
            config["added_tokens_decoder"] = listed
        files["tokenizer_config.json"] = config
    if maybe(0.25):
        files["special_tokens_map.json"] = {
            key: draw.choice([text, token(text, lstrip=flag(), normalized=flag(), single_word=maybe(0.3)), None])
            for key, text in (("mask_token", "<mask>"), ("unk_token", "[UNK]"), ("cls_token", "[CLS]"), ("sep_token", "</s>")) if maybe(0.4)}
    if maybe(0.25):
        files["added_tokens.json"] = {text: len(VOCABULARY) + draw.choice([0, 2]) + place for place, text in enumerate(draw.sample(ADDED, draw.randint(0, 4)))}
    if maybe(0.1):
        files["config.json"] = json.dumps(dict(model_type="bert", tokenizer_class=draw.choice(["BertTokenizer", "PreTrainedTokenizerFast", None])))
    return files


def filled(name, contents):
    lines = "".join(piece + "\n" for piece in VOCABULARY)
    listed = json.dumps({piece: place for place, piece in enumerate(VOCABULARY)}, ensure_ascii=False)
    return contents.replace("@VOCABULARY@", lines if name == "vocab.txt" else listed)


def folder_of(files, path):
    os.makedirs(path)
    for name, contents in files.items():
        with open(os.path.join(path, name), "w", encoding="utf-8", newline="") as file:
            file.write(filled(name, contents))


def reference(tokenizer, text, pair, length):
    """Ids and types that the model gets: without types it takes zeros."""
    encoding = tokenizer([text], None if pair is None else [pair], truncation=length is not None, max_length=length)
    ids = encoding["input_ids"][0]
    return ids, encoding["token_type_ids"][0] if "token_type_ids" in encoding else [0] * len(ids)


def tokenized(path, lines):
    """What `apus tokenize` says to the lines: answers, or the line of a refusal."""
    done = subprocess.run([arguments.apus, "tokenize", "--model", path], input=lines, capture_output=True, encoding="utf-8")
    if done.returncode == 2 and done.stderr.count("\n") == 1:
        return None, done.stderr.strip().replace(path + "/", "")
    if done.returncode != 0:
        raise SystemExit(f"apus tokenize ended with {done.returncode}: {done.stderr[-500:]}")
    return [json.loads(line) for line in done.stdout.splitlines()], None


def exported(path, asked, lines, answers):
    """What is wrong with the folder that a run exports from this one; None if nothing is."""
    import torch
    from transformers import BertConfig, BertModel
    transformers.utils.logging.disable_progress_bar()
    run, words = path + "-run", flag()
    config = BertConfig(vocab_size=len(VOCABULARY) + 24, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, max_position_embeddings=600)
    torch.manual_seed(1)
    BertModel(config).save_pretrained(path + "-model")
    os.rename(path + "-model/model.safetensors", path + "/model.safetensors")
    with open(path + "/config.json") as file:
        own = json.load(file)
    with open(path + "/config.json", "w") as file:
        json.dump({**config.to_dict(), **own, "architectures": ["BertModel"]}, file)
    with open(path + "/train.tsv", "w") as file:
        file.write("text\tlabel\n" + "hello movie\t1\nthe world\t0\n" * 8)
    with open(path + "/words.txt", "w") as file:
        file.write("\u4e2d film\nWordy\n<E9>\n")
    done = subprocess.run([arguments.apus, "train", "--model", path, "--train", path + "/train.tsv", "--batch-size", "4", "--max-steps", "1", "--threads", "1",
                           "--max-length", "32", "--output", run, *(["--add-tokens", path + "/words.txt"] if words else [])], capture_output=True, encoding="utf-8")
    if done.returncode != 0:
        return f"refused: {done.stderr.strip().splitlines()[-1].replace(path + '/', '').replace(path, 'FOLDER')}"
    own, refusal = tokenized(run + "/model", lines)
    if refusal:
        return "export is not read: " + refusal
    tokenizer = AutoTokenizer.from_pretrained(run + "/model")
    for question, found, before in zip(asked, own, answers):
        expected = reference(tokenizer, *question)
        if (found["ids"], found["types"]) != expected:
            return f"{ascii(question)[:200]}: exported{' with words' if words else ''}: apus {found}, Transformers {expected}"
        if not words and expected != before:
            return f"{ascii(question)[:200]}: before {before}, exported {expected}"
    return None


cases, unread = [], 0
with tempfile.TemporaryDirectory() as work:
    chosen = [*written(), *(drawn() for _ in range(arguments.count)), *(wide() for _ in range(arguments.count if arguments.apus else 0))]
    for number, files in enumerate(chosen):
        files = {name: contents if isinstance(contents, str) else json.dumps(contents, ensure_ascii=False) for name, contents in {"config.json": BERT, **files}.items()}
        path = os.path.join(work, str(number))
        folder_of(files, path)
        asked = [(text, None, None) for text in TEXTS] + (FURTHER if arguments.apus else FURTHER[:RECORDED])
        try:
            tokenizer = AutoTokenizer.from_pretrained(path)
            answers = [reference(tokenizer, *question) for question in asked]
        except BaseException:
            unread += 1
            continue
        cases.append((path, files, answers))
    print(f"{len(cases)} folders, {unread} that Transformers cannot read", file=sys.stderr)
    if arguments.out:
        with open(arguments.out, "w", encoding="utf-8") as file:
            further = [dict(text=text, pair=pair, length=length) for text, pair, length in FURTHER[:RECORDED]]
            file.write(json.dumps(dict(transformers=transformers.__version__, vocabulary=VOCABULARY, texts=TEXTS, further=further)) + "\n")
            for _, files, answers in cases:
                ids = [ids for ids, _ in answers]
                recorded = [dict(ids=ids, types=types) for ids, types in answers[len(TEXTS):][:RECORDED]]
                file.write(json.dumps(dict(files=files, ids=ids[:len(TEXTS)], further=recorded)) + "\n")
    different, refused = 0, []
    if arguments.apus:
        lines = "".join(json.dumps(dict(text=text, pair=pair, max_length=length)) + "\n" for text, pair, length in asked)
        for path, files, answers in cases:
            found, refusal = tokenized(path, lines)
            shown = json.dumps({name: contents if len(contents) < 5000 else contents[:5000] + "\u2026" for name, contents in files.items()}, ensure_ascii=False)
            if refusal:
                refused.append(refusal)
                continue
            for question, own, (ids, types) in zip(asked, found, answers):
                if own["ids"] != ids or own["types"] != types:
                    different += 1
                    print(f"{ascii(question)[:200]}: apus {own['ids'][:60]} {own['types'][:60]}, Transformers {ids[:60]} {types[:60]}: {shown}", file=sys.stderr)
                    break
            else:
                wrong = exported(path, asked, lines, answers) if arguments.export else None
                if wrong and wrong.startswith("refused: "):
                    refused.append(wrong)
                elif wrong:
                    different += 1
                    print(f"{wrong}: {shown}", file=sys.stderr)
        for message in sorted(set(refused)):
            print(f"refused {refused.count(message)}: {message}", file=sys.stderr)
        print(json.dumps(dict(folders=len(cases), different=different, refused=len(refused), seed=arguments.seed)))
sys.exit(1 if different else 0)
