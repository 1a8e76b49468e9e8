"""Scores a submission file, made here or by another program, against a dataset's ground truth."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import numpy as np

from benchmarks.commands.arguments import add_places, check_places, pairs, places_of
from benchmarks.places import real_root
from benchmarks.provenance import file_digest
from benchmarks.uncertainty import DRAWS, LEVEL, draw, image_counts, interval
from tasks import get_task
from tasks.options import to_plain


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--task", required=True, help="pose or detection")
    parser.add_argument("--dataset", required=True)
    parser.add_argument(
        "--file",
        required=True,
        type=Path,
        metavar="F",
        help="COCO results (keypoints, boxes or masks), a folder with bbox.json and segm.json, or MPII's pred.mat",
    )
    parser.add_argument("--split", help="split to score on (default: the benchmark's)")
    parser.add_argument("--protocol", nargs="*", action="extend", default=[], metavar="k=v")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    add_places(parser)


def main(arguments: argparse.Namespace) -> int:
    places = places_of(arguments)
    check_places(places)
    task = get_task(arguments.task)
    info = task.dataset(arguments.dataset)
    tier = "full" if arguments.data_root else "embedded"
    protocol = task.protocol(info.name, tier=tier)
    protocol = task.protocol_with(protocol, pairs(arguments.protocol, "--protocol"))
    split = arguments.split or info.eval_split
    if split not in info.splits:
        raise ValueError(f"Unknown split {split!r} of {info.title}; it has {', '.join(info.splits)}.")
    if arguments.data_root:
        root = real_root(info, places.data_root)
    else:
        from benchmarks.synthetic.cache import ensure

        assert info.embedded is not None
        root = ensure(info.embedded, places.embedded / tier, tier)
    stats = task.submission_stats(info.name, root, split, arguments.file, protocol)
    plain = to_plain(protocol)

    def figures(counts: np.ndarray | None) -> dict[str, float]:
        return task.figures(info.name, stats, plain, counts)

    found = {name: value for name, value in figures(None).items() if not math.isnan(value)}
    headline = task.headline(info.name)
    shown = headline if headline in found else next(iter(found))
    images = len(np.unique(stats["image"]))
    low, high = interval(draw(figures, image_counts(stats["image"], DRAWS), [shown])[shown])
    print(f"{info.title}, {split}: {arguments.file}  (n = {images} images, tier {tier})")
    width = max(len(name) for name in found)
    for name, value in found.items():
        metric = task.metrics[name]
        spread = f"  [{low:.2f}, {high:.2f}]" if name == shown else ""
        arrow = "↑" if metric.higher_is_better else "↓"
        print(f"  {name:{width}}  {value:>9.{max(metric.decimals, 2)}f} {metric.unit} {arrow}{spread}")
    print(f"In brackets: {LEVEL:.0%} of {DRAWS} bootstrap draws over images. How the file was made, it does not say.")
    if arguments.json is not None:
        record = {
            "task": task.name,
            "dataset": info.name,
            "split": split,
            "tier": tier,
            "file": arguments.file.name,
            "sha256": file_digest(arguments.file) if arguments.file.is_file() else None,
            "n": images,
            "figures": {
                name: {
                    "value": value,
                    "unit": task.metrics[name].unit,
                    "higher_is_better": task.metrics[name].higher_is_better,
                }
                for name, value in found.items()
            },
            "interval": {"figure": shown, "low": low, "high": high, "level": LEVEL, "draws": DRAWS},
        }
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0
