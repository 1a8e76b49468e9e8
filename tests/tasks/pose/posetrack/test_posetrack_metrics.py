"""PoseTrack's figures: regions, sums that merge, and rules that the recorded numbers do not single out."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.pose.posetrack.clear_mot import JointTracks
from tasks.pose.posetrack.files.frames import Frame, people, strictly_inside
from tasks.pose.posetrack.metrics import figures, metric_infos, sequence_sums, stats_of

SQUARE = [(0, 0), (10, 0), (10, 10), (0, 10)]
BOW_TIE = [(0, 0), (10, 10), (10, 0), (0, 10)]


@pytest.mark.parametrize(
    ("polygon", "point", "inside"),
    [
        (SQUARE, (5, 5), True),
        (SQUARE, (0, 5), False),
        (SQUARE, (10, 10), False),
        (SQUARE, (5, 10), False),
        (SQUARE, (11, 5), False),
        (BOW_TIE, (1, 5), True),
        (BOW_TIE, (9, 5), True),
        (BOW_TIE, (5, 1), False),
        (BOW_TIE, (5, 5), False),
        (SQUARE * 2, (5, 5), False),
        ([(0, 0), (3, 1), (0, 5)], (1.5, 0.5), False),
        ([(0, 0), (0.3, 0.1), (0, 0.5)], (0.15, 0.05), False),
        ([(0, 0), (10, 0), (5, 5), (10, 10), (0, 10)], (4, 5), True),
        ([(0, 0), (10, 0), (5, 5), (10, 10), (0, 10)], (6, 5), False),
    ],
)
def test_strictly_inside(polygon: list[tuple[float, float]], point: tuple[float, float], inside: bool) -> None:
    for start in range(len(polygon)):
        turned = polygon[start:] + polygon[:start]
        assert strictly_inside(point, turned) is inside
        assert strictly_inside(point, turned[::-1]) is inside


def test_a_region_needs_three_corners() -> None:
    with pytest.raises(ValueError, match="at least 3 corners"):
        strictly_inside((0, 0), [(0, 0), (1, 1)])


def drawn_sequence(seed: int, length: int = 6) -> tuple[list[Frame], list]:
    """A video of two persons, and predictions with errors."""
    rng = np.random.default_rng(seed)
    truth, found = [], []
    for number in range(length):
        xy = rng.uniform(0, 100, (2, 15, 2))
        present = rng.random((2, 15)) < 0.8
        truth.append(Frame(f"{number}.jpg", number, people([1, 2], xy, present, heads=[[0, 0, 12, 16]] * 2)))
        moved = xy + rng.normal(0, 4, xy.shape)
        ids = [7, 8] if rng.random() < 0.7 else [8, 9]
        found.append(people(ids, moved, rng.random((2, 15)) < 0.8, rng.random((2, 15))))
    return truth, found


def test_sums_of_sequences_merge_as_a_bootstrap_draws_them() -> None:
    sums = [sequence_sums(*drawn_sequence(seed)) for seed in range(4)]
    stats = stats_of("abcd", sums)
    counts = [2, 0, 1, 3]
    drawn = figures(stats, np.array(counts))
    repeated = [number for number, count in enumerate(counts) for _ in range(count)]
    written_out = figures(stats_of(map(str, range(len(repeated))), [sums[number] for number in repeated]))
    assert drawn == pytest.approx(written_out, nan_ok=True, abs=1e-9)
    assert drawn != pytest.approx(figures(stats), nan_ok=True)
    few = figures(stats, np.array(counts), ("MOTA", "mAP"))
    assert few["MOTA"] == drawn["MOTA"] and few["mAP"] == drawn["mAP"] and "Rec" not in few
    assert set(drawn) <= {metric.name for metric in metric_infos()}


def test_a_sequence_without_annotated_persons_counts_nothing() -> None:
    truth, found = drawn_sequence(0)
    empty = [Frame(frame.file, frame.image_id) for frame in truth]
    sums = sequence_sums(empty, found)
    assert sums.frames == 0 and not sums.counts.any() and not sums.rows
    with_it = stats_of("ab", [sequence_sums(truth, found), sums])
    assert figures(with_it) == pytest.approx(figures(stats_of("a", [sequence_sums(truth, found)])), nan_ok=True)


def test_ids_may_change_between_sequences_and_not_within() -> None:
    truth, found = drawn_sequence(3, 5)
    found = [people([7, 8], frame.people.xy, frame.people.present, np.ones((2, 15))) for frame in truth]
    assert sequence_sums(truth, found).counts[:, 1].sum() == 0
    swapped = [*found[:2], *(people([8, 7], one.xy, one.present, one.scores) for one in found[2:])]
    assert sequence_sums(truth, swapped).counts[:, 1].sum() > 0
    with pytest.raises(ValueError, match="each track id once"):
        sequence_sums(truth, [people([7, 7], one.xy, one.present, one.scores) for one in found])
    with pytest.raises(ValueError, match="5 frames"):
        sequence_sums(truth, found[:-1])


def test_an_object_keeps_its_hypothesis_though_another_is_nearer() -> None:
    tracks = JointTracks()
    tracks.update([1], [5], np.array([[0.4]]))
    tracks.update([1], [5, 6], np.array([[0.4, 0.1]]))
    assert (tracks.matches, tracks.switches, tracks.false_positives) == (2, 0, 1)
    tracks.update([1], [6], np.array([[0.1]]))
    assert (tracks.matches, tracks.switches) == (2, 1)
    tracks.update([1, 2], [6, 5], np.array([[np.inf, 0.3], [np.inf, 0.2]]))
    assert (tracks.misses, tracks.matches, tracks.switches) == (1, 3, 1)


def test_as_many_pairs_as_possible_come_before_their_cost() -> None:
    tracks = JointTracks()
    tracks.update([1, 2], [5, 6], np.array([[0.0, 0.5], [0.5, np.inf]]))
    assert (tracks.matches, tracks.misses, tracks.dist_match) == (2, 0, 1.0)
