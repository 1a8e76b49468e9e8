"""Archives of the pose rivals: where they lie, their indices, manifests and seeded weights."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from golden_archives import REPOSITORY, seeded_tensor
from torch import nn

from hrnet import identify_checkpoint, load_checkpoint
from tasks import build_model

Arrays = dict[str, np.ndarray]


FOLDERS = (
    Path(os.environ["HRNET_GOLDEN"]) / "pose_rivals" if os.environ.get("HRNET_GOLDEN") else None,
    REPOSITORY / "tests" / "data" / "golden" / "pose_rivals",
    REPOSITORY.parent / "shared" / "golden" / "pose_rivals",
)


GOLDEN = next((f for f in FOLDERS if f is not None and f.is_dir()), FOLDERS[-1])
assert GOLDEN is not None


def table(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    """The rows of a csv or tsv file; none where it is absent."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def cases(found: list[Any], name: Callable[[Any], str], what: str) -> list[Any]:
    """Parameters of what was found, named ``pose_rivals-<archive>``; a skipped one where there is nothing."""
    if not found:
        return [
            pytest.param(None, id=f"pose_rivals-no-{what}", marks=pytest.mark.skip(reason=f"no {what} in {GOLDEN}"))
        ]
    return [pytest.param(entry, id=f"pose_rivals-{name(entry)}") for entry in found]


def indexed(folder: str) -> list[Any]:
    return cases(table(GOLDEN / folder / "index.csv"), lambda row: str(row["archive"]), folder)


def archives(pattern: str) -> list[Any]:
    return cases(sorted((GOLDEN / "functions").glob(pattern)), lambda path: path.stem, pattern)


def load(path: Path) -> Arrays:
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files}


def manifest(name: str) -> dict[str, tuple[int, ...]]:
    rows = table(GOLDEN / "manifests" / f"{name}.tsv", "\t")
    return {r["key"]: () if r["shape"] == "scalar" else tuple(map(int, r["shape"].split("x"))) for r in rows}


def seeded(name: str, factor: float = 1.0) -> dict[str, torch.Tensor]:
    """Seeded weights of a manifest; those of the last convolution times ``factor``."""
    state = {key: seeded_tensor(key, shape) for key, shape in manifest(name).items()}
    for key in state:
        if key.startswith("head.final_layer."):
            state[key] *= factor
    return state


def loaded(state: dict[str, torch.Tensor], path: Path, model: str, dataset: str = "coco") -> nn.Module:
    torch.save(state, path)
    description = identify_checkpoint(path)
    network = build_model("pose", model, dataset, **description.build_options("pose", model, dataset))
    report = load_checkpoint(network, path)
    assert not (report.missing or report.unexpected or report.mismatched or report.ignored)
    return network.eval()


def relative(found: torch.Tensor, expected: np.ndarray) -> float:
    assert tuple(found.shape) == expected.shape
    return float(np.linalg.norm(found.numpy().astype(np.float64) - expected) / np.linalg.norm(expected))
