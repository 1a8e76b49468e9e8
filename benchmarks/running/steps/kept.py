"""What a finished cell keeps beside its figures: its weights, and pictures of its best, worst and some random samples."""

from __future__ import annotations

from pathlib import Path

import cv2
import msgspec
import numpy as np
from torch import nn

from benchmarks.engine.resume import save_tensors
from benchmarks.experiment.cell import Cell
from benchmarks.store.files import is_inside
from benchmarks.store.record import Picture
from hrnet.checkpoints import conventions_of
from hrnet.checkpoints.families.own import FETCHING
from tasks import get_task
from tasks.base import Evaluation
from tasks.files.writing import compress
from tasks.options import to_plain

NUM_PICTURES = {"best": 2, "worst": 3, "random": 3}


def save_weights(network: nn.Module, cell: Cell, path: Path) -> None:
    """Writes our own checkpoint format: tensors, and as plain data how to build the network and under which protocol it
    was trained."""
    build = {
        "task": cell.task,
        "model": cell.model,
        "dataset": cell.dataset,
        "representation": cell.representation,
        "changes": {name: value for name, value in to_plain(dict(cell.changes)).items() if name not in FETCHING},
        "conventions": conventions_of(network),
        "classes": getattr(network, "classes", None),
        "protocol": to_plain(cell.protocol),
        "tier": cell.tier,
        # So that the weights alone say what their outputs are.
        "declaration": msgspec.to_builtins(get_task(cell.task).dataset(cell.dataset).declaration),
    }
    state = {k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}
    content = {"format": "hrnet-benchmark", "version": 1, "build": build, "state_dict": state}
    save_tensors(content, path, "the weights")


def save_pictures(evaluation: Evaluation, image_ids: list[str], folder: Path, seed: int) -> list[Picture]:
    """Writes best, worst and random samples with truth and prediction drawn, as jpegs into ``folder``; returns their list."""
    scores = np.asarray(evaluation.sample_scores(), dtype=float)
    ranked = [int(i) for i in np.argsort(scores, kind="stable") if np.isfinite(scores[i])]
    rng = np.random.default_rng([seed, len(scores)])
    chosen: dict[str, list[int]] = {
        "best": ranked[::-1][: NUM_PICTURES["best"]],
        "worst": ranked[: NUM_PICTURES["worst"]],
        "random": [int(i) for i in rng.permutation(len(scores))[: NUM_PICTURES["random"]]],
    }
    folder.mkdir(parents=True, exist_ok=True)
    listed = []
    for kind, indices in chosen.items():
        for index in indices:
            files: dict[str, str] = {}
            for what in ("truth", "prediction"):
                name = f"{index}_{what}.jpg"
                if not (folder / name).exists():
                    _write_jpeg(folder / name, evaluation.picture(index, what))
                files[what] = f"pictures/{name}"
            score = float(scores[index]) if np.isfinite(scores[index]) else None
            listed.append(Picture(kind=kind, index=index, image=image_ids[index], score=score, **files))
    return listed


def _write_jpeg(path: Path, picture_rgb: np.ndarray) -> None:
    cv2.imwrite(str(path), np.ascontiguousarray(picture_rgb[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 88])


def save_predictions(evaluation: Evaluation, folder: Path) -> str:
    """Predictions as a benchmark's files, ``predictions.*`` or below ``predictions/`` in the folder; returns what is said of an
    archive for the benchmark's server. JSON is compressed: nobody has asked for these files, and their numbers are those that
    were scored, to the last digit."""
    evaluation.write_predictions(folder / "predictions")
    said = evaluation.write_submission(folder / "predictions")
    for path in sorted(folder.glob("predictions.json")) + sorted((folder / "predictions").rglob("*.json")):
        compress(path)
    return said


def boxes_of_cell(cell_id: str, out: Path) -> Path:
    """The detector-box file among a cell's stored predictions.

    Raises:
        FileNotFoundError: there is none below ``out``.
    """
    patterns = (f"*/{cell_id}/predictions{between}*person*.json{end}" for between in ("*/", "") for end in (".gz", ""))
    found = [path for pattern in patterns for path in sorted(out.glob(pattern))]
    found = [path for path in found if is_inside(path, out)]
    if not found:
        raise FileNotFoundError(f"The detector boxes of cell {cell_id} are missing below {out}: run that cell first.")
    return found[0].resolve()
