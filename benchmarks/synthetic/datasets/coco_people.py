"""Embedded people in the layout of COCO keypoints (docs/protocols.md section 3): pictures, annotations, detector boxes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pycocotools import mask as mask_api

from benchmarks.synthetic.people.figure.body import COCO_JOINTS
from benchmarks.synthetic.people.people import FACE_JOINTS, RenderedPerson
from benchmarks.synthetic.people.scene import Scene, compose_scene

VERSION = 1
SIZES = {"smoke": {"train": 16, "val": 8}, "embedded": {"train": 760, "val": 130}}
"""Pictures by tier and split; a picture holds two annotated people on average."""

SPLITS = {"train": 0, "val": 1}
PICTURE_SIZES = ((320, 240), (320, 240), (320, 240), (240, 320), (300, 300), (360, 240))
SKELETON = [
    [16, 14], [14, 12], [17, 15], [15, 13], [12, 13], [6, 12], [7, 13], [6, 7], [6, 8], [7, 9], [8, 10], [9, 11],
    [2, 3], [1, 2], [1, 3], [2, 4], [3, 5], [4, 6], [5, 7],
]  # fmt: skip
"""COCO's own limb list, 1-based. Source: the official annotation files."""
DETECTIONS = "COCO_val2017_detections_AP_H_56_person.json"
_SMALL_FACE = ("left_eye", "right_eye", "left_ear", "right_ear")
_LABELLED_HEAD_PX = 17.0
_STREAM = 17
_JPEG_QUALITY = 90


def write(root: Path, sizes: dict[str, int], seed: int) -> None:
    """Write the dataset below `root`: annotations/, images/<split>2017/, person_detection_results/.

    Picture k of a split depends on (seed, split, k) alone. `sizes` maps "train" and "val" to numbers of pictures.
    """
    for split, count in sizes.items():
        images, annotations = _write_split(root, split, count, seed)
        path = root / "annotations" / f"person_keypoints_{split}2017.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(_document(images, annotations), separators=(",", ":")))
        if split == "val":
            detections = detector_boxes(images, annotations, seed)
            path = root / "person_detection_results" / DETECTIONS
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(detections, separators=(",", ":")))


def render_picture(seed: int, split: str, number: int) -> tuple[Scene, np.random.Generator]:
    """Return picture `number` of a split, and the generator with which its annotation goes on."""
    rng = np.random.default_rng([seed, _STREAM, SPLITS[split], number])
    size_wh = PICTURE_SIZES[int(rng.integers(len(PICTURE_SIZES)))]
    num_people = int(rng.choice([1, 2, 3, 4], p=[0.50, 0.33, 0.12, 0.05]))
    return compose_scene(rng, size_wh, num_people, distant=0.10, crowds=0.04), rng


def _write_split(root: Path, split: str, count: int, seed: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    folder = root / "images" / f"{split}2017"
    folder.mkdir(parents=True, exist_ok=True)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number in range(count):
        scene, rng = render_picture(seed, split, number)
        image_id = (SPLITS[split] + 1) * 100_000 + number
        name = f"{image_id:012d}.jpg"
        cv2.imwrite(str(folder / name), scene.image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        height, width = scene.image.shape[:2]
        images.append(
            {
                "license": 1,
                "file_name": name,
                "coco_url": "",
                "height": height,
                "width": width,
                "date_captured": "2026-01-01 00:00:00",
                "flickr_url": "",
                "id": image_id,
            }
        )
        found = annotate(scene, image_id, rng)
        for place, annotation in enumerate(found):
            annotation["id"] = image_id * 100 + place
        annotations.extend(found)
    return images, annotations


def annotate(scene: Scene, image_id: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Return the annotations of a scene, without ids: people with keypoints, tiny people without, a group as RLE."""
    found = []
    for person in scene.people:
        annotation = _person(person, image_id, keypoints(person, rng))
        if annotation is not None:
            found.append(annotation)
    for person in scene.tiny:
        annotation = _person(person, image_id, np.zeros((len(COCO_JOINTS), 3), int))
        if annotation is not None:
            found.append(annotation)
    if scene.crowd is not None and scene.crowd.sum() >= 50:
        counts = _uncompressed_rle(scene.crowd)
        annotation = _record(scene.crowd, image_id, np.zeros((len(COCO_JOINTS), 3), int))
        annotation["segmentation"] = {"counts": counts, "size": list(scene.crowd.shape)}
        annotation["iscrowd"] = 1
        found.append(annotation)
    return found


def keypoints(person: RenderedPerson, rng: np.random.Generator) -> np.ndarray:
    """Return (17, 3) integers x, y, v as an annotator would give them.

    v = 2 visible; 1 hidden but placed; 0 not placed, with x = y = 0: outside of the picture, a face that looks away, eyes
    and ears of a head under 17 pixels, four in ten of the hidden joints, and everything of a person of whom next to
    nothing is seen.
    """
    joints, visible = person.coco
    inside = person.inside[: len(COCO_JOINTS)]
    skipped = rng.random(len(COCO_JOINTS)) < 0.4
    small = person.head_box[3] - person.head_box[1] < _LABELLED_HEAD_PX
    table = np.zeros((len(COCO_JOINTS), 3), int)
    if person.mask.sum() < 0.12 * person.full_area:
        return table
    for number, name in enumerate(COCO_JOINTS):
        if not inside[number]:
            continue
        if name in _SMALL_FACE and small:
            continue
        if visible[number]:
            value = 2
        elif skipped[number] or (name in FACE_JOINTS and not person.unhidden[number]):
            continue
        else:
            value = 1
        table[number] = (*np.rint(joints[number]).astype(int), value)
    return table


def _person(person: RenderedPerson, image_id: int, table: np.ndarray) -> dict[str, Any] | None:
    """Return one person's annotation, or None where fewer than 30 pixels are seen or no outline can be drawn."""
    if person.mask.sum() < 30:
        return None
    polygons = outline(person.mask)
    if not polygons:
        return None
    annotation = _record(person.mask, image_id, table)
    annotation["segmentation"] = polygons
    return annotation


def _record(mask: np.ndarray, image_id: int, table: np.ndarray) -> dict[str, Any]:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    x, y = float(columns[0]), float(rows[0])
    return {
        "segmentation": [],
        "num_keypoints": int((table[:, 2] > 0).sum()),
        "area": float(mask.sum()),
        "iscrowd": 0,
        "keypoints": [int(value) for value in table.ravel()],
        "image_id": image_id,
        "bbox": [x, y, float(columns[-1] - columns[0] + 1), float(rows[-1] - rows[0] + 1)],
        "category_id": 1,
    }


def outline(mask: np.ndarray) -> list[list[float]]:
    """Return the polygons around a (H, W) bool mask as COCO's lists x, y, x, y, ..., pieces under 6 pixels left out."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_TC89_L1)
    kept = [contour for contour in contours if len(contour) >= 3 and cv2.contourArea(contour) >= 6]
    return [[float(value) for value in contour.ravel()] for contour in kept]


def _uncompressed_rle(mask: np.ndarray) -> list[int]:
    """Return COCO's run lengths, column by column, beginning with the zeros."""
    flat = mask.ravel(order="F").astype(np.int8)
    edges = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff(np.concatenate([[0], edges, [flat.size]]))
    return [int(run) for run in (runs if flat[0] == 0 else np.concatenate([[0], runs]))]


def _document(images: list[dict[str, Any]], annotations: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "info": {
            "description": "Embedded people, rendered; the layout of COCO keypoints 2017",
            "url": "",
            "version": str(VERSION),
            "year": 2026,
            "contributor": "hrnet-benchmark",
            "date_created": "2026/01/01",
        },
        "licenses": [{"url": "", "id": 1, "name": "Rendered; no rights of others"}],
        "images": images,
        "annotations": annotations,
        "categories": [
            {"supercategory": "person", "id": 1, "name": "person", "keypoints": list(COCO_JOINTS), "skeleton": SKELETON}
        ],
    }


def detector_boxes(images: list[dict[str, Any]], annotations: list[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """Return what a middling person detector would find: shifted boxes, doubles, misses, false alarms; scores follow quality."""
    by_image: dict[int, list[dict[str, Any]]] = {image["id"]: [] for image in images}
    for annotation in annotations:
        by_image[annotation["image_id"]].append(annotation)
    found: list[dict[str, Any]] = []
    for image in images:
        rng = np.random.default_rng([seed, _STREAM, 99, image["id"]])
        boxes: list[tuple[np.ndarray, float]] = []
        for annotation in by_image[image["id"]]:
            truth = np.asarray(annotation["bbox"])
            size = np.sqrt(truth[2] * truth[3])
            if annotation["iscrowd"] or rng.random() < np.interp(size, (15, 45, 90), (0.6, 0.12, 0.02)):
                continue
            for attempt in range(1 + int(rng.random() < 0.3)):
                spread = (0.035 if attempt == 0 else 0.11) * rng.uniform(0.5, 1.6)
                box = truth + rng.normal(0, spread, 4) * np.tile(truth[2:], 2)
                box[2:] = np.maximum(box[2:], 2.0)
                overlap = float(mask_api.iou(box[None], truth[None], [0])[0, 0])
                score = overlap - 0.12 * attempt - np.interp(size, (15, 60), (0.25, 0.0)) + rng.normal(0, 0.06)
                boxes.append((box, score))
        for _ in range(int(rng.poisson(0.8))):
            high = rng.uniform(25, 0.8 * image["height"])
            wide = high * rng.uniform(0.25, 0.9)
            corner = rng.uniform((-5, -5), (image["width"] - wide / 2, image["height"] - high / 2))
            boxes.append((np.array((*corner, wide, high)), abs(rng.normal(0.0, 0.22))))
        for box, score in sorted(boxes, key=lambda entry: -entry[1]):
            found.append(
                {
                    "image_id": image["id"],
                    "category_id": 1,
                    "bbox": [round(float(value), 3) for value in box],
                    "score": round(float(np.clip(score, 0.005, 0.999)), 5),
                }
            )
    return found
