#!/usr/bin/env python3
"""Figures of scikit-learn, SciPy and seqeval for random answers.

    python3 generate.py

writes measures.json beside itself: for each case the data and what the libraries make of it.
"""
import json, os, random, warnings
import numpy
from scipy import stats
from seqeval.metrics import f1_score as entity_f1, precision_score as entity_precision, recall_score as entity_recall
from sklearn import metrics

random.seed(6)
classes, numbers, tags = [], [], []
for labels, samples, skill in [(2, 40, 0.8), (3, 60, 0.5), (7, 90, 0.6), (4, 5, 0.9), (2, 10, 0.0), (3, 12, 1.0), (5, 30, 0.2)]:
    truth = [random.randrange(labels) for _ in range(samples)]
    answer = [t if random.random() < skill else random.randrange(labels) for t in truth]
    if samples == 10: answer = [1] * samples
    every = list(range(labels))
    precision, recall, f1, support = metrics.precision_recall_fscore_support(truth, answer, labels=every, zero_division=0)
    classes.append(dict(
        classes=labels, truth=truth, answer=answer, confusion=metrics.confusion_matrix(truth, answer, labels=every).tolist(),
        accuracy=metrics.accuracy_score(truth, answer), macro_f1=metrics.f1_score(truth, answer, average="macro", zero_division=0),
        matthews=metrics.matthews_corrcoef(truth, answer), precision=precision.tolist(), recall=recall.tolist(), f1=f1.tolist(),
        support=support.tolist()))
for samples, noise, step in [(20, 0.3, None), (50, 2.0, None), (30, 0.5, 0.5), (5, 1.0, 1.0)]:
    truth = [random.gauss(0, 1) for _ in range(samples)]
    answer = [t + random.gauss(0, noise) for t in truth]
    if step: truth, answer = [round(t / step) * step for t in truth], [round(a / step) * step for a in answer]
    numbers.append(dict(
        truth=truth, answer=answer, pearson=float(stats.pearsonr(truth, answer)[0]), spearman=float(stats.spearmanr(truth, answer)[0]),
        mse=float(metrics.mean_squared_error(truth, answer))))
names = ["O", "O", "O", "B-PER", "I-PER", "B-LOC", "I-LOC", "I-ORG", "E-ORG", "S-LOC"]
for sentences, skill in [(6, 0.9), (10, 0.6), (3, 0.0), (1, 1.0), (4, 0.3)]:
    truth = [[random.choice(names) for _ in range(random.randint(1, 12))] for _ in range(sentences)]
    answer = [[t if random.random() < skill else random.choice(names) for t in line] for line in truth]
    tags.append(dict(
        truth=truth, answer=answer, precision=float(entity_precision(truth, answer, zero_division=0)),
        recall=float(entity_recall(truth, answer, zero_division=0)), f1=float(entity_f1(truth, answer, zero_division=0))))
def single(value): return float(numpy.float32(value))
def calibration_error(confidences, right, bins=15):
    """Guo et al. 2017: bins of equal width that contain their upper end."""
    edges, error = numpy.linspace(0, 1, bins + 1), 0.0
    for low, high in zip(edges[:-1], edges[1:]):
        inside = (confidences > low) & (confidences <= high)
        if inside.any(): error += abs(right[inside].mean() - confidences[inside].mean()) * inside.mean()
    return float(error)
scores, flags = [], []
for labels, samples, skill, step in [(2, 50, 1.5, None), (2, 40, 0.5, 0.25), (3, 60, 1.0, None), (7, 90, 0.7, 0.5), (6, 30, 0.0, 1.0), (4, 6, 2.0, None)]:
    truth = numpy.array([random.randrange(labels) for _ in range(samples)])
    logits = numpy.array([[random.gauss(skill if label == t else 0, 1) for label in range(labels)] for t in truth])
    if step: logits = numpy.round(logits / step) * step
    logits = numpy.array([[single(value) for value in row] for row in logits])
    powers = numpy.exp(logits - logits.max(axis=1, keepdims=True))
    rows = numpy.float32(powers / powers.sum(axis=1, keepdims=True)).astype(float)
    own = [(rows[:, label], truth == label) for label in (range(1, 2) if labels == 2 else range(labels))]
    areas = [metrics.roc_auc_score(right, score) for score, right in own if 0 < right.sum() < samples]
    precisions = [metrics.average_precision_score(right, score) for score, right in own if right.any()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        top = {str(k): float(metrics.top_k_accuracy_score(truth, rows, k=k, labels=range(labels))) for k in range(2, min(5, labels - 1) + 1)}
    scores.append(dict(
        classes=labels, truth=truth.tolist(), logits=logits.ravel().tolist(), roc_auc=float(numpy.mean(areas)),
        average_precision=float(numpy.mean(precisions)), calibration_error=calibration_error(rows.max(axis=1), rows.argmax(axis=1) == truth), top_k=top))
for labels, samples, skill in [(3, 40, 1.0), (1, 20, 0.5), (5, 60, 0.2)]:
    truth = numpy.array([[random.random() < 0.3 for _ in range(labels)] for _ in range(samples)])
    logits = numpy.array([[single(random.gauss(skill if flag else -skill, 1)) for flag in row] for row in truth])
    flags.append(dict(
        labels=labels, truth=truth.astype(int).ravel().tolist(), logits=logits.ravel().tolist(),
        roc_auc=float(metrics.roc_auc_score(truth, logits, average="macro")),
        average_precision=float(metrics.average_precision_score(truth, logits, average="macro"))))
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "measures.json")
with open(path, "w") as file: json.dump(dict(classes=classes, numbers=numbers, tags=tags, scores=scores, flags=flags), file, indent=None, separators=(",", ":"))
