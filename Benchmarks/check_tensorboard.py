"""Reads a run's TensorBoard files with TensorBoard's own event reader and compares all points with metrics.jsonl.

    Benchmarks/check_tensorboard.py RUN…           # needs `pip install tensorboard`; without it, says so and ends with status 0
    Benchmarks/check_tensorboard.py --fixtures     # writes Tests/Fixtures/tensorboard again

Exit status 1 if a point is missing, duplicated or different.
"""
import json
import math
import os
import struct
import sys

try:
    from tensorboard.backend.event_processing import event_accumulator
    from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2
    from tensorboard.summary.writer.record_writer import RecordWriter
except ImportError as missing:
    print(f"check_tensorboard: skipped, {missing}: pip install tensorboard")
    sys.exit(0)

STEP = {"train/loss": "loss", "train/learning_rate": "learning_rate", "train/gradient_norm": "gradient_norm", "source_train/loss": "source_loss",
        "train/lambda": "lambda"}


def rounded(value):
    """As float32, as the files have it."""
    value = float(value)
    return value if math.isinf(value) or math.isnan(value) else struct.unpack("f", struct.pack("f", value))[0]


def expected(run):
    points = {}
    with open(os.path.join(run, "metrics.jsonl")) as lines:
        for event in map(json.loads, lines):
            if event["event"] == "step":
                named = {tag: event[key] for tag, key in STEP.items() if key in event}
            elif event["event"] == "evaluation":
                split = event["split"].replace("-", "_")
                skipped = ("step", "epoch", "samples", "seconds", "event", "split")
                named = {f"{split}/{key}": value for key, value in event.items() if key not in skipped and not isinstance(value, (list, dict))}
            else:
                continue
            for tag, value in named.items(): points.setdefault(tag, []).append((event["step"], rounded(value)))
    return points


def check(run):
    reader = event_accumulator.EventAccumulator(os.path.join(run, "tensorboard"), size_guidance={event_accumulator.SCALARS: 0, event_accumulator.TENSORS: 0})
    reader.Reload()
    found, wrong = reader.Tags(), 0
    for tag, points in expected(run).items():
        have = [(point.step, point.value) for point in reader.Scalars(tag)] if tag in found["scalars"] else []
        same = len(have) == len(points) and all(a[0] == b[0] and (a[1] == b[1] or a[1] != a[1] and b[1] != b[1]) for a, b in zip(have, points))
        if not same:
            wrong += 1
            print(f"{run}: {tag}: {len(have)} points, expected {len(points)}; the first that differ: {[pair for pair in zip(have, points) if pair[0] != pair[1]][:3]}")
    if "configuration/text_summary" not in found["tensors"]:
        wrong += 1
        print(f"{run}: no configuration")
    print(f"{run}: {len(found['scalars'])} curves, {sum(len(reader.Scalars(tag)) for tag in found['scalars'])} points, {wrong} wrong")
    return wrong


def fixtures():
    folder = os.path.join(os.path.dirname(__file__), "../Tests/Fixtures/tensorboard")
    scalars = summary_pb2.Summary()
    for tag, value in (("train/loss", 0.693147), ("validation/accuracy", 0.86), ("train/gradient_norm", math.inf)):
        scalars.value.add(tag=tag, simple_value=value)
    text = summary_pb2.Summary()
    text.value.add(
        tag="configuration/text_summary",
        metadata=summary_pb2.SummaryMetadata(plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name="text")),
        tensor=tensor_pb2.TensorProto(
            dtype="DT_STRING", string_val=["    model: größer\n    epochs: 3\n".encode()],
            tensor_shape=tensor_shape_pb2.TensorShapeProto(dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=1)])))
    events = {
        "version": event_pb2.Event(wall_time=1_700_000_000.5, file_version="brain.Event:2"),
        "start": event_pb2.Event(wall_time=1_700_000_001, step=300, session_log=event_pb2.SessionLog(status=event_pb2.SessionLog.START)),
        "scalars": event_pb2.Event(wall_time=1_700_000_002, step=70_000, summary=scalars),
        "text": event_pb2.Event(wall_time=1_700_000_003, summary=text),
    }
    for name, event in events.items():
        with open(os.path.join(folder, name + ".tfrecord"), "wb") as file: RecordWriter(file).write(event.SerializeToString())


if __name__ == "__main__":
    if sys.argv[1:] == ["--fixtures"]: fixtures()
    elif not sys.argv[1:]: sys.exit(__doc__)
    else: sys.exit(min(1, sum(check(run) for run in sys.argv[1:])))
