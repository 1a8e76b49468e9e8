"""Draws a checkpoint's result on pictures: skeletons, classes with a legend, points, boxes."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks.commands.arguments import add_machine, add_places, pairs, places_of
from benchmarks.places import checkpoint_path
from benchmarks.store import without_nan
from tasks import get_task
from tasks.options import to_plain


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--task", required=True, help="pose, segmentation, landmarks, detection, classification")
    parser.add_argument("--dataset", help="whose joints, classes or points (default: the task's first)")
    parser.add_argument("--model", required=True)
    parser.add_argument("--checkpoint", required=True, metavar="F")
    parser.add_argument("--representation", metavar="R")
    parser.add_argument("--protocol", nargs="*", action="extend", default=[], metavar="k=v")
    parser.add_argument(
        "--boxes", type=Path, metavar="FILE", help="pose: detector-box json, or COCO annotations, for the pictures"
    )
    parser.add_argument("--score", type=float, help="detection: draw boxes above this score")
    parser.add_argument("images", nargs="+", type=Path, metavar="IMAGE")
    add_places(parser)
    add_machine(parser)


def main(arguments: argparse.Namespace) -> int:
    import cv2
    import numpy as np

    task = get_task(arguments.task)
    dataset = arguments.dataset or next(iter(task.datasets))
    task.dataset(dataset)
    task.check_model(arguments.model)
    places_of(arguments)
    for path in arguments.images:
        if not path.is_file():
            raise FileNotFoundError(f"{path}: expected a picture there, found none.")
    from hrnet.checkpoints import identify_checkpoint, load_checkpoint

    path = checkpoint_path(arguments.checkpoint, arguments.weights)
    found = identify_checkpoint(path)
    options = dict(found.build_options(arguments.task, arguments.model, dataset))
    representation = arguments.representation or options.pop("representation", None)
    network = task.build_model(arguments.model, dataset, representation, **options)
    load_checkpoint(network, path)
    protocol = task.protocol_with(
        task.protocol(dataset, model=arguments.model, family=found.family), pairs(arguments.protocol, "--protocol")
    )
    extra = {key: getattr(arguments, key) for key in ("boxes", "score") if getattr(arguments, key) is not None}
    import torch

    network.eval().to("cuda" if torch.cuda.is_available() else "cpu")
    drawn = task.predict_images(network, dataset, arguments.images, protocol, **extra)
    folder = arguments.out
    folder.mkdir(parents=True, exist_ok=True)
    results = {}
    taken: set[str] = set()
    for image, (picture, result) in zip(arguments.images, drawn, strict=True):
        name = image.stem
        while name in taken:
            name += "_"
        taken.add(name)
        target = folder / f"{name}.png"
        if target.resolve() == image.resolve():
            raise ValueError(f"{target}: would overwrite the picture itself; name another folder with --out.")
        cv2.imwrite(str(target), np.ascontiguousarray(picture[..., ::-1]))
        results[str(image)] = without_nan(to_plain_arrays(result))
        print(target)
    (folder / "predictions.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(folder / "predictions.json")
    return 0


def to_plain_arrays(value: object) -> object:
    """Results as JSON-able data; arrays become lists, label maps stay out (they are in the picture)."""
    import numpy as np

    if isinstance(value, np.ndarray):
        return value.tolist() if value.size <= 100_000 else f"array of shape {value.shape}"
    if isinstance(value, dict):
        return {str(k): to_plain_arrays(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain_arrays(v) for v in value]
    return to_plain(value) if not isinstance(value, np.generic) else value.item()
