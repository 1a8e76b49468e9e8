"""PoseTrack's evaluation, matching and boxes against recorded numbers of the official evaluator, over every archive found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from golden_archives import GOLDEN, index_rows

from tasks.pose.posetrack.boxes import box_around, box_nms
from tasks.pose.posetrack.clear_mot import COUNTS
from tasks.pose.posetrack.files.frames import Frame, People, Video, people, scored_pair
from tasks.pose.posetrack.files.splits import read_video
from tasks.pose.posetrack.from_coco import joint_scores, posetrack_from_coco
from tasks.pose.posetrack.matching import oks_matrix
from tasks.pose.posetrack.metrics import (
    ALL_ROWS,
    GROUPS,
    distances,
    joint_figures,
    joint_labels,
    mean,
    sequence_sums,
    stats_of,
)
from tasks.pose.skeletons.posetrack import POSETRACK
from tasks.tracking.joining import continued, track_similarities

FOLDER = GOLDEN / "posetrack"
Arrays = dict[str, np.ndarray]
NAMES = {
    "ap": "AP",
    "ap_pre": "AP precision",
    "ap_rec": "AP recall",
    "mot_mota": "MOTA",
    "mot_motp_match": "MOTP",
    "mot_motp": ALL_ROWS,
    "mot_pre": "Prec",
    "mot_rec": "Rec",
}


def archives(kind: str) -> list[object]:
    """Parameters of the archives of a kind (what its name says before "of"); a skipped one that says so where there is none."""
    found = [row["archive"] for row in index_rows("posetrack") if _short(row["kind"]) == kind]
    if not found:
        reason = f"no archive of kind {kind!r} below {FOLDER}"
        return [pytest.param("", marks=pytest.mark.skip(reason=reason), id=f"posetrack-no-{kind.replace(' ', '-')}")]
    return [pytest.param(name, id=f"posetrack-{Path(name).stem}") for name in found]


def _short(kind: str) -> str:
    return "files" if kind.startswith("evaluation of") else kind


def load(name: str) -> Arrays:
    with np.load(FOLDER / name) as archive:
        return {key: archive[key] for key in archive.files}


def frames_of(data: Arrays) -> list[Frame]:
    """The annotated frames of an archive's arrays."""
    regions: dict[int, list[np.ndarray]] = {}
    corners = np.split(data["in_poly_xy"], np.cumsum(data["in_poly_len"])[:-1]) if len(data["in_poly_len"]) else []
    for frame, polygon in zip(data["in_poly_frame"].tolist(), corners, strict=True):
        regions.setdefault(frame, []).append(polygon)
    made = []
    for number in range(len(data["in_frame_seq"])):
        at = data["in_gt_frame"] == number
        present = data["in_gt_vis"][at] >= 0
        # Persons without a joint were written in 2017's form, where such a person has no list of points.
        persons = people(
            data["in_gt_id"][at], data["in_gt_xy"][at], present, heads=data["in_gt_head"][at], listed=present.any(1)
        )
        made.append(Frame(f"{number:06d}.jpg", number, persons, tuple(regions.get(number, ()))))
    return made


def found_of(data: Arrays) -> list[People]:
    """The predicted persons of every frame."""
    made = []
    for number in range(len(data["in_frame_seq"])):
        at = data["in_pr_frame"] == number
        has = data["in_pr_has"][at] > 0
        made.append(people(data["in_pr_id"][at], data["in_pr_xy"][at], has, data["in_pr_score"][at], listed=has.any(1)))
    return made


@pytest.mark.parametrize("name", archives("evaluation"))
def test_evaluation(name: str) -> None:
    data = load(name)
    truth, found, sequence = frames_of(data), found_of(data), data["in_frame_seq"]
    numbers = sorted(set(sequence.tolist()))
    sums = [
        sequence_sums(
            [truth[i] for i in np.flatnonzero(sequence == number)],
            [found[i] for i in np.flatnonzero(sequence == number)],
        )
        for number in numbers
    ]
    assert [number for number, one in zip(numbers, sums, strict=True) if one.frames] == data["out_seq_kept"].tolist()
    stats = stats_of(map(str, numbers), sums)
    assert stats["frames"].sum() == data["out_frames_kept"]
    check(stats, data, "out_")
    labels_as_recorded(truth, found, data)


def check(stats: Arrays, data: Arrays, prefix: str) -> None:
    """Figures of all sequences and of each, and all counts, as recorded."""
    np.testing.assert_array_equal(stats["annotated"].sum(0), data[f"{prefix}gt_joints"])
    kept = data[f"{prefix}seq_kept"]
    for name in COUNTS:
        if name.startswith("dist"):
            np.testing.assert_allclose(stats[name][kept], data[f"{prefix}count_{name}"], rtol=0, atol=1e-9)
        else:
            np.testing.assert_array_equal(stats[name][kept], data[f"{prefix}count_{name}"])
    objects = stats["misses"] + stats["switches"] + stats["matches"]
    np.testing.assert_array_equal(objects[kept], data[f"{prefix}count_objects"])
    whole = joint_figures(stats)
    for recorded, ours in NAMES.items():
        compare(whole[ours], data[f"{prefix}{recorded}"], f"{prefix}{recorded}")
    groups = [whole["AP"][list(joints)].mean() for joints in GROUPS.values()]
    np.testing.assert_allclose([*groups, mean(whole["AP"])], data[f"{prefix}ap_groups"], rtol=0, atol=1e-9)
    for row, number in enumerate(kept):
        counts = (np.arange(len(stats["image"])) == number).astype(int)
        alone = joint_figures(stats, counts)
        for recorded, ours in NAMES.items():
            key = f"{prefix}seq_{'ap_' if recorded.startswith('ap') else ''}{recorded}"
            if key in data:
                compare(alone[ours], data[key][row], f"{key}, sequence {number}")


def compare(ours: np.ndarray, recorded: np.ndarray, what: str) -> None:
    np.testing.assert_allclose([*ours, mean(ours)], recorded, rtol=0, atol=1e-9, err_msg=what)


def labels_as_recorded(truth: list[Frame], found: list[People], data: Arrays) -> None:
    """Which joints are scored, and which predicted joints are hits."""
    for number, (frame, persons) in enumerate(zip(truth, found, strict=True)):
        at_truth, at_found = data["in_gt_frame"] == number, data["in_pr_frame"] == number
        if not len(frame.people):
            assert not data["out_pr_kept"][at_found].any()
            continue
        annotated, predicted = scored_pair(frame, persons)
        labels = joint_labels(annotated, predicted, distances(annotated, predicted))
        for at, listed, kept in ((at_truth, frame.people, annotated), (at_found, persons, predicted)):
            rows = [kept.ids.tolist().index(name) if name in kept.ids else -1 for name in listed.ids]
            held = np.array([kept.present[row] if row >= 0 else np.zeros(15, bool) for row in rows]).reshape(-1, 15)
            key = "out_gt_kept" if listed is frame.people else "out_pr_kept"
            np.testing.assert_array_equal(held, data[key][at] > 0, err_msg=f"{key}, frame {number}")
        recorded = data["out_pr_label"][at_found]
        for row, name in enumerate(persons.ids.tolist()):
            at = np.flatnonzero(predicted.ids == name)
            ours = np.where(predicted.present[at[0]], labels[at[0]], -1) if len(at) else np.full(15, -1)
            np.testing.assert_array_equal(ours, recorded[row], err_msg=f"labels, frame {number}, prediction {name}")


@pytest.mark.parametrize("name", archives("files"))
def test_files(name: str) -> None:
    data = load(name)
    for form, prefix in (("18", "out_"), ("17", "out17_")):
        folder = FOLDER / f"posetrack{form}_json"
        paths = sorted((folder / "gt").glob("*.json"))
        truth = [read_video(path, truth=True) for path in paths]
        found = [read_video(folder / "pred" / path.name, truth=False) for path in paths]
        sums = [
            sequence_sums(annotated.frames, [frame.people for frame in predicted.frames])
            for annotated, predicted in zip(truth, found, strict=True)
        ]
        stats = stats_of((video.name for video in truth), sums)
        assert stats["frames"].sum() == data[f"{prefix}frames_kept"]
        check(stats, data, prefix)
        if form == "18":
            check_reading(truth, found, data)


def check_reading(truth: list[Video], found: list[Video], data: Arrays) -> None:
    """The arrays that a reader should give."""
    annotated = [frame for video in truth for frame in video.frames]
    predicted = [frame for video in found for frame in video.frames]
    assert len(annotated) == len(data["in_frame_seq"])
    for number, (frame, made) in enumerate(zip(annotated, predicted, strict=True)):
        at, at_found = data["in_gt_frame"] == number, data["in_pr_frame"] == number
        np.testing.assert_array_equal(frame.people.ids, data["in_gt_id"][at])
        np.testing.assert_array_equal(frame.people.heads, data["in_gt_head"][at])
        present = data["in_gt_vis"][at] >= 0
        np.testing.assert_array_equal(frame.people.present, present)
        np.testing.assert_array_equal(frame.people.xy[present], data["in_gt_xy"][at][present])
        np.testing.assert_array_equal(made.people.ids, data["in_pr_id"][at_found])
        has = data["in_pr_has"][at_found] > 0
        np.testing.assert_array_equal(made.people.present, has)
        np.testing.assert_array_equal(made.people.xy[has], data["in_pr_xy"][at_found][has])
        np.testing.assert_allclose(made.people.scores[has], data["in_pr_score"][at_found][has], rtol=0, atol=1e-12)
        assert len(frame.regions) == (data["in_poly_frame"] == number).sum()


def cases(data: Arrays) -> list[Arrays]:
    """The numbered cases of an archive, each without its prefix, with what all share."""
    shared = {key: value for key, value in data.items() if not key.startswith("case")}
    numbers = sorted({int(key[4 : key.index("_")]) for key in data if key.startswith("case")})
    return [
        shared | {key.partition("_")[2]: value for key, value in data.items() if key.startswith(f"case{number}_")}
        for number in numbers
    ]


@pytest.mark.parametrize("name", archives("pose matching"))
def test_matching(name: str) -> None:
    found = cases(load(name))
    assert found
    for number, case in enumerate(found):
        every = oks_matrix(case["mem_xy"], case["mem_area"], case["cur_xy"], case["cur_area"], case["sigmas15"])
        newest = np.flatnonzero(case["mem_age"] == 1)
        previous, owners = every[newest], case["mem_id"][newest].tolist()
        np.testing.assert_allclose(previous, case["sim_prev"], rtol=1e-5, atol=1e-7, err_msg=f"case {number}")
        threshold, first = float(case["thr"]), int(case["next_id"])
        greedy, _ = continued(previous, owners, threshold, first)
        np.testing.assert_array_equal(greedy, case["ids_greedy"], err_msg=f"greedy, case {number}")
        sequential, _ = continued(previous, owners, threshold, first, "sequential")
        np.testing.assert_array_equal(sequential, case["ids_sequential"], err_msg=f"sequential, case {number}")
        tracks, best = track_similarities(every, case["mem_id"].tolist())
        np.testing.assert_array_equal(tracks, case["tracks_memory"])
        np.testing.assert_allclose(best, case["sim_memory"], rtol=1e-5, atol=1e-7)
        remembered, _ = continued(best, tracks.tolist(), threshold, first)
        np.testing.assert_array_equal(remembered, case["ids_memory"], err_msg=f"memory, case {number}")


def test_our_tolerances_are_the_recorded() -> None:
    for row in index_rows("posetrack"):
        if row["kind"] == "pose matching":
            np.testing.assert_allclose(POSETRACK.sigmas(), load(row["archive"])["sigmas15"], rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", archives("box union"))
def test_boxes(name: str) -> None:
    found = cases(load(name))
    assert found
    for number, case in enumerate(found):
        carried = box_around(case["joints"], 0.15)
        np.testing.assert_allclose(carried, case["flow_box"], rtol=0, atol=1e-9, err_msg=f"case {number}")
        boxes = np.concatenate([case["det_box"], case["flow_box"]])
        scores = np.concatenate([case["det_score"], case["flow_score"]])
        for key, threshold in (("keep_5", 0.5), ("keep_7", 0.7)):
            np.testing.assert_array_equal(box_nms(boxes, scores, threshold), case[key], err_msg=f"{key}, case {number}")


@pytest.mark.parametrize("name", archives("joint mapping"))
def test_joints_from_coco(name: str) -> None:
    data = load(name)
    made = posetrack_from_coco(data["coco_xys"])
    np.testing.assert_allclose(made[..., :2], data["xy15"], rtol=0, atol=1e-9)
    for kind in ("global", "local", "scaled"):
        scores = joint_scores(made[..., 2], data["person_score"], kind)
        np.testing.assert_allclose(scores, data[f"score15_{kind}"], rtol=0, atol=1e-9, err_msg=kind)
    np.testing.assert_array_equal(made[..., 2] >= 0.4, data["kept_at_0p4"] > 0)
