#!/usr/bin/env python3
"""Whether `apus predict` gives the logits of Transformers for model folders that say things in every way that they may.

    "$(Benchmarks/peers/setup.sh)/bin/python" Benchmarks/check_models.py [--seed 1] [--count 200]

Each folder has a small encoder with drawn weights, and a config.json and a file of weights as some public model has them: tensors
without the `bert.` prefix, `gamma` and `beta`, shards, half precision, pytorch_model.bin in either format, keys that are absent, null or
of older versions. A folder may be refused in one line with exit status 2; if it is answered, the logits must be those of the class
that its architecture names, within 1e-5. Exit status 1 otherwise.
"""
import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")
os.environ["TRANSFORMERS_VERBOSITY"] = "critical"
import torch  # noqa: E402
import transformers  # noqa: E402
from safetensors.torch import save_file  # noqa: E402
from transformers import AutoModelForMaskedLM, AutoModelForSequenceClassification, AutoModelForTokenClassification, AutoTokenizer, BertConfig  # noqa: E402

transformers.utils.logging.disable_progress_bar()
root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--count", type=int, default=200)
parser.add_argument("--apus", default=os.path.join(root, ".build", "release", "apus"))
arguments = parser.parse_args()
draw = random.Random(arguments.seed)
torch.manual_seed(arguments.seed)
torch.set_grad_enabled(False)

TOLERANCE = 1e-5
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + "a quiet film loud one the ##s ##ly , . hello world".split()
TEXTS = ["a quiet film", "the loud one , hello worlds .", "quietly", "unknowable words", "a " * 20]
CLASSES = {
    "BertForSequenceClassification": AutoModelForSequenceClassification, "BertForTokenClassification": AutoModelForTokenClassification,
    "BertForMaskedLM": AutoModelForMaskedLM}


def maybe(chance):
    return draw.random() < chance


def drawn():
    """A config.json, tensors, and how they are written."""
    kind = draw.choice(["BertForSequenceClassification"] * 3 + ["BertForTokenClassification"] * 2 + ["BertForMaskedLM"])
    labels = draw.choice([1, 2, 3, 5])
    config = dict(
        model_type="bert", architectures=[kind], vocab_size=len(VOCABULARY) + draw.choice([0, 0, 0, 3]), hidden_size=32, num_hidden_layers=draw.choice([1, 2]), num_attention_heads=draw.choice([2, 4]),
        intermediate_size=draw.choice([64, 48]), max_position_embeddings=64, type_vocab_size=draw.choice([2, 2, 2, 1, 3]),
        hidden_act=draw.choice(["gelu"] * 8 + ["gelu_new", "relu", "gelu_pytorch_tanh", "gelu_fast", "gelu_python", draw.choice(["silu", "tanh", "swish", "quick_gelu", "gelu_10", "linear"])]),
        layer_norm_eps=draw.choice([1e-12, 1e-12, 1e-5, 1e-7]), pad_token_id=draw.choice([0, 0, 0, None, 1]))
    if maybe(0.7):
        names = draw.choice([["LABEL_%d" % place for place in range(labels)], ["kind %d" % place for place in range(labels)]])
        config["id2label"] = {str(place): name for place, name in enumerate(names)}
        config["label2id"] = {name: place for place, name in enumerate(names)}
    elif maybe(0.7) or labels != 2:
        config["num_labels"] = labels
    for key, values in (
            ("problem_type", [None, "single_label_classification", "multi_label_classification", "regression"]), ("classifier_dropout", [None, 0.2]), ("torch_dtype", ["float32", "float16", None]),
            ("dtype", ["float32", "bfloat16"]), ("position_embedding_type", ["absolute", "absolute", "relative_key", None]), ("use_cache", [True]), ("gradient_checkpointing", [False]),
            ("transformers_version", ["4.6.0", "2.3.0"]), ("is_decoder", [False, False, False, True]), ("add_cross_attention", [False]), ("tie_word_embeddings", [True, False]), ("chunk_size_feed_forward", [0, 1]),
            ("pooler_fc_size", [768]), ("directionality", ["bidi"]), ("_num_labels", [labels, 5]), ("finetuning_task", ["sst-2"]), ("output_hidden_states", [True]), ("output_attentions", [True]),
            ("return_dict", [False]), ("pruned_heads", [{}, {"0": [1]}]), ("hidden_dropout_prob", [0.1, 0, 0.0]), ("attention_probs_dropout_prob", [0.1, 0]),
            ("initializer_range", [0.02]), ("output_past", [True]), ("max_length", [20]), ("torchscript", [True]), ("num_labels", [labels, labels, 7]), ("auto_map", [{"AutoModel": "x.Y"}])):
        if maybe(0.12):
            config[key] = draw.choice(values)
    if maybe(0.15):
        config["architectures"] = draw.choice([None, [], ["BertModel"], ["BertForPreTraining"], ["BertForQuestionAnswering"], [kind, "BertModel"], ["CamembertForSequenceClassification"]])
    if maybe(0.1):
        del config[draw.choice(["model_type", "architectures", "type_vocab_size", "hidden_act", "layer_norm_eps", "pad_token_id", "intermediate_size", "max_position_embeddings", "vocab_size", "hidden_size"])]
    plain = BertConfig(**{key: config[key] for key in ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "max_position_embeddings", "type_vocab_size") if key in config},
                       num_labels=labels, initializer_range=0.3)
    tensors = {name: value.clone() for name, value in getattr(transformers, kind)(plain).state_dict().items()}
    for value in tensors.values():
        value += torch.randn_like(value) * 0.02
    if kind == "BertForMaskedLM":
        tensors["cls.predictions.decoder.weight"] = tensors["bert.embeddings.word_embeddings.weight"].clone()
        tensors["cls.predictions.decoder.bias"] = tensors["cls.predictions.bias"].clone()
        for name in ("cls.predictions.decoder.weight", "cls.predictions.decoder.bias"):
            if maybe(0.5):
                del tensors[name]
    changes = []

    def change(name, chance):
        if maybe(chance):
            changes.append(name)
            return True
        return False

    if change("without prefix", 0.15):
        tensors = {name.removeprefix("bert."): value for name, value in tensors.items()}
    if change("gamma and beta", 0.2):
        tensors = {name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): value for name, value in tensors.items()}
    if change("position ids", 0.2):
        tensors["bert.embeddings.position_ids"] = torch.arange(64)[None]
    if change("token type ids", 0.05):
        tensors["bert.embeddings.token_type_ids"] = torch.zeros(1, 64, dtype=torch.int64)
    if change("without pooler", 0.08):
        tensors = {name: value for name, value in tensors.items() if "pooler" not in name}
    if kind != "BertForMaskedLM" and change("with a masked-LM head", 0.1):
        own = transformers.BertForMaskedLM(plain).state_dict()
        tensors.update({name: value.clone() for name, value in own.items() if name.startswith("cls.")})
    if kind != "BertForMaskedLM" and change("without classifier", 0.05):
        tensors = {name: value for name, value in tensors.items() if not name.startswith("classifier")}
    if change("without a tensor", 0.03):
        del tensors[draw.choice(sorted(tensors))]
    if change("with another tensor", 0.05):
        tensors["something.else"] = torch.randn(3)
    if change("module. before names", 0.03):
        tensors = {"module." + name: value for name, value in tensors.items()}
    if change("half precision", 0.15):
        half = draw.choice([torch.float16, torch.bfloat16])
        tensors = {name: value.to(half) if value.is_floating_point() else value for name, value in tensors.items()}
    elif change("double precision", 0.04):
        tensors = {name: value.double() if value.is_floating_point() else value for name, value in tensors.items()}
    return kind, config, tensors, changes


def write(folder, tensors):
    """Writes the weights in one of the ways that public models have them."""
    form = draw.choice(["one file"] * 4 + ["shards", "shards", "zip", "both", "shards of pytorch", draw.choice(["zip", "legacy"])])
    if form in ("one file", "both"):
        save_file(tensors, f"{folder}/model.safetensors", metadata=draw.choice([{"format": "pt"}] * 4 + [None]))
    if form == "shards" or form == "shards of pytorch":
        names, places, suffix = sorted(tensors), {}, "safetensors" if form == "shards" else "bin"
        stem = "model" if form == "shards" else "pytorch_model"
        draw.shuffle(names)
        for number in range(3):
            part = {name: tensors[name] for name in names[number::3]}
            file = f"{stem}-{number + 1:05}-of-00003.{suffix}"
            save_file(part, f"{folder}/{file}", metadata={"format": "pt"}) if suffix == "safetensors" else torch.save(part, f"{folder}/{file}")
            places.update({name: file for name in part})
        with open(f"{folder}/{stem}.{suffix}.index.json", "w") as file:
            json.dump(dict(metadata=dict(total_size=sum(value.nbytes for value in tensors.values())), weight_map=places), file)
    if form in ("zip", "legacy", "both"):
        torch.save(dict(tensors), f"{folder}/pytorch_model.bin", _use_new_zipfile_serialization=form != "legacy")
    return form


def reference(folder, config, kind):
    """The logits of each text, by the class that the architecture names, or the one that the weights are of."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model, notes = CLASSES[kind].from_pretrained(folder, output_loading_info=True, dtype=torch.float32, attn_implementation="eager")
    model.eval()
    if notes["missing_keys"]:
        return None, sorted(notes["missing_keys"])
    answers = []
    for text in TEXTS:
        if kind == "BertForTokenClassification":
            fed = tokenizer(text.split(), is_split_into_words=True, return_tensors="pt")
            ids = fed.word_ids(0)
            places = [place for place, word in enumerate(ids) if word is not None and word not in ids[:place]]
            answers.append(model(**fed, return_dict=True).logits[0][places])
        elif kind == "BertForMaskedLM":
            fed = tokenizer(text + " [MASK]", return_tensors="pt")
            answers.append(torch.softmax(model(**fed, return_dict=True).logits[0][-2], -1))
        else:
            answers.append(model(**tokenizer(text, return_tensors="pt"), return_dict=True).logits[0])
    return answers, tokenizer


def found(folder, kind):
    lines = "".join(text + (" [MASK]" if kind == "BertForMaskedLM" else "") + "\n" for text in TEXTS)
    return subprocess.run([arguments.apus, "predict", "--threads", "1", "--model", folder], input=lines, capture_output=True, encoding="utf-8")


def differs(kind, theirs, tokenizer, lines):
    """Why the answers are other ones; None if they are not."""
    for own, their in zip(lines, theirs):
        if kind == "BertForMaskedLM":
            if not isinstance(own.get("scores"), list):
                return f"the answer is {str(own)[:200]}"
            for word, value in own["scores"][0].items():
                if abs(their[tokenizer.convert_tokens_to_ids(word)].item() - value) > TOLERANCE:
                    return f"{word} has {value}, expected {their[tokenizer.convert_tokens_to_ids(word)].item()}"
            continue
        ours = torch.tensor(own.get("logits") or own.get("scores") or [])
        if ours.shape != their.shape:
            return f"the shape is {list(ours.shape)}, expected {list(their.shape)}: {str(own)[:200]}"
        scale = max(1, their.abs().max().item())
        if not (ours - their).abs().max().item() <= TOLERANCE * scale:
            return f"the difference is {(ours - their).abs().max().item():.1e}"
    return None


wrong, refusals, equal = 0, {}, 0
with tempfile.TemporaryDirectory() as work:
    for number in range(arguments.count):
        kind, config, tensors, changes = drawn()
        folder = f"{work}/{number}"
        os.mkdir(folder)
        with open(f"{folder}/config.json", "w") as file:
            json.dump(config, file)
        with open(f"{folder}/vocab.txt", "w") as file:
            file.write("".join(piece + "\n" for piece in VOCABULARY))
        with open(f"{folder}/tokenizer_config.json", "w") as file:
            json.dump(dict(tokenizer_class="BertTokenizer"), file)
        form = write(folder, tensors)
        try:
            theirs, tokenizer = reference(folder, config, kind)
        except Exception as error:
            theirs, tokenizer = None, f"{type(error).__name__}: {error}"[:200]
        read = folder
        if "pytorch" in form or form in ("zip", "legacy"):
            read = folder + "-converted"
            done = subprocess.run([arguments.apus, "convert", folder, read], capture_output=True, encoding="utf-8")
        if read == folder or done.returncode == 0:
            done = found(read, kind)
        shown = f"{kind} {form} {changes} {json.dumps(config)}"
        if done.returncode != 0:
            message = done.stderr.strip().replace(read, "MODEL").replace(folder, "MODEL")
            if done.returncode != 2 or "\n" in message or not message:
                wrong += 1
                print(f"WRONG ended with {done.returncode}: {message[-600:]}: {shown}", file=sys.stderr)
            refusals.setdefault(message, []).append("read by Transformers" if theirs else f"not read by Transformers ({str(tokenizer)[:80]})")
        elif theirs is None:
            print(f"answered, though Transformers has no answer ({tokenizer}): {done.stdout[:100]!r} {shown}", file=sys.stderr)
        else:
            why = differs(kind, theirs, tokenizer, [json.loads(line) for line in done.stdout.splitlines()])
            if why:
                wrong += 1
                print(f"WRONG {why}: {shown}", file=sys.stderr)
            else:
                equal += 1
        shutil.rmtree(folder)
        shutil.rmtree(folder + "-converted", ignore_errors=True)
for message, kinds in sorted(refusals.items()):
    print(f"refused {len(kinds)}: {message} ({', '.join(sorted(set(kinds)))})", file=sys.stderr)
print(json.dumps(dict(folders=arguments.count, equal=equal, refused=sum(map(len, refusals.values())), wrong=wrong, seed=arguments.seed)))
sys.exit(1 if wrong else 0)
