"""Scores a submission file of any program against the ground truth."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np

from benchmarks.commands.arguments import add_places, at_least, check_places, places_of
from benchmarks.commands.settings import pairs
from benchmarks.commands.single import check_target, figure_line, write_json
from benchmarks.experiment.paths import real_root
from benchmarks.store.digests import file_digest
from benchmarks.tables.uncertainty import DRAWS, LEVEL, draw, figures_of, image_counts, interval
from tasks import get_task
from tasks.options import to_plain


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--task", required=True, help="pose, segmentation, landmarks, detection, classification")
    parser.add_argument("--dataset", required=True)
    parser.add_argument(
        "--file",
        required=True,
        type=Path,
        metavar="F",
        help="COCO results (keypoints, boxes or masks), a folder with bbox.json and segm.json, MPII's pred.mat, folders of "
        "PoseTrack's json files or of label pngs, or a csv of points or of classes; json and csv may be compressed (.gz)",
    )
    parser.add_argument("--split", help="split to score on (default: the benchmark's)")
    parser.add_argument(
        "--protocol",
        nargs="*",
        action="extend",
        default=[],
        metavar="k=v",
        help="how files are read: degenerate_boxes=skip",
    )
    parser.add_argument(
        "--draws", type=at_least(0), default=DRAWS, metavar="N", help="bootstrap draws of the interval (0: no interval)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    add_places(parser)


def main(arguments: argparse.Namespace) -> int:
    places = places_of(arguments)
    check_places(places)
    task = get_task(arguments.task)
    info = task.dataset(arguments.dataset)
    split = arguments.split or info.eval_split
    if split not in info.splits:
        raise ValueError(f"Unknown split {split!r} of {info.title}; it has {', '.join(info.splits)}.")
    if not task.reads_submissions:
        raise ValueError(f"{info.title}: predictions of task {task.name} are not read back from a file.")
    if not arguments.file.exists():
        raise ValueError(f"--file {arguments.file}: expected a submission file, found no such file; check the name")
    if arguments.json is not None:
        check_target(arguments.json)
    tier = "full" if arguments.data_root else "embedded"
    protocol = task.protocol_with(task.protocol(info.name, tier=tier), pairs(arguments.protocol, "--protocol"))
    if arguments.data_root:
        root = real_root(info, places.data_root)
    else:
        from benchmarks.synthetic.cache import ensure

        if info.embedded is None:
            raise ValueError(
                f"{info.title} has no embedded data: give the folder with {info.folder}/ with --data-root."
            )
        root = ensure(info.embedded, places.embedded / tier, tier)
    stats, notes = task.submission_stats(info.name, root, split, arguments.file, protocol)
    plain = to_plain(protocol)
    found = {name: value for name, value in task.figures(info.name, stats, plain).items() if not math.isnan(value)}
    if not found:
        raise ValueError(
            f"{arguments.file}: no figure of {info.title} is defined on {split}; is its ground truth empty?"
        )
    headline = task.headline(info.name)
    shown = headline if headline in found else next(iter(found))
    images = len(np.unique(stats["image"]))
    draws, spread = arguments.draws, ""
    low = high = math.nan
    if draws:
        figures = figures_of(task.name, info.name, stats, plain, [shown])
        drawn = draw(figures, image_counts(stats["image"], draws), [shown])[shown]
        low, high = interval(figures, stats["image"], shown, drawn)
        spread = f"  [{low:.2f}, {high:.2f}]"
    print(f"{info.title}, {split}: {arguments.file}  (n = {images} images, tier {tier})")
    print("protocol: the file's maker's, which it does not tell; the metric is the benchmark's")
    for note in notes:
        print(f"note: {note}")
    width = max(len(name) for name in found)
    for name, value in found.items():
        print(figure_line(name, value, task.metrics[name], width) + (spread if name == shown else ""))
    if draws:
        print(f"In brackets: {LEVEL:.0%} interval of {draws} bootstrap draws over images (BCa).")
    if arguments.json is not None:
        record = {
            "task": task.name,
            "dataset": info.name,
            "split": split,
            "tier": tier,
            "protocol": "the file's maker's",
            "notes": list(notes),
            "file": arguments.file.name,
            "sha256": file_digest(arguments.file) if arguments.file.is_file() else None,
            "n": images,
            "figures": {
                name: {
                    "value": value,
                    "unit": task.metrics[name].unit,
                    "higher_is_better": task.metrics[name].direction.higher_is_better,
                }
                for name, value in found.items()
            },
            "interval": {"figure": shown, "low": low, "high": high, "level": LEVEL, "draws": draws} if draws else None,
        }
        write_json(record, arguments.json)
    return 0
