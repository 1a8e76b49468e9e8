"""Draws results on pictures and videos; writes predictions.json.

Skeletons, points, boxes, masks, classes; on pictures, folders, patterns and videos.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.commands.arguments import add_state, at_least
from benchmarks.commands.asked import TRUTH, WHOLE, Asked, files_of, with_boxes
from benchmarks.commands.drawn import DrawnFiles
from benchmarks.commands.settings import pairs
from benchmarks.experiment.cell import PRECISIONS, TIERS
from benchmarks.experiment.paths import checkpoint_path
from tasks import get_task, load_predictor
from tasks.files.picture_entry import PictureEntry
from tasks.survey import looked_at

if TYPE_CHECKING:
    from tasks.predictor.predictor import Predictor
    from tasks.results.result import Result

MIN_SCORE = 0.3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("images", nargs="*", type=Path, metavar="IMAGE", help="pictures, folders, patterns, videos")
    parser.add_argument("--checkpoint", required=True, metavar="F", help="weights: ours, or of any known family")
    parser.add_argument(
        "--task", help="pose, segmentation, landmarks, detection, classification (default: the weights')"
    )
    parser.add_argument("--dataset", help="whose joints, classes or points (default: the weights')")
    parser.add_argument("--model", help="the network (default: the weights')")
    parser.add_argument("--representation", metavar="R")
    parser.add_argument("--protocol", nargs="*", action="extend", default=[], metavar="k=v")
    parser.add_argument("--tier", choices=TIERS, help="whose protocol (default: the weights' own, else full)")
    parser.add_argument(
        "--boxes",
        metavar="FILE|truth|whole",
        help="boxes of persons or faces. A file: of pose detector-box json or COCO annotations, of landmarks a face csv or lines "
        "image_name,x0,y0,x1,y1; truth: the annotations of the dataset that a picture lies in; whole: the whole picture",
    )
    parser.add_argument("--detector", metavar="WEIGHTS", help="a detector that finds the persons or faces")
    parser.add_argument(
        "--score",
        type=float,
        metavar="S",
        help=f"detection: draw boxes of at least this score; with --detector or --boxes FILE: look into such boxes ({MIN_SCORE})",
    )
    add_state(parser)
    places = parser.add_argument_group("places")
    places.add_argument("--out", type=Path, default=Path("results"), metavar="D", help="folder to write to")
    places.add_argument("--weights", type=Path, metavar="D", help="folder with released checkpoints")
    places.add_argument("--data-root", type=Path, metavar="D", help="folder with datasets of one's own (dataset.toml)")
    machine = parser.add_argument_group("machine")
    machine.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1")
    machine.add_argument("--precision", choices=PRECISIONS, default="fp32", help="of the network's products")
    machine.add_argument("--batch", type=at_least(1), metavar="N", help="pictures that are predicted together")


def main(arguments: argparse.Namespace) -> int:
    stated = pairs(_with_pictures_back(arguments), "--protocol")
    if arguments.task:
        kind = get_task(arguments.task)
        if arguments.dataset:
            kind.dataset(arguments.dataset)
        if arguments.model:
            kind.check_model(arguments.model)
    if arguments.score is not None and not 0 <= arguments.score <= 1:
        raise ValueError(f"--score: expected a number from 0 to 1, got {arguments.score}")
    if arguments.boxes is not None and arguments.detector is not None:
        raise ValueError("Expected --boxes or --detector, got both; leave one out")
    files = files_of(arguments.images)
    out = DrawnFiles(arguments.out)
    pictures = [PictureEntry(asked.path, "IMAGE") for asked in map(Asked, files) if not asked.video]
    for note in looked_at(pictures).notes:
        print(note, file=sys.stderr)
    predictor = _loaded(arguments, stated)
    _check_score(arguments, predictor)
    score = MIN_SCORE if arguments.score is None else arguments.score
    if predictor.detector is not None:
        predictor.detector.min_score = score
    asked = with_boxes(files, predictor.task, predictor.dataset, arguments.boxes, arguments.detector is not None, score)
    _predict_all(predictor, asked, out, arguments.score)
    print(out.finish())
    return 0


def _loaded(arguments: argparse.Namespace, protocol: dict[str, str]) -> Predictor:
    detector = None
    if arguments.detector is not None:
        path = checkpoint_path(arguments.detector, arguments.weights)
        detector = load_predictor(path, task="detection", device=arguments.device, precision=arguments.precision)
    return load_predictor(
        checkpoint_path(arguments.checkpoint, arguments.weights),
        task=arguments.task,
        model=arguments.model,
        dataset=arguments.dataset,
        device=arguments.device,
        precision=arguments.precision,
        detector=detector,
        representation=arguments.representation,
        state=arguments.state,
        tier=arguments.tier,
        protocol=protocol,
        batch_size=arguments.batch,
        quiet=False,
    )


def _check_score(arguments: argparse.Namespace, predictor: Predictor) -> None:
    """Raises ValueError for a --score that nothing would come of."""
    if arguments.score is None or predictor.task.name == "detection":
        return
    if predictor.task.sees_boxes == "none":
        raise ValueError(f"--score: {predictor.task.name} has no boxes with scores; leave it out")
    if arguments.detector is None and arguments.boxes in (TRUTH, WHOLE):
        raise ValueError(f"--score: the boxes of --boxes {arguments.boxes} have no scores; leave it out")


def _predict_all(predictor: Predictor, asked: list[Asked], out: DrawnFiles, score: float | None) -> None:
    """Pictures in batches over files; every video by itself."""
    pictures = [one for one in asked if not one.video]
    results = predictor.stream(shown for one in pictures for shown in one.shown())
    for one, result in zip(pictures, results, strict=True):
        _say(out.picture(one.path, _at_score(result, score)), result)
    for one in asked:
        if one.video:
            frames = predictor.frames(one.shown())
            _say(out.video(one.path, (_at_score(frame, score) for frame in frames)))


def _at_score(result: Any, score: float | None) -> Any:
    """Detections with the score from which they are drawn; others as they are."""
    return result if score is None or not hasattr(result, "min_score") else result.placed(min_score=score)


def _say(written: list[Path], result: Result | None = None) -> None:
    for path in written:
        print(path)
    if result is not None and result.note:
        print(f"note: {result.note}", file=sys.stderr)


def _with_pictures_back(arguments: argparse.Namespace) -> list[str]:
    """The words of ``--protocol``; those without "=", pictures that it took from IMAGE, go back there."""
    taken = [Path(word) for word in arguments.protocol if "=" not in word]
    arguments.images = [*arguments.images, *taken]
    if not arguments.images:
        raise ValueError("Expected one picture or more (IMAGE ...), got none; name them on the command line.")
    return [word for word in arguments.protocol if "=" in word]
