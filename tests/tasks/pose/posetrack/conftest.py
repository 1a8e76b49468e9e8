"""A little PoseTrack of both forms: two videos of two textured cards that move over a textured wall, with joints on them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tasks.pose.posetrack.files.form_2018 import KEYPOINTS, PLACES

SIZE_WH = (128, 96)
CARD_WH = (22, 60)
FRAMES = 6
# Where the 15 joints lie on a card, as shares of its width and height, in PoseTrack's order.
ON_CARD = np.array(
    [
        *[
            (0.2, 1.0),
            (0.2, 0.75),
            (0.3, 0.5),
            (0.7, 0.5),
            (0.8, 0.75),
            (0.8, 1.0),
            (0.0, 0.5),
            (0.0, 0.35),
            (0.2, 0.2),
        ],
        *[(0.8, 0.2), (1.0, 0.35), (1.0, 0.5), (0.5, 0.15), (0.5, 0.08), (0.5, 0.0)],
    ]
)


def corner(video: int, card: int, frame: int) -> np.ndarray:
    """Upper left corner of a card, px."""
    start = np.array([(18.0, 20.0), (84.0, 24.0)][card])
    return start + frame * np.array([(3.0, 0.5), (-2.0, 0.0)][card]) * (1 if video == 0 else 0.5)


def joints(video: int, card: int, frame: int) -> np.ndarray:
    """(15, 2) px."""
    return corner(video, card, frame) + ON_CARD * np.array(CARD_WH)


def picture(video: int, frame: int) -> np.ndarray:
    """(H, W, 3) uint8 RGB."""
    rng = np.random.default_rng(video)
    width, height = SIZE_WH
    wall = cv2.GaussianBlur(rng.uniform(0, 255, (height, width, 3)).astype(np.float32), (0, 0), 2)
    canvas = np.clip((wall - 128) * 2 + 128, 0, 255).astype(np.uint8)
    for card in range(2):
        texture = cv2.GaussianBlur(rng.uniform(0, 255, (CARD_WH[1], CARD_WH[0], 3)).astype(np.float32), (0, 0), 1.5)
        x, y = np.rint(corner(video, card, frame)).astype(int)
        canvas[y : y + CARD_WH[1], x : x + CARD_WH[0]] = np.clip((texture - 128) * 3 + 128, 0, 255)
    return canvas


def document_2018(video: int, split: str) -> dict[str, Any]:
    """The annotation file of a video; its fourth frame is not labelled."""
    folder = f"00000{video + 1}_mpii_test"
    images, annotations = [], []
    for frame in range(FRAMES):
        name = 10**10 + (video + 1) * 10**4 + frame
        labelled = frame != 3
        images.append(
            {
                "id": name,
                "frame_id": name,
                "file_name": f"images/{split}/{folder}/{frame:06d}.jpg",
                "vid_id": f"00000{video + 1}",
                "is_labeled": labelled,
                "ignore_regions_x": [],
                "ignore_regions_y": [],
            }
        )
        for card in range(2) if labelled else ():
            points = np.zeros((len(KEYPOINTS), 3))
            points[PLACES, :2], points[PLACES, 2] = joints(video, card, frame), 1
            x, y = corner(video, card, frame)
            annotations.append(
                {
                    "image_id": name,
                    "id": name * 100 + card,
                    "category_id": 1,
                    "track_id": card + 5,
                    "bbox": [x, y, *map(float, CARD_WH)],
                    "bbox_head": [x + 6, y, 10.0, 12.0],
                    "keypoints": points.reshape(-1).tolist(),
                    "scores": [],
                }
            )
    category = {"id": 1, "name": "person", "supercategory": "person", "keypoints": list(KEYPOINTS), "skeleton": []}
    return {"categories": [category], "images": images, "annotations": annotations}


def document_2017(video: int, split: str) -> dict[str, Any]:
    """The same annotations in the form of 2017."""
    given = document_2018(video, split)
    frames = []
    for image in given["images"]:
        rects = []
        for person in given["annotations"]:
            if person["image_id"] == image["id"]:
                points = np.array(person["keypoints"]).reshape(-1, 3)[PLACES]
                x, y, width, height = person["bbox_head"]
                listed = [
                    {"id": [i], "x": [p[0]], "y": [p[1]], "is_visible": [1]} for i, p in enumerate(points.tolist())
                ]
                rects.append(
                    {
                        "x1": [x],
                        "y1": [y],
                        "x2": [x + width],
                        "y2": [y + height],
                        "track_id": [person["track_id"]],
                        "annopoints": [{"point": listed}],
                    }
                )
        frames.append(
            {"image": [{"name": image["file_name"]}], "annorect": rects, "is_labeled": [int(image["is_labeled"])]}
        )
    return {"annolist": frames}


def write(root: Path, form: str) -> Path:
    """The dataset below `root`: train and val are the same two videos; val has a detector's boxes."""
    boxes = []
    for split in ("train", "val"):
        (root / "annotations" / split).mkdir(parents=True)
        for video in range(2):
            document = (document_2018 if form == "2018" else document_2017)(video, split)
            name = f"00000{video + 1}_mpii_test"
            (root / "annotations" / split / f"{name}.json").write_text(json.dumps(document))
            (root / "images" / split / name).mkdir(parents=True)
            for frame in range(FRAMES):
                path = root / "images" / split / name / f"{frame:06d}.jpg"
                cv2.imwrite(str(path), picture(video, frame)[..., ::-1])
                for card in range(2):
                    x, y = corner(video, card, frame).tolist()
                    box = [x - 1, y - 1, CARD_WH[0] + 2.0, CARD_WH[1] + 2.0]
                    entry = {"image_id": 10**10 + (video + 1) * 10**4 + frame, "category_id": 1, "bbox": box}
                    boxes.append({**entry, "score": 0.9 - 0.1 * card})
    path = root / "annotations" / f"posetrack{form[2:]}_val_human_detections.json"
    path.write_text(json.dumps(boxes[len(boxes) // 2 :]))
    return root


@pytest.fixture(scope="session")
def cards_2018(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("cards") / "posetrack18", "2018")


@pytest.fixture(scope="session")
def cards_2017(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("cards") / "posetrack17", "2017")


@pytest.fixture(scope="session")
def card_pictures() -> list[np.ndarray]:
    """The first video's pictures, RGB."""
    return [picture(0, frame) for frame in range(FRAMES)]


@pytest.fixture(scope="session")
def card_joints() -> np.ndarray:
    """(frames, 2, 15, 2) px, of the first video."""
    return np.array([[joints(0, card, frame) for card in range(2)] for frame in range(FRAMES)])
