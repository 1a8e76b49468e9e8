"""Face functions against the reference implementation's recorded numbers, over every archive found."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tasks.landmarks.entries import ENTRIES
from tasks.landmarks.files.markup import mirror_points
from tasks.landmarks.metrics import face_errors, failure_rate, normaliser_lengths
from tasks.landmarks.protocol import LandmarkProtocol
from tasks.landmarks.targets import decode_faces

GOLDEN = Path(os.environ.get("HRNET_GOLDEN", Path(__file__).parents[1] / "data" / "golden"))


def archives() -> list[object]:
    """Parameters of the archives found; a skipped one that says so where there is none."""
    found = sorted((GOLDEN / "functions").glob("face_*.npz"))
    if not found:
        reason = f"no face_*.npz below {GOLDEN / 'functions'}"
        return [pytest.param(None, "", marks=pytest.mark.skip(reason=reason), id="no-face")]
    return [pytest.param(path, path.stem.split("_")[1], id=path.stem) for path in found]


def load(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files}


@pytest.mark.parametrize(("path", "dataset"), archives())
def test_nme_and_failure_rates(path: Path, dataset: str) -> None:
    data, markup = load(path), ENTRIES[dataset].markup
    box = data["box_size"] if dataset == "aflw" else None
    lengths = normaliser_lengths(data["gt"], markup, box)
    nme = face_errors(data["pred"], data["gt"]).mean(1) / lengths["box" if dataset == "aflw" else "inter_ocular"]
    np.testing.assert_allclose(nme, data["nme"], rtol=1e-6)
    for threshold in (0.08, 0.10):
        recorded = float(data[f"failure_rate_at_{threshold:.2f}".replace(".", "_")])
        assert failure_rate(nme, threshold) == pytest.approx(recorded, abs=1e-12)


@pytest.mark.parametrize(("path", "dataset"), archives())
def test_decoding(path: Path, dataset: str) -> None:
    data = load(path)
    points, _ = decode_faces(data["heatmaps"], data["center"], data["scale"], LandmarkProtocol())
    np.testing.assert_array_equal(points, data["decoded"])


@pytest.mark.parametrize(("path", "dataset"), archives())
def test_mirror(path: Path, dataset: str) -> None:
    data = load(path)
    mirrored = mirror_points(data["gt"][0], float(data["flip_width"]), ENTRIES[dataset].markup)
    np.testing.assert_allclose(mirrored, data["flipped_first"], rtol=0, atol=1e-6)
