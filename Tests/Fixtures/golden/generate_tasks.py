#!/usr/bin/env python3
"""Reference values for the heads, losses and the joint objective, computed by Transformers and PyTorch (CPU, float32).

    python3 generate_tasks.py OUT_DIR [--seed 0]

writes one folder per case, laid out as generate.py's. Beyond those:
  labels        [B, C] float32 for several targets and for several labels, [B, L] int64 for token classification
  steps.json    label_smoothing, class_weights: those of torch.nn.CrossEntropyLoss
  config.json   apus_pooling "mean": the classifier reads the mean over a sentence's tokens, without the pooler
Joint cases minimize L_source + lambda * L_target, each a mean over its own batch:
  steps.json    source: head, labels, shared_layers, lambda
  source.input_ids, source.attention_mask, source.token_type_ids, source.labels    the source task's batch
  weights, grad.NAME and after.NAME also of the source head, whose names begin with "source."
  logits are the target task's, loss is the joint one.
"""
import argparse, json, os
import torch
from torch import nn
from safetensors.torch import save_file
from transformers import BertConfig, BertForMaskedLM, BertForSequenceClassification, BertForTokenClassification

# name: (config overrides, head, lengths, outputs, extras)
CASES = {
    "targets":     (dict(), "regression", [7, 3, 12], 3, dict()),
    "multi-label": (dict(), "multi", [4, 11, 6, 2], 5, dict()),
    "words":       (dict(), "token", [9, 5, 13], 4, dict()),
    "weighted":    (dict(), "cls", [6, 10, 3, 8], 3, dict(class_weights=[0.5, 2.0, 1.25], label_smoothing=0.1)),
    "weighted-words": (dict(), "token", [9, 5, 13], 4, dict(class_weights=[0.5, 2.0, 1.25, 1.0], label_smoothing=0.2)),
    "smoothed-words-hidden": (dict(), "mlm", [12, 7, 9], None, dict(label_smoothing=0.1)),
    "mean":        (dict(), "cls", [6, 10, 3], 3, dict(pooling="mean")),
    "joint":       (dict(), "cls", [6, 10, 3], 3, dict(source=dict(head="cls", labels=4, shared_layers=2, **{"lambda": 0.7}, lengths=[5, 8, 4, 11]))),
    "joint-shared": (dict(), "token", [6, 10, 3], 3, dict(source=dict(head="regression", labels=1, shared_layers=1, **{"lambda": 2.0}, lengths=[5, 8]))),
    "joint-masked": (dict(), "cls", [6, 10, 3], 2, dict(source=dict(head="mlm", labels=None, shared_layers=2, **{"lambda": 0.5}, lengths=[9, 12, 7]))),
}
BASE = dict(vocab_size=47, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24,
            max_position_embeddings=16, type_vocab_size=2)
OPTIMIZER = dict(lr=1e-3, weight_decay=0.01, clip=1.0, warmup=1)
STEPS, TOTAL = 4, 10


class Pooler(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.dense = nn.Linear(width, width)

    def forward(self, x):
        return torch.tanh(self.dense(x[:, 0]))


class SourceHead(nn.Module):
    """A head of its own on encoder layer K; masked words are decoded by the table that the encoder embeds with."""
    def __init__(self, cfg, head, labels):
        super().__init__()
        if head == "mlm":
            self.cls = BertForMaskedLM(cfg).cls
            del self.cls.predictions.decoder
        else:
            self.pooler = Pooler(cfg.hidden_size)
            self.classifier = nn.Linear(cfg.hidden_size, labels)

    def forward(self, hidden, table):
        if hasattr(self, "cls"):
            p = self.cls.predictions
            return nn.functional.linear(p.transform(hidden), table, p.bias)
        return self.classifier(self.pooler(hidden))


def batch(cfg, lengths):
    B, L = len(lengths), max(lengths)
    ids = torch.randint(5, cfg.vocab_size, (B, L)); ids[:, 0] = 2
    mask = torch.zeros(B, L, dtype=torch.long); types = torch.zeros(B, L, dtype=torch.long)
    for i, n in enumerate(lengths):
        mask[i, :n] = 1; ids[i, n:] = 0; ids[i, n - 1] = 3
    return ids, mask, types


def targets(head, ids, mask, outputs):
    B, L = ids.shape
    if head == "cls": return torch.randint(0, outputs, (B,))
    if head == "regression": return torch.randn(B, outputs) if outputs > 1 else torch.randn(B)
    if head == "multi": return torch.randint(0, 2, (B, outputs)).float()
    asked = (torch.rand(B, L) < 0.6) & (mask == 1); asked[:, 1] = mask[:, 1] == 1; asked[:, 0] = False
    right = ids if head == "mlm" else torch.randint(0, outputs, (B, L))
    return torch.where(asked, right, torch.full_like(ids, -100))


def loss_of(head, logits, labels, extras=dict()):
    if head == "multi": return nn.BCEWithLogitsLoss()(logits, labels)
    if head == "regression": return nn.MSELoss()(logits.squeeze(-1) if labels.dim() == 1 else logits, labels)
    weights = extras.get("class_weights")
    entropy = nn.CrossEntropyLoss(weight=None if weights is None else torch.tensor(weights), label_smoothing=extras.get("label_smoothing", 0.0))
    return entropy(logits.reshape(-1, logits.shape[-1]), labels.reshape(-1))


def run(name, case, out, seed):
    over, head, lengths, outputs, extras = case
    torch.manual_seed(seed)
    cfg = BertConfig(**{**BASE, **over}, attn_implementation="eager")
    if outputs is not None: cfg.num_labels = outputs
    cfg.problem_type = dict(cls="single_label_classification", regression="regression", multi="multi_label_classification").get(head)
    net = dict(token=BertForTokenClassification, mlm=BertForMaskedLM).get(head, BertForSequenceClassification)(cfg)
    source = extras.get("source")
    other = SourceHead(cfg, source["head"], source["labels"]) if source else None
    mean = extras.get("pooling") == "mean"
    if mean: net.bert.pooler = None
    named = list(net.named_parameters()) + ([("source." + n, p) for n, p in other.named_parameters()] if other else [])
    with torch.no_grad():                      # wider than the usual init, so that errors show
        for n, p in named:
            if "LayerNorm" in n: p.add_(torch.randn_like(p) * 0.1)
            elif n.endswith("bias"): p.normal_(0, 0.05)
            else: p.normal_(0, 0.12)
    net.eval()
    ids, mask, types = batch(cfg, lengths)
    y = targets(head, ids, mask, outputs)
    if source:
        sids, smask, stypes = batch(cfg, source["lengths"])
        sy = targets(source["head"], sids, smask, source["labels"])
    folder = os.path.join(out, name); os.makedirs(folder, exist_ok=True)
    net.config.architectures = [type(net).__name__]
    if mean: net.config.apus_pooling = "mean"
    net.config.save_pretrained(folder)
    tied = "cls.predictions.decoder"
    save_file({n: p.detach().clone().contiguous() for n, p in named if not n.startswith(tied)}, os.path.join(folder, "model.safetensors"))

    def forward():
        states = net.bert(input_ids=ids, attention_mask=mask, token_type_ids=types, output_hidden_states=True).hidden_states
        if mean:
            weights = mask[:, :, None].float()
            logits = net.classifier((states[-1] * weights).sum(1) / weights.sum(1))
        else:
            logits = net(input_ids=ids, attention_mask=mask, token_type_ids=types).logits
        loss = loss_of(head, logits, y, extras)
        if source:
            hidden = net.bert(input_ids=sids, attention_mask=smask, token_type_ids=stypes, output_hidden_states=True).hidden_states
            mine = other(hidden[source["shared_layers"]], net.bert.embeddings.word_embeddings.weight)
            loss = loss_of(source["head"], mine, sy) + source["lambda"] * loss
        return states, logits, loss

    states, logits, loss = forward(); loss.backward()
    t = dict(input_ids=ids, attention_mask=mask, token_type_ids=types, labels=y, logits=logits, loss=loss.reshape(1))
    if source:
        t.update({"source.input_ids": sids, "source.attention_mask": smask, "source.token_type_ids": stypes, "source.labels": sy})
    for k, h in enumerate(states): t[f"hidden.{k}"] = h
    for n, p in named: t[f"grad.{n}"] = torch.zeros_like(p) if p.grad is None else p.grad.clone()
    o = OPTIMIZER
    def plain(n): return n.endswith("bias") or "LayerNorm" in n
    opt = torch.optim.AdamW([dict(params=[p for n, p in named if not plain(n)], weight_decay=o["weight_decay"]),
                             dict(params=[p for n, p in named if plain(n)], weight_decay=0.0)], lr=o["lr"], betas=(0.9, 0.999), eps=1e-8)
    sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda s: s / o["warmup"] if s < o["warmup"] else max(0.0, (TOTAL - s) / max(1, TOTAL - o["warmup"])))
    log = []
    for s in range(STEPS):
        opt.zero_grad(set_to_none=False); _, _, loss = forward(); loss.backward()
        norm = torch.nn.utils.clip_grad_norm_([p for _, p in named], o["clip"])
        log.append(dict(step=s, loss=loss.item(), grad_norm=float(norm), lr=sched.get_last_lr()[0]))
        opt.step(); sched.step()
    for n, p in named: t[f"after.{n}"] = p.detach()
    save_file({k: v.detach().clone().contiguous() for k, v in t.items() if not k.split(".", 1)[-1].startswith(tied)},
              os.path.join(folder, "reference.safetensors"))
    steps = dict(optimizer="AdamW", betas=[0.9, 0.999], eps=1e-8, **o, schedule="linear warmup then linear decay to 0", total_steps=TOTAL,
                 steps=log, no_decay="biases and LayerNorm weights", **{k: v for k, v in extras.items() if k != "pooling"})
    json.dump(steps, open(os.path.join(folder, "steps.json"), "w"), indent=1)


if __name__ == "__main__":
    ap = argparse.ArgumentParser(); ap.add_argument("out"); ap.add_argument("--seed", type=int, default=0); a = ap.parse_args()
    torch.use_deterministic_algorithms(True)
    for i, (name, case) in enumerate(CASES.items()): run(name, case, a.out, a.seed * 100 + 50 + i)
