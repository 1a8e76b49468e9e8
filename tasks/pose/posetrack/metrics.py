"""Average precision and CLEAR MOT of PoseTrack as the official evaluator (poseval) computes them. NumPy and SciPy only.

Per sequence: what every predicted joint scored and whether it hit, and counts of the tracking events; every figure of any
sequences follows from their sums. The order of operations and every rule: leonid-pishchulin/poseval 4258a15.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.base import MetricInfo, Stats
from tasks.direction import Direction
from tasks.pose.posetrack.clear_mot import COUNTS, JointTracks
from tasks.pose.posetrack.files.frames import NUM_JOINTS, Frame, People, scored_pair
from tasks.pose.skeletons.posetrack import POSETRACK

HEAD_FACTOR = 0.6
THRESHOLD = 0.5
GROUPS: dict[str, tuple[int, ...]] = {
    "Head": (14, 12, 13),
    "Shoulder": (8, 9),
    "Elbow": (7, 10),
    "Wrist": (6, 11),
    "Hip": (2, 3),
    "Knee": (1, 4),
    "Ankle": (0, 5),
}
"""The tables' columns; a group with an undefined joint is undefined."""
DETAILED = ("AP", "MOTA", "MOTP", "Prec", "Rec")
"""Figures that are also given for every joint and group: AP/nose, MOTA/Wrist, ..."""
ALL_ROWS = "MOTP all rows"
"""MOTP as today's tool prints it: newer versions of its tracking library add further rows to the sum of distances."""


def metric_infos() -> list[MetricInfo]:
    """Every figure by name, with its unit and direction."""
    described = {
        "AP": ("average precision of joints within half a head size, all points of the curve", (0.0, 100.0)),
        "MOTA": ("tracking accuracy: 100 less the share of misses, switches and false alarms", None),
        "MOTP": ("tracking precision: 100 less the mean distance of tracked joints, in head sizes", (0.0, 100.0)),
        "Prec": ("share of tracked joints that match an annotated one", (0.0, 100.0)),
        "Rec": ("share of annotated joints that are tracked", (0.0, 100.0)),
    }
    totals = {
        "AP precision": ("precision at the end of the curve, mean of the joints", (0.0, 100.0)),
        "AP recall": ("recall at the end of the curve, mean of the joints", (0.0, 100.0)),
        ALL_ROWS: ("MOTP over every row of today's tracking library, as the official tool prints it now", None),
    }
    made: list[MetricInfo] = []
    for kind, (text, bounds) in described.items():
        made.append(
            MetricInfo("mAP" if kind == "AP" else kind, "%", Direction.HIGHER, 1, bounds, f"{text}; mean of 15 joints")
        )
        places = [*GROUPS, *POSETRACK.names]
        made += [MetricInfo(f"{kind}/{name}", "%", Direction.HIGHER, 1, bounds, f"{text}; {name}") for name in places]
    return made + [MetricInfo(name, "%", Direction.HIGHER, 1, bounds, text) for name, (text, bounds) in totals.items()]


def distances(truth: People, found: People) -> NDArray[np.float64]:
    """(P, G, 15) distances over head sizes, infinite where either lacks the joint or the head has no size."""
    heads = HEAD_FACTOR * np.linalg.norm(truth.heads[:, 2:] - truth.heads[:, :2], axis=-1)
    shifts = np.linalg.norm(found.xy[:, None] - truth.xy[None], axis=-1)
    both = found.present[:, None] & truth.present[None] & (heads > 0)[None, :, None]
    return np.where(both, shifts / np.where(heads > 0, heads, 1.0)[None, :, None], np.inf)


def assign(truth: People, hits: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(G,) row of the prediction that each annotated person is given, -1 for none.

    Each prediction keeps the person of whom it hits the largest share of joints, then each person takes the best of those that
    kept it: there are no second chances.

    Args:
        hits: (P, G, 15) whether a joint of a prediction lies near enough to that of a person.
    """
    given = np.full(len(truth), -1, dtype=np.int64)
    if not len(hits) or not len(truth):
        return given
    annotated = truth.present.sum(1)
    share = hits.sum(2) / np.maximum(annotated, 1)
    best = share.argmax(1)
    kept = np.where(np.arange(len(truth))[None] == best[:, None], share, 0.0)
    return np.where(kept.max(0) > 0, kept.argmax(0), -1)


def joint_labels(truth: People, found: People, near: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(P, 15) whether each predicted joint is a hit: that of the person that its prediction was given to, near enough."""
    hits = near <= THRESHOLD
    labels = np.zeros((len(found), NUM_JOINTS), dtype=bool)
    for person, prediction in enumerate(assign(truth, hits)):
        if prediction >= 0:
            labels[prediction] = hits[prediction, person]
    return labels


@dataclass
class SequenceSums:
    """Sums over the frames of one sequence; `rows` hold (joint, score, hit) of every predicted joint."""

    annotated: NDArray[np.int64]
    counts: NDArray[np.float64]
    rows: list[tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]]
    frames: int = 0


def sequence_sums(truth: Sequence[Frame], found: Sequence[People]) -> SequenceSums:
    """The sums of one sequence.

    Frames whose annotation lists nobody are left out, with their predictions; of the others the last enters no tracking count.

    Raises:
        ValueError: another number of frames, or a track id twice among the predictions of one frame.
    """
    if len(truth) != len(found):
        raise ValueError(f"Expected predictions of {len(truth)} frames but got {len(found)}; write one entry per frame")
    for frame, persons in zip(truth, found, strict=True):
        if len(np.unique(persons.ids)) != len(persons):
            raise ValueError(
                f"{frame.file}: expected each track id once in a frame's predictions, got {persons.ids.tolist()}"
            )
    kept = [(frame, persons) for frame, persons in zip(truth, found, strict=True) if len(frame.people)]
    sums = SequenceSums(np.zeros(NUM_JOINTS, np.int64), np.zeros((NUM_JOINTS, len(COUNTS))), [], len(kept))
    tracks = [JointTracks() for _ in range(NUM_JOINTS)]
    for number, (frame, persons) in enumerate(kept):
        annotated, predicted = scored_pair(frame, persons)
        near = distances(annotated, predicted)
        sums.annotated += annotated.present.sum(0)
        if len(predicted):
            labels = joint_labels(annotated, predicted, near)
            rows, joints = np.nonzero(predicted.present)
            sums.rows.append((joints, predicted.scores[rows, joints], labels[rows, joints]))
        if number == len(kept) - 1:
            break
        for joint, track in enumerate(tracks):
            if not len(annotated) or not len(predicted):
                track.nothing_to_match()
                continue
            objects, hypotheses = annotated.present[:, joint], predicted.present[:, joint]
            costs = near[hypotheses][:, objects, joint].T
            track.update(annotated.ids[objects], predicted.ids[hypotheses], np.where(costs <= THRESHOLD, costs, np.inf))
    sums.counts += np.array([track.counts() for track in tracks])
    return sums


def stats_of(names: Iterable[str], sums: Sequence[SequenceSums]) -> Stats:
    """Statistics of sequences: `image` (their names), `annotated`, the tracking counts (each (N, 15)), `frames` (N,), and
    `joint`, `score`, `hit` of every predicted joint with `joint_start`, `score_start`, `hit_start` (N + 1,)."""
    counted = np.array([one.counts for one in sums]).reshape(len(sums), NUM_JOINTS, len(COUNTS))
    rows = [row for one in sums for row in one.rows]
    sizes = [sum(len(row[0]) for row in one.rows) for one in sums]
    start = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64)

    def column(index: int, kind: type) -> NDArray:
        return np.concatenate([row[index] for row in rows]).astype(kind) if rows else np.zeros(0, dtype=kind)

    stats: Stats = {
        "image": np.array(list(names)),
        "annotated": np.array([one.annotated for one in sums]).reshape(len(sums), NUM_JOINTS),
        "frames": np.array([one.frames for one in sums], dtype=np.int64),
        **{name: counted[:, :, place] for place, name in enumerate(COUNTS)},
    }
    for index, (name, kind) in enumerate((("joint", np.int8), ("score", np.float64), ("hit", np.bool_))):
        stats[name], stats[f"{name}_start"] = column(index, kind), start
    return stats


def tracking_figures(sums: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """MOTA, MOTP, Prec and Rec in per cent, (15,) each, from summed counts (15,); NaN where nothing was annotated."""
    misses, switches, matches = sums["misses"], sums["switches"], sums["matches"]
    alarms = sums["false_positives"]
    objects, detected = misses + switches + matches, switches + matches
    return {
        "MOTA": 100 * (1 - _share(misses + switches + alarms, objects)),
        "MOTP": _motp(sums["dist_match"], detected),
        ALL_ROWS: _motp(sums["dist_all"], detected),
        "Prec": 100 * _share(detected, detected + alarms),
        "Rec": 100 * _share(detected, objects),
    }


def _motp(distance: NDArray[np.float64], detected: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(detected > 0, 100 * (1 - distance / np.maximum(detected, 1)), 0.0)


def _share(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1), np.nan)


def precision_figures(
    joint: NDArray[np.int8],
    score: NDArray[np.float64],
    hit: NDArray[np.bool_],
    times: NDArray[np.integer],
    annotated: NDArray,
) -> dict[str, NDArray[np.float64]]:
    """AP, and the precision and recall that it ends with, in per cent, (15,) each.

    Args:
        joint, score, hit: (M,) of predicted joints. times: (M,) how often each counts. annotated: (15,) annotated joints.
    """
    found = {name: np.zeros(NUM_JOINTS) for name in ("AP", "AP precision", "AP recall")}
    order = np.argsort(score, kind="stable")[::-1]
    order = order[times[order] > 0]
    for place in range(NUM_JOINTS):
        rows = order[joint[order] == place]
        if not len(rows):
            continue
        weight = times[rows]
        positives, taken = np.cumsum(weight * hit[rows]), np.cumsum(weight)
        precision = positives / taken
        found["AP precision"][place] = 100 * precision[-1]
        if annotated[place] == 0:
            found["AP"][place] = found["AP recall"][place] = np.nan
            continue
        recall = positives / annotated[place]
        envelope = np.maximum.accumulate(precision[::-1])[::-1]
        steps = np.diff(np.concatenate([[0.0], recall]))
        found["AP"][place] = 100 * float((steps * envelope).sum())
        found["AP recall"][place] = 100 * recall[-1]
    return found


def joint_figures(
    stats: Stats, counts: NDArray[np.integer] | None = None, wanted: Collection[str] | None = None
) -> dict[str, NDArray[np.float64]]:
    """Every figure of every joint, (15,) each; `counts` (N,) says how often each sequence counts (None: once).

    `wanted`: the kinds that are needed ("AP", "MOTA", ...); None for all.
    """
    times = np.ones(len(stats["image"]), dtype=np.int64) if counts is None else np.asarray(counts, dtype=np.int64)
    made: dict[str, NDArray[np.float64]] = {}
    if wanted is None or any(name.startswith("AP") for name in wanted):
        repeats = np.repeat(times, np.diff(stats["joint_start"]))
        made |= precision_figures(stats["joint"], stats["score"], stats["hit"], repeats, times @ stats["annotated"])
    weights = times.astype(np.float64)
    made |= tracking_figures({name: np.asarray(weights @ stats[name], dtype=np.float64) for name in COUNTS})
    return made


def mean(values: NDArray[np.float64]) -> float:
    """The mean of the joints that are defined; NaN where none is."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else float("nan")


def figures(
    stats: Stats, counts: NDArray[np.integer] | None = None, wanted: Collection[str] | None = None
) -> dict[str, float]:
    """Totals, groups and joints by name, in per cent: "mAP", "AP/Head", "AP/nose", "MOTA", "MOTA/Wrist", ...; none without
    ground truth."""
    if "annotated" not in stats:
        return {}
    kinds = None if wanted is None else {name.split("/")[0].replace("mAP", "AP") for name in wanted}
    found = joint_figures(stats, counts, kinds)
    found = {kind: values for kind, values in found.items() if kinds is None or kind in kinds}
    made = {"mAP" if kind == "AP" else kind: mean(values) for kind, values in found.items()}
    for kind in DETAILED:
        if kind in found:
            made |= {f"{kind}/{group}": float(found[kind][list(joints)].mean()) for group, joints in GROUPS.items()}
            made |= {f"{kind}/{name}": float(found[kind][joint]) for joint, name in enumerate(POSETRACK.names)}
    return made
