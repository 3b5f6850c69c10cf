#!/usr/bin/env python3
"""Reference values for adapters and for learning rates by layer, computed by PEFT and Transformers on PyTorch (CPU, float32).

    python3 generate.py [OUT_DIR]

writes one folder a case, beside itself unless told otherwise: a Hugging Face model folder; reference.safetensors with the
batch, logits, loss, grad.NAME and after.NAME of every trained parameter, as in ../golden; steps.json with the optimizer's
settings. A case with adapters also holds them as PEFT saves them, before the first step: adapter_config.json and
adapter_model.safetensors. Adapters' names in reference.safetensors are PEFT's without "base_model.model.".
"""
import json, os, sys
import torch
from peft import LoraConfig, TaskType, get_peft_model
from safetensors.torch import save_file
from transformers import BertConfig, BertForSequenceClassification

BASE = dict(vocab_size=61, hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40,
            max_position_embeddings=32, type_vocab_size=2, num_labels=3)
LENGTHS, STEPS, TOTAL = [11, 3, 24, 7, 17], 3, 10
ALL = ["query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense"]
CASES = {
    "lora":        dict(lr=1e-2, weight_decay=0.01, clip=1.0, warmup=1, targets=["query", "value"], r=4, alpha=8),
    "lora-all":    dict(lr=5e-3, weight_decay=0.0, clip=None, warmup=0, targets=ALL, r=3, alpha=5),
    "lora-output": dict(lr=5e-3, weight_decay=0.0, clip=None, warmup=0, targets=r".*\.layer\.\d+\.(output\.dense)", r=2, alpha=2),
    "layer-decay": dict(lr=1e-3, weight_decay=0.01, clip=1.0, warmup=1, layer_decay=0.7, head_lr=4e-3),
}


def plain(name):
    """A parameter's name without what PEFT wraps around it."""
    return name.replace("base_model.model.", "").replace(".default", "").replace(".base_layer", "").replace(".modules_to_save", "")


def depth(name):
    if name.startswith("bert.embeddings"): return 0
    if name.startswith("bert.pooler"): return BASE["num_hidden_layers"] + 1
    if name.startswith("bert.encoder"): return int(name.split(".")[3]) + 1
    return BASE["num_hidden_layers"] + 2


def rate(name, o):
    """The learning rate: that of the head, or the pooler's times the decay once for each layer below it."""
    layers, d = BASE["num_hidden_layers"], depth(name)
    if d == layers + 2: return o.get("head_lr", o["lr"])
    return o["lr"] * o.get("layer_decay", 1.0) ** (layers + 1 - d)


def run(name, o, out, seed):
    torch.manual_seed(seed)
    cfg = BertConfig(**BASE, attn_implementation="eager")
    net = BertForSequenceClassification(cfg)
    with torch.no_grad():
        for n, p in net.named_parameters():
            if "LayerNorm" in n: p.add_(torch.randn_like(p) * 0.1)
            elif n.endswith("bias"): p.normal_(0, 0.05)
            else: p.normal_(0, 0.15)
    folder = os.path.join(out, name)
    os.makedirs(folder, exist_ok=True)
    net.save_pretrained(folder)
    if "targets" in o:
        net = get_peft_model(net, LoraConfig(task_type=TaskType.SEQ_CLS, r=o["r"], lora_alpha=o["alpha"], target_modules=o["targets"]))
        with torch.no_grad():  # B begins at 0, which would hide errors in A's gradient
            for n, p in net.named_parameters():
                if "lora_B" in n: p.normal_(0, 0.1)
        net.save_pretrained(folder)
        for extra in ["README.md"]:
            if os.path.exists(os.path.join(folder, extra)): os.remove(os.path.join(folder, extra))
        config = json.load(open(os.path.join(folder, "adapter_config.json")))
        config["base_model_name_or_path"] = None
        json.dump(config, open(os.path.join(folder, "adapter_config.json"), "w"), indent=1, sort_keys=True)
    net.eval()
    B, L = len(LENGTHS), max(LENGTHS)
    ids = torch.randint(5, cfg.vocab_size, (B, L)); ids[:, 0] = 2
    mask = torch.zeros(B, L, dtype=torch.long); types = torch.zeros(B, L, dtype=torch.long)
    for i, n in enumerate(LENGTHS): mask[i, :n] = 1; ids[i, n:] = 0; ids[i, n - 1] = 3
    y = torch.randint(0, BASE["num_labels"], (B,))
    feed = dict(input_ids=ids, attention_mask=mask, token_type_ids=types, labels=y)
    trained = {plain(n): p for n, p in net.named_parameters() if p.requires_grad}
    r = net(**feed, output_hidden_states=True)
    r.loss.backward()
    t = dict(input_ids=ids, attention_mask=mask, token_type_ids=types, labels=y, logits=r.logits, loss=r.loss.reshape(1))
    for k, h in enumerate(r.hidden_states): t[f"hidden.{k}"] = h
    for n, p in trained.items(): t[f"grad.{n}"] = p.grad.clone()
    still = lambda n: n.endswith("bias") or "LayerNorm" in n
    opt = torch.optim.AdamW([dict(params=[p], lr=rate(n, o), weight_decay=0.0 if still(n) else o["weight_decay"]) for n, p in trained.items()],
                            betas=(0.9, 0.999), eps=1e-8)
    lam = lambda s: (s / o["warmup"] if s < o["warmup"] else max(0.0, (TOTAL - s) / max(1, TOTAL - o["warmup"])))
    sched = torch.optim.lr_scheduler.LambdaLR(opt, lam)
    log = []
    for s in range(STEPS):
        opt.zero_grad(); loss = net(**feed).loss; loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(list(trained.values()), o["clip"] or float("inf"))
        log.append(dict(step=s, loss=float(loss), grad_norm=float(norm)))
        opt.step(); sched.step()
    for n, p in trained.items(): t[f"after.{n}"] = p.detach()
    save_file({k: v.detach().clone().contiguous() for k, v in t.items()}, os.path.join(folder, "reference.safetensors"))
    settings = {k: v for k, v in o.items() if k not in ("targets", "r", "alpha")}
    json.dump(dict(optimizer="AdamW", betas=[0.9, 0.999], eps=1e-8, **settings, total_steps=TOTAL, steps=log), open(os.path.join(folder, "steps.json"), "w"), indent=1)


if __name__ == "__main__":
    torch.use_deterministic_algorithms(True)
    out = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    for i, (name, case) in enumerate(CASES.items()): run(name, case, out, 600 + i)
