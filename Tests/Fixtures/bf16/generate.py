#!/usr/bin/env python3
"""Reference values of BERT with encoder products in bf16, computed by Transformers on PyTorch in float64.

    python3 generate.py OUT_DIR

Writes the folders classify and words, in the form of ../golden/generate.py. Everything is float64, except that the factors of
the encoder's products and of attention's, forward and backward, are rounded to bf16 first, as docs/arithmetic.md says; their
products are added up in float64.
"""
import json, os, sys
import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertForSequenceClassification, BertForTokenClassification
from transformers.models.bert import modeling_bert


def rounded(x):
    return x.float().bfloat16().double()


class Product(torch.autograd.Function):
    """a b, with all factors of it and of its gradients rounded to bf16."""

    @staticmethod
    def forward(context, a, b):
        context.save_for_backward(a, b)
        return rounded(a) @ rounded(b)

    @staticmethod
    def backward(context, gradient):
        a, b = context.saved_tensors
        g = rounded(gradient)
        da = g @ rounded(b).transpose(-1, -2)
        db = rounded(a).transpose(-1, -2) @ g
        while db.dim() > b.dim(): db = db.sum(0)
        return da, db


def linear(layer):
    layer.forward = lambda x: Product.apply(x, layer.weight.transpose(0, 1)) + layer.bias


def attention(module, query, key, value, attention_mask, scaling, dropout=0.0, **_):
    scores = Product.apply(query, key.transpose(2, 3)) * scaling
    if attention_mask is not None: scores = scores + attention_mask[:, :, :, :key.shape[-2]]
    context = Product.apply(torch.nn.functional.softmax(scores, dim=-1), value)
    return context.transpose(1, 2).contiguous(), None


modeling_bert.ALL_ATTENTION_FUNCTIONS._global_mapping["bf16"] = attention
CASES = {
    "classify": (BertForSequenceClassification, dict(), [11, 3, 24, 7, 17], dict(lr=1e-3, weight_decay=0.01, clip=1.0, warmup=2)),
    "words": (BertForTokenClassification, dict(num_hidden_layers=1, num_attention_heads=2), [33, 5, 9], dict(lr=1e-3, weight_decay=0.0, clip=None, warmup=0)),
}


def run(name, out, seed):
    kind, over, lengths, o = CASES[name]
    torch.manual_seed(seed)
    cfg = BertConfig(**{**dict(vocab_size=90, hidden_size=48, num_hidden_layers=2, num_attention_heads=4, intermediate_size=80,
                               max_position_embeddings=40, type_vocab_size=2, num_labels=3), **over}, attn_implementation="eager")
    net = kind(cfg)
    with torch.no_grad():
        for n, p in net.named_parameters():
            if "LayerNorm" in n: p.add_(torch.randn_like(p) * 0.1)
            elif n.endswith("bias"): p.normal_(0, 0.05)
            else: p.normal_(0, 0.08)
    net.eval()
    folder = os.path.join(out, name); os.makedirs(folder, exist_ok=True)
    net.save_pretrained(folder)
    net = net.double()
    for layer in net.bert.encoder.layer:
        for part in (layer.attention.self.query, layer.attention.self.key, layer.attention.self.value, layer.attention.output.dense,
                     layer.intermediate.dense, layer.output.dense): linear(part)
    net.config._attn_implementation = "bf16"
    B, L = len(lengths), max(lengths)
    ids = torch.randint(5, cfg.vocab_size, (B, L)); ids[:, 0] = 2
    mask = torch.zeros(B, L, dtype=torch.long); types = torch.zeros(B, L, dtype=torch.long)
    for i, n in enumerate(lengths):
        mask[i, :n] = 1; ids[i, n:] = 0; ids[i, n - 1] = 3
    if name == "words": y = torch.where(mask == 1, torch.randint(0, 3, (B, L)), torch.full_like(ids, -100))
    else: y = torch.randint(0, 3, (B,))
    # A mask of its own: minus infinity at padding, in float64.
    bias = torch.zeros(B, 1, 1, L, dtype=torch.float64).masked_fill(mask[:, None, None, :] == 0, -1e300)
    feed = dict(input_ids=ids, attention_mask=bias.expand(B, 1, L, L), token_type_ids=types, labels=y)
    r = net(**feed, output_hidden_states=True); r.loss.backward()
    t = dict(logits=r.logits, loss=r.loss.reshape(1))
    for k, h in enumerate(r.hidden_states): t[f"hidden.{k}"] = h
    for n, p in net.named_parameters(): t[f"grad.{n}"] = p.grad.clone()
    decay = [p for n, p in net.named_parameters() if not (n.endswith("bias") or "LayerNorm" in n)]
    plain = [p for n, p in net.named_parameters() if n.endswith("bias") or "LayerNorm" in n]
    opt = torch.optim.AdamW([dict(params=decay, weight_decay=o["weight_decay"]), dict(params=plain, weight_decay=0.0)], lr=o["lr"])
    rate = lambda s: (s / o["warmup"] if s < o["warmup"] else max(0.0, (10 - s) / max(1, 10 - o["warmup"])))
    sched = torch.optim.lr_scheduler.LambdaLR(opt, rate)
    log = []
    for s in range(4):
        opt.zero_grad(); loss = net(**feed).loss; loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(net.parameters(), o["clip"] or float("inf"))
        log.append(dict(step=s, loss=float(loss), grad_norm=float(norm), lr=sched.get_last_lr()[0]))
        opt.step(); sched.step()
    for n, p in net.named_parameters(): t[f"after.{n}"] = p.detach()
    t = {k: v.detach().float().contiguous() for k, v in t.items()}
    t.update(input_ids=ids, attention_mask=mask, token_type_ids=types, labels=y)
    save_file(t, os.path.join(folder, "reference.safetensors"))
    json.dump(dict(optimizer="AdamW", betas=[0.9, 0.999], eps=1e-8, **o, schedule="linear warmup then linear decay to 0",
                   total_steps=10, steps=log, no_decay="biases and LayerNorm weights"), open(os.path.join(folder, "steps.json"), "w"), indent=1)


if __name__ == "__main__":
    for seed, name in enumerate(CASES): run(name, sys.argv[1], seed)
