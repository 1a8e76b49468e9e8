"""PoseTrack's form of 2017: a list of frames whose every value sits in a list of one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tasks.pose.posetrack.files.fields import entries, numbers, picture_path, polygon, track_id, unique
from tasks.pose.posetrack.files.form_2018 import joined
from tasks.pose.posetrack.files.frames import NO_SCORE, NUM_JOINTS, Frame, People, Video, people


def read_2017(data: dict[str, Any], path: Path, truth: bool, image_id: Callable[[str, int], int]) -> Video:
    """A parsed file; `truth`: annotations, which need head boxes; `image_id` names a picture by its path and place.

    Raises:
        ValueError: a record that cannot be used; the text names file, record and fix.
    """
    frames = []
    for row, entry in enumerate(entries(data, "annolist", str(path))):
        where = f"{path}, annolist[{row}]"
        images = entries(entry, "image", where)
        file = picture_path(_single(images[0].get("name")) if images else None, where)
        persons = [
            _person(rect, f"{where}, annorect[{place}]", truth)
            for place, rect in enumerate(entries(entry, "annorect", where) if entry.get("annorect") else [])
        ]
        regions = []
        for place, region in enumerate(entries(entry, "ignore_regions", where) if entry.get("ignore_regions") else []):
            points = entries(region, "point", f"{where}, region {place}")
            xs, ys = [_single(p.get("x")) for p in points], [_single(p.get("y")) for p in points]
            regions.append(polygon(xs, ys, f"{where}, region {place}"))
        labelled = bool(_single(entry.get("is_labeled", True)))
        frames.append(Frame(file, image_id(file, row), joined(persons), tuple(regions) if truth else (), labelled))
    unique([frame.file for frame in frames], "picture", f"{path}, annolist")
    return Video(path.stem, tuple(frames), "2017")


def _single(value: Any) -> Any:
    """A value, or the one that a list holds."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _person(rect: dict[str, Any], where: str, truth: bool) -> People:
    xy, scores = np.zeros((NUM_JOINTS, 2)), np.full(NUM_JOINTS, NO_SCORE)
    present = np.zeros(NUM_JOINTS, dtype=bool)
    lists = entries(rect, "annopoints", where) if rect.get("annopoints") else []
    for point in entries(lists[0], "point", where) if lists else []:
        number = _single(point.get("id"))
        if not isinstance(number, int) or not 0 <= number < NUM_JOINTS:
            raise ValueError(
                f"{where}: expected joint ids from 0 to {NUM_JOINTS - 1} but got {number!r}; correct the file"
            )
        if present[number]:
            raise ValueError(f"{where}: expected every joint once but joint {number} occurs twice; correct the file")
        xy[number] = numbers([_single(point.get("x")), _single(point.get("y"))], 2, "a joint (x, y)", where)
        present[number] = True
        score = _single(point.get("score"))
        if score is not None:
            scores[number] = numbers(score, 1, "a score", where)[0]
    head = np.zeros(4)
    corners = [_single(rect.get(name)) for name in ("x1", "y1", "x2", "y2")]
    if all(value is not None for value in corners):
        head = numbers(corners, 4, "a head box (x1, y1, x2, y2)", where)
    elif truth and present.any():
        raise ValueError(
            f"{where}: expected a head box x1, y1, x2, y2 but the record has none; distances are in head sizes"
        )
    name = track_id(_single(rect.get("track_id")), where)
    return people([name], xy[None], present[None], scores[None], head[None], listed=[bool(lists)])


def written_2017(video: Video, found: list[People]) -> dict[str, Any]:
    """Predictions of a video, one `People` per frame, as 2017's file."""
    frames = []
    for number, (frame, persons) in enumerate(zip(video.frames, found, strict=True)):
        rects = []
        for row in range(len(persons)):
            points = [
                {
                    "id": [int(joint)],
                    "x": [float(persons.xy[row, joint, 0])],
                    "y": [float(persons.xy[row, joint, 1])],
                    "score": [float(persons.scores[row, joint])],
                }
                for joint in np.flatnonzero(persons.present[row])
            ]
            scores = persons.scores[row, persons.present[row]]
            rects.append(
                {
                    **{name: [0.0] for name in ("x1", "y1", "x2", "y2")},
                    "score": [float(scores.mean()) if len(scores) else 0.0],
                    "track_id": [int(persons.ids[row])],
                    "annopoints": [{"point": points}] if points else [],
                }
            )
        frames.append({"image": [{"name": frame.file}], "imgnum": [number + 1], "annorect": rects})
    return {"annolist": frames}
