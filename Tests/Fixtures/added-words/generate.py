#!/usr/bin/env python3
"""What Hugging Face's tokenizer makes of words that are added to it.

    python3 generate.py

writes beside itself vocab.txt, a small vocabulary; words.txt, the words added to it by `add_tokens`; and tokens.jsonl, for
each text the ids that Transformers gives with these words.
"""
import json, os
from transformers import BertTokenizerFast

HERE = os.path.dirname(os.path.abspath(__file__))
SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LETTERS = [chr(c) for c in range(ord("a"), ord("z") + 1)] + [str(d) for d in range(10)] + list("-+.,!'") + ["é", "新", "冠"]
WHOLE = ["the", "patient", "has", "fever", "and", "a", "cough", "new", "york", "cov", "vir", "##us", "##al"]
WORDS = ["COVID-19", "remdesivir", "fiancé", "C++", "New York Times", "新冠", "vira", "virality", "'tis"]
TEXTS = [
    "The patient has COVID-19.", "covid-19", "COVID-1", "xcovid-19y", "REMDESIVIR", "remdesivirs and a cough", "preremdesivir", "fiance", "FIANCÉ!",
    "c++", "the C++ vir", "c+ +", "new york times", "New  York Times", "new york", "a新冠b", "新 冠", "viral", "virality", "viralityviral", "'Tis", "it'tis",
    "", "   ", "[MASK] covid-19 [SEP]", "covid-19covid-19", "covid-\n19", "vira\u0301l", "COVID\u00ad-19", "the\tremdesivir\tand", "viravira",
]

vocabulary = list(dict.fromkeys(SPECIALS + LETTERS + WHOLE + ["##" + c for c in LETTERS]))
for name, lines in [("vocab.txt", vocabulary), ("words.txt", WORDS)]:
    with open(os.path.join(HERE, name), "w", encoding="utf-8") as file:
        file.write("".join(line + "\n" for line in lines))
tokenizer = BertTokenizerFast.from_pretrained(HERE)
assert tokenizer.add_tokens(WORDS) == len(WORDS)
with open(os.path.join(HERE, "tokens.jsonl"), "w", encoding="utf-8") as file:
    for text in TEXTS:
        file.write(json.dumps({"text": text, "ids": tokenizer(text)["input_ids"]}) + "\n")
