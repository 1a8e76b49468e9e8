"""Whole evaluations on real pictures with seeded weights, against the reference implementation's recorded keypoints.

Runs what the ``eval`` verb runs, over every archive of pipelines/index.csv.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import golden_archives
import numpy as np
import pytest

from tasks import task_names

KNOWN = ("archive", "task", "dataset", "split", "model", "manifest", "protocol")


def cases() -> list[Any]:
    """The archives listed; those of a task that does not exist yet are skipped by name."""
    made: list[Any] = []
    for row in golden_archives.index_rows("pipelines"):
        name = row["archive"]
        absent = row["task"] not in task_names()
        marks = [pytest.mark.skip(reason=f"{name}: the task {row['task']} does not exist yet")] if absent else []
        made.append(pytest.param(row, id=name, marks=marks))
    if not made:
        reason = f"no pipelines/index.csv below {golden_archives.GOLDEN}"
        made.append(pytest.param({}, id="none", marks=pytest.mark.skip(reason=reason)))
    return made


def changes(text: str) -> dict[str, str]:
    """The protocol column: key=value parts between blanks or semicolons."""
    return dict(part.split("=", 1) for part in re.split(r"[;\s]+", text or "") if part)


def check_scores(found: np.ndarray, expected: np.ndarray) -> None:
    """Scores are heights of peaks in maps: what rounding may do to one is a share of the largest, not of itself."""
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_scores_near_zero_are_held_to_the_maps_they_were_read_from() -> None:
    expected = np.array([2e4, 1.0, 1e-3])
    check_scores(expected + np.array([0.1, 4e-3, 4e-3]), expected)
    with pytest.raises(AssertionError):
        check_scores(expected + np.array([0.0, 0.3, 0.0]), expected)


@pytest.mark.slow
@pytest.mark.parametrize("row", cases())
def test_pipeline(row: dict[str, str], samples: Path, seeded_checkpoint: Callable[..., Path], tmp_path: Path) -> None:
    from benchmarks.experiment.cell import make_cell
    from benchmarks.experiment.paths import Places
    from benchmarks.running.trial import run_cell
    from hrnet.checkpoints import identify_checkpoint

    assert set(KNOWN) <= set(row), f"pipelines/index.csv lacks a column: {sorted(row)}"
    with np.load(golden_archives.GOLDEN / "pipelines" / f"{row['archive']}.npz") as archive:
        golden = {name: archive[name] for name in archive.files}
    path = seeded_checkpoint(row["manifest"], row.get("key_prefix") or "")
    cell = make_cell(
        row["task"],
        row["dataset"],
        row["model"],
        split=row["split"],
        checkpoint=str(path),
        family=identify_checkpoint(path).family,
        protocol=changes(row["protocol"]),
    )
    kept: list[Any] = []
    places = Places(out=tmp_path / "runs", data_root=samples, batch_size=8, num_workers=0)
    stored = run_cell(cell, places, lambda progress: None, lambda evaluation, network: kept.append(evaluation))
    assert stored.done, stored.record.reason
    evaluation = kept[0]

    found, expected = evaluation.keypoints, golden["keypoints_xy_score"]
    assert found.shape == expected.shape
    distance = np.abs(found[..., :2] - expected[..., :2]).max(-1)
    assert (distance <= 0.05).mean() >= 0.99
    check_scores(found[..., 2], expected[..., 2])
    persons = evaluation.data.persons
    if "center_scale_area_score" in golden:
        areas = np.prod(persons.scales * 200, axis=1)
        rows = np.column_stack([persons.centres, persons.scales, areas, persons.scores])
        np.testing.assert_allclose(rows, golden["center_scale_area_score"], rtol=1e-6)
    names = [Path(persons.files[k]).name for k in persons.image]
    assert names == [Path(str(name)).name for name in golden["image"]]
