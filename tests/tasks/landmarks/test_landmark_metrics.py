"""Figures by hand, by numeric integration, by repetition and by parts."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.direction import Direction
from tasks.landmarks.entries import ENTRIES
from tasks.landmarks.metrics import (
    area_under_curve,
    check_stats,
    cumulative_errors,
    face_errors,
    failure_rate,
    landmark_figures,
    metric_infos,
    normaliser_lengths,
)


def made_up_stats(count: int = 40, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "image": np.array([f"{seed}_{k}" for k in range(count)]),
        "error_px": rng.gamma(2.0, 2.0, (count, 29)),
        "length_inter_ocular": rng.uniform(40, 90, count),
        "length_box": rng.uniform(90, 160, count),
        "occluded": rng.random((count, 29)) < 0.2,
        "subset_occluded": rng.random(count) < 0.4,
    }


def test_normalisers_by_hand() -> None:
    points = np.zeros((1, 68, 2))
    points[0, 36], points[0, 45] = (10, 20), (40, 60)
    assert normaliser_lengths(points, ENTRIES["300w"].markup)["inter_ocular"][0] == 50
    # the left eye's six points all at (10, 20), the right eye's at (13, 24): centres five apart
    points[0, 36:42], points[0, 42:48] = (10, 20), (13, 24)
    assert normaliser_lengths(points, ENTRIES["300w"].markup)["inter_pupil"][0] == 5
    wflw = np.zeros((1, 98, 2))
    wflw[0, 96], wflw[0, 97], wflw[0, 60], wflw[0, 72] = (0, 3), (4, 0), (0, 0), (6, 8)
    lengths = normaliser_lengths(wflw, ENTRIES["wflw"].markup)
    assert lengths["inter_pupil"][0] == 5 and lengths["inter_ocular"][0] == 10
    assert lengths["box"][0] == pytest.approx(np.sqrt(6 * 8))
    assert normaliser_lengths(np.zeros((2, 19, 2)), ENTRIES["aflw"].markup, [70, 80]).keys() == {"box"}


def test_figures_by_hand() -> None:
    """Two faces: errors of 3 and 6 px over 50 and 60 px are 6 % and 10 %."""
    stats = {
        "image": np.array(["a", "b"]),
        "error_px": np.array([[2.0, 4.0], [6.0, 6.0]]),
        "length_inter_ocular": np.array([50.0, 60.0]),
        "subset_common": np.array([True, False]),
        "occluded": np.array([[True, False], [False, False]]),
    }
    figures = landmark_figures(stats, "inter_ocular")
    assert figures["NME[inter_ocular]"] == pytest.approx(8.0)
    assert figures["NME[inter_ocular]/common"] == pytest.approx(6.0)
    assert figures["FR@0.08"] == 50.0 and figures["FR@0.08/common"] == 0.0
    assert figures["FR@0.10"] == 0.0, "0.10 does not exceed 0.10"
    assert figures["AUC@0.08"] == pytest.approx(100 * (0.25 + 0) / 2)
    assert figures["NME[inter_ocular]/occluded_points"] == pytest.approx(4.0), "of the one face that has such a point"
    assert figures["NME[inter_ocular]/visible_points"] == pytest.approx((8.0 + 10.0) / 2)


def test_area_is_the_integral_of_the_curve() -> None:
    nme = np.random.default_rng(0).gamma(2.0, 0.03, 300)
    for threshold in (0.08, 0.1):
        at = np.linspace(0, threshold, 200_001)
        share = np.searchsorted(np.sort(nme), at, side="right") / len(nme)
        assert area_under_curve(nme, threshold) == pytest.approx(
            (np.diff(at) * (share[1:] + share[:-1]) / 2).sum() / threshold, abs=1e-5
        )


def test_curve_ends_where_the_failure_rate_says() -> None:
    nme = np.array([0.01, 0.05, 0.1, 0.2])
    curve = dict(map(tuple, cumulative_errors(nme, 0.1, 10)))
    assert curve[0.0] == 0 and curve[5.0] == 50 and curve[10.0] == 75
    assert failure_rate(nme, 0.1) == 0.25


def test_counts_are_repetitions() -> None:
    stats = made_up_stats()
    counts = np.random.default_rng(1).integers(0, 4, 40)
    repeated = {name: np.repeat(values, counts, axis=0) for name, values in stats.items()}
    drawn, long = landmark_figures(stats, "inter_ocular", counts), landmark_figures(repeated, "inter_ocular")
    assert drawn.keys() == long.keys() and len(drawn) > 10
    for name, value in long.items():
        assert drawn[name] == pytest.approx(value), name


def test_wanted_figures_are_those_of_all() -> None:
    stats = made_up_stats()
    every = landmark_figures(stats, "inter_ocular", np.arange(40) % 3)
    for name in every:
        assert landmark_figures(stats, "inter_ocular", np.arange(40) % 3, [name]) == {name: every[name]}


def test_shards_merge_to_the_whole() -> None:
    parts = [made_up_stats(12, 1), made_up_stats(30, 2)]
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    figures = landmark_figures(whole, "box")
    first, second = (landmark_figures(part, "box") for part in parts)
    for name in ("NME[inter_ocular]", "NME[box]", "FR@0.08", "AUC@0.10"):
        assert figures[name] == pytest.approx((12 * first[name] + 30 * second[name]) / 42)


def test_every_figure_is_a_known_metric() -> None:
    infos = metric_infos(name for entry in ENTRIES.values() for name in entry.subsets)
    assert set(landmark_figures(made_up_stats(), "inter_ocular")) <= set(infos)
    assert infos["AUC@0.08"].direction is Direction.HIGHER and infos["NME[box]/frontal"].direction is Direction.LOWER
    assert all(name == info.name and info.unit == "%" for name, info in infos.items())


def test_a_larger_normaliser_gives_a_smaller_figure() -> None:
    stats = made_up_stats()
    bigger = stats | {"length_inter_ocular": stats["length_inter_ocular"] * 2}
    before, after = landmark_figures(stats, "inter_ocular"), landmark_figures(bigger, "inter_ocular")
    assert after["NME[inter_ocular]"] == pytest.approx(before["NME[inter_ocular]"] / 2)
    assert after["AUC@0.08"] > before["AUC@0.08"]


def test_other_numbers_of_points_are_refused() -> None:
    with pytest.raises(ValueError, match="Expected predictions of 98 points but got 68"):
        face_errors(np.zeros((2, 68, 2)), np.zeros((2, 98, 2)))


def test_a_normaliser_that_the_set_has_not() -> None:
    with pytest.raises(ValueError, match=r"Expected a normaliser of \['box'\] .* but got 'inter_ocular'"):
        check_stats({"length_box": np.ones(2)}, "inter_ocular")
