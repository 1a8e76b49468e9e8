"""Draws a checkpoint's result on pictures: skeletons, classes with a legend, points, boxes."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.commands.arguments import add_machine, add_places, add_state, pairs, places_of
from benchmarks.commands.trained import trained_protocol
from benchmarks.experiment.cell import TIERS
from benchmarks.experiment.paths import checkpoint_path
from benchmarks.store.record import without_nan
from tasks import get_task
from tasks.base import Task
from tasks.files.picture_entry import PictureEntry
from tasks.files.writing import write_bytes
from tasks.options import to_plain
from tasks.survey import looked_at

if TYPE_CHECKING:
    from hrnet.checkpoints import Description


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--task", required=True, help="pose, segmentation, landmarks, detection, classification")
    parser.add_argument("--dataset", help="whose joints, classes or points (default: the checkpoint's)")
    parser.add_argument("--model", required=True)
    parser.add_argument("--checkpoint", required=True, metavar="F")
    parser.add_argument("--representation", metavar="R")
    parser.add_argument("--protocol", nargs="*", action="extend", default=[], metavar="k=v")
    parser.add_argument("--tier", choices=TIERS, help="whose protocol (default: the checkpoint's own, else full)")
    parser.add_argument(
        "--boxes",
        type=Path,
        metavar="FILE",
        help="boxes in the pictures. pose: detector-box json, or COCO annotations; landmarks: a face csv, or lines "
        "image_name,x0,y0,x1,y1",
    )
    parser.add_argument("--score", type=float, help="detection: draw boxes above this score")
    parser.add_argument("images", nargs="*", type=Path, metavar="IMAGE")
    add_state(parser)
    add_places(parser)
    add_machine(parser)


def main(arguments: argparse.Namespace) -> int:
    import cv2
    import numpy as np

    stated = pairs(_with_pictures_back(arguments), "--protocol")
    task = get_task(arguments.task)
    if arguments.dataset:
        task.dataset(arguments.dataset)
    task.check_model(arguments.model)
    places_of(arguments)
    _make_folder(arguments.out)
    for path in arguments.images:
        if not path.is_file():
            raise FileNotFoundError(f"{path}: expected a picture there, found none.")
    for note in looked_at([PictureEntry(path, "IMAGE") for path in arguments.images]).notes:
        print(note, file=sys.stderr)
    from hrnet.checkpoints import identify_checkpoint, load_checkpoint

    path = checkpoint_path(arguments.checkpoint, arguments.weights)
    found = identify_checkpoint(path, arguments.state)
    dataset = arguments.dataset or dataset_of(task, found, path)
    options = dict(found.build_options(arguments.task, arguments.model, dataset))
    representation = arguments.representation or options.pop("representation", None)
    network = task.build_model(arguments.model, dataset, representation, **options)
    load_checkpoint(network, path, state=arguments.state)
    protocol = trained_protocol(task, dataset, arguments.model, found, path, arguments.tier, "full")
    protocol = task.protocol_with(protocol, stated)
    extra = {key: getattr(arguments, key) for key in ("boxes", "score") if getattr(arguments, key) is not None}
    import torch

    network.eval().to("cuda" if torch.cuda.is_available() else "cpu")
    drawn = task.predict_images(network, dataset, arguments.images, protocol, **extra)
    folder = arguments.out
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
        made, png = cv2.imencode(".png", np.ascontiguousarray(picture[..., ::-1]))
        if not made:
            raise ValueError(f"{target}: could not make a PNG of shape {picture.shape}; give a smaller picture.")
        _write(target, png.tobytes())
        results[str(image)] = without_nan(to_plain_arrays(result))
        if isinstance(result, dict) and result.get("note"):
            print(f"note: {result['note']}", file=sys.stderr)
        print(target)
    _write(folder / "predictions.json", (json.dumps(results, indent=1) + "\n").encode())
    print(folder / "predictions.json")
    return 0


def _make_folder(path: Path) -> None:
    """Raises ValueError where the folder of ``--out`` cannot be made: a file of that name, no permission."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(
            f"--out {path}: expected a folder to write to, got {error.strerror or error}; name another folder."
        ) from error


def _write(path: Path, content: bytes) -> None:
    """Raises ValueError where the disk refuses a file; half of one is not left behind."""
    try:
        write_bytes(path, content)
    except OSError as error:
        raise ValueError(
            f"{path}: could not be written ({error.strerror or error}); make room or name another folder with --out."
        ) from error


def dataset_of(task: Task, found: Description, path: Path) -> str:
    """The dataset that a checkpoint was trained on, by its own word or its number of outputs; said on stderr.

    Raises:
        ValueError: the task has several datasets and the checkpoint tells none.
    """
    if found.task in (task.name, None) and found.dataset in task.datasets:
        print(f"{path.name}: --dataset {found.dataset}", file=sys.stderr)
        return str(found.dataset)
    if len(task.datasets) == 1 or found.task not in (task.name, None):
        return next(iter(task.datasets))  # a file of another task: loading it explains the rest
    raise ValueError(f"{path} does not tell its dataset: name one of {', '.join(task.datasets)} with --dataset.")


def _with_pictures_back(arguments: argparse.Namespace) -> list[str]:
    """The words of ``--protocol``; those without "=", pictures that it took from IMAGE, go back there."""
    taken = [Path(word) for word in arguments.protocol if "=" not in word]
    arguments.images = [*arguments.images, *taken]
    if not arguments.images:
        raise ValueError("Expected one picture or more (IMAGE ...), got none; name them on the command line.")
    return [word for word in arguments.protocol if "=" in word]


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
