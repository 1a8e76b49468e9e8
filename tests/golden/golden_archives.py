"""Golden archives: where they lie, deterministic weights, and checkpoints in a source's own format. Not a test itself."""

from __future__ import annotations

import csv
import os
import zlib
from pathlib import Path

import numpy as np
import torch

REPOSITORY = Path(__file__).parents[2]
GOLDEN = Path(os.environ.get("HRNET_GOLDEN", REPOSITORY / "tests" / "data" / "golden"))
SAMPLES = Path(os.environ.get("HRNET_SAMPLES", REPOSITORY.parent / "shared" / "samples"))


def index_rows(folder: str) -> list[dict[str, str]]:
    """The rows of <golden>/<folder>/index.csv; none if there is no such file."""
    path = GOLDEN / folder / "index.csv"
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def manifest_names() -> list[str]:
    """Every key manifest found."""
    return sorted(p.stem for p in (GOLDEN / "manifests").glob("*.tsv") if p.stem != "summary")


def manifest(name: str) -> dict[str, tuple[int, ...]]:
    """Key -> shape of a manifest, in the order of the file."""
    return manifest_of(GOLDEN / "manifests" / f"{name}.tsv")


def manifest_of(path: Path) -> dict[str, tuple[int, ...]]:
    """Key -> shape, in the order of the file."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return {r["key"]: () if r["shape"] == "scalar" else tuple(map(int, r["shape"].split("x"))) for r in rows}


def summary_rows() -> list[dict[str, str]]:
    """The rows of manifests/summary.tsv: parameters and multiply-adds."""
    path = GOLDEN / "manifests" / "summary.tsv"
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def seeded_tensor(key: str, shape: tuple[int, ...]) -> torch.Tensor:
    """A state-dict value as a pure function of its key and shape (the archives' seeded_weights.py, tested to be equal)."""
    if key.endswith("num_batches_tracked"):
        return torch.tensor(0, dtype=torch.long)
    draw = np.random.RandomState(zlib.crc32(key.encode()))
    if key.endswith("running_var"):
        values = draw.uniform(0.5, 1.5, shape)
    elif key.endswith("running_mean"):
        values = 0.1 * draw.standard_normal(shape)
    elif len(shape) >= 2:
        values = draw.standard_normal(shape) / np.sqrt(int(np.prod(shape[1:])))
    elif key.endswith("weight"):
        values = draw.uniform(0.5, 1.5, shape)
    else:
        values = 0.1 * draw.standard_normal(shape)
    return torch.from_numpy(np.asarray(values, dtype=np.float32))


def seeded_input(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    """A standard normal input, a pure function of the archive's name."""
    draw = np.random.RandomState(zlib.crc32(name.encode()))
    return torch.from_numpy(draw.standard_normal(tuple(shape)).astype(np.float32))


def write_seeded(path: Path, name: str, prefix: str = "") -> Path:
    """A checkpoint of the manifest ``name`` with seeded weights; keys are hashed without the prefix."""
    torch.save({prefix + key: seeded_tensor(key, shape) for key, shape in manifest(name).items()}, path)
    return path


def write_hollow(path: Path, name: str, prefix: str = "") -> Path:
    """A checkpoint with every key and shape of a manifest and hardly a byte: each tensor repeats one stored number."""
    one, count = torch.full((1,), 0.5), torch.zeros((), dtype=torch.long)
    torch.save(
        {prefix + k: count if k.endswith("num_batches_tracked") else one.expand(s) for k, s in manifest(name).items()},
        path,
    )
    return path
