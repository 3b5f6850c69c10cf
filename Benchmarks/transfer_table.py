#!/usr/bin/env python3
"""Puts what Benchmarks/transfer.sh ran into transfer.csv, transfer.md and transfer.svg. Needs nothing but Python.

    transfer_table.py FOLDER
"""
import csv, json, math, os, sys

WAYS = {"scratch": "from scratch", "head": "head only", "full": "full fine-tuning", "joint": "joint with Amazon"}
COLORS = {"scratch": "#888888", "head": "#e69f00", "full": "#0072b2", "joint": "#009e73"}
SIZES = ["100", "500", "2000", "all"]


def runs(folder):
    """(way, size) -> (mean, deviation, seconds, seeds) of the test accuracy."""
    found = {}
    for way in WAYS:
        for size in SIZES:
            path = os.path.join(folder, f"{way}-{size}", "summary.json")
            if not os.path.exists(path): continue
            summary = json.load(open(path))
            seconds = sum(run["seconds"] for run in summary["runs"]) / len(summary["runs"])
            found[way, size] = (summary["mean"]["test"]["accuracy"], summary["deviation"]["test"]["accuracy"], seconds, len(summary["seeds"]))
    return found


def table(found):
    lines = ["| test accuracy | " + " | ".join(f"{s} samples" for s in SIZES) + " |", "|---|" + "---|" * len(SIZES)]
    for way, name in WAYS.items():
        cells = [f"{found[way, s][0]:.3f} ± {found[way, s][1]:.3f}" if (way, s) in found else "" for s in SIZES]
        if any(cells): lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def plot(found, total):
    """Accuracy over the number of training samples, on a logarithmic axis, bars of one deviation."""
    width, height, left, right, top, bottom = 640, 400, 60, 150, 20, 50
    count = {"100": 100, "500": 500, "2000": 2000, "all": total}
    values = [v for m, d, *_ in found.values() for v in (m - d, m + d)]
    low, high = math.floor(min(values + [0.5]) * 20) / 20, math.ceil(max(values) * 20) / 20
    x = lambda n: left + (width - left - right) * (math.log(n) - math.log(100)) / (math.log(total) - math.log(100))
    y = lambda v: top + (height - top - bottom) * (high - v) / (high - low)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13">',
           f'<rect width="{width}" height="{height}" fill="white"/>']
    for step in range(round((high - low) / 0.05) + 1):
        v = low + 0.05 * step
        out.append(f'<line x1="{left}" x2="{width - right}" y1="{y(v):.1f}" y2="{y(v):.1f}" stroke="#ddd"/>')
        out.append(f'<text x="{left - 8}" y="{y(v) + 4:.1f}" text-anchor="end">{v:.2f}</text>')
    for size, n in count.items(): out.append(f'<text x="{x(n):.1f}" y="{height - bottom + 20}" text-anchor="middle">{n:,}</text>')
    out.append(f'<text x="{(left + width - right) / 2}" y="{height - 8}" text-anchor="middle">training samples</text>')
    out.append(f'<text x="14" y="{height / 2}" text-anchor="middle" transform="rotate(-90 14 {height / 2})">test accuracy</text>')
    ends = []
    for way, name in WAYS.items():
        points = [(x(count[s]), *found[way, s][:2]) for s in SIZES if (way, s) in found]
        if not points: continue
        color = COLORS[way]
        out.append('<polyline fill="none" stroke-width="2" stroke="%s" points="%s"/>' % (color, " ".join(f"{a:.1f},{y(m):.1f}" for a, m, _ in points)))
        for a, m, d in points:
            out.append(f'<line x1="{a:.1f}" x2="{a:.1f}" y1="{y(m - d):.1f}" y2="{y(m + d):.1f}" stroke="{color}"/>')
            out.append(f'<circle cx="{a:.1f}" cy="{y(m):.1f}" r="3.5" fill="{color}"/>')
        ends.append([y(points[-1][1]) + 4, name, color])
    ends.sort()
    for before, after in zip(ends, ends[1:]): after[0] = max(after[0], before[0] + 16)
    out += [f'<text x="{width - right + 10}" y="{h:.1f}" fill="{c}">{n}</text>' for h, n, c in ends]
    return "\n".join(out + ["</svg>"]) + "\n"


if __name__ == "__main__":
    folder = sys.argv[1]
    found = runs(folder)
    if not found: sys.exit(f"transfer: {folder} has no finished run")
    with open(os.path.join(folder, "transfer.csv"), "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["way", "samples", "test_accuracy", "deviation", "seconds", "seeds"])
        for (way, size), (mean, deviation, seconds, seeds) in found.items():
            rows.writerow([way, size, f"{mean:.4f}", f"{deviation:.4f}", f"{seconds:.1f}", seeds])
    open(os.path.join(folder, "transfer.md"), "w").write(table(found))
    open(os.path.join(folder, "transfer.svg"), "w").write(plot(found, 8568))
    print(table(found), end="")
