"""One small example of every kind of file that is read from outside, and what reads it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from own_data import MAKERS
from scipy.io import savemat
from torch import nn

from hrnet.checkpoints import identify_checkpoint, load_checkpoint
from tasks import build_model, declare_below, get_task
from tests.fuzz.mutations import BYTES, FIELDS, JSON, Change

WH = (64, 48)
Figures = Mapping[str, float]


@dataclass(frozen=True)
class Kind:
    """A file below the data root; ``read`` takes the root, opens it as the verbs do, and gives the figures, if any.

    ``lists``: whether a refusal may go on in further lines (a checkpoint's missing and unexpected tensors).
    ``cost``: how much longer it takes than others; so many fewer changes are made by default.
    """

    name: str
    path: str
    changes: tuple[Change, ...]
    read: Callable[[Path], Figures | None]
    lists: bool = False
    cost: int = 1


def picture(path: Path, seed: int = 0, grey: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (6, 8) if grey else (6, 8, 3)).astype(np.uint8)
    cv2.imwrite(str(path), cv2.resize(pixels, WH, interpolation=cv2.INTER_CUBIC))


def label(path: Path, values: list[int], seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).choice(values, (6, 8)).astype(np.uint8)
    cv2.imwrite(str(path), cv2.resize(pixels, WH, interpolation=cv2.INTER_NEAREST))


def dump(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


JOINTS = [
    "nose",
    *(
        f"{side}_{part}"
        for part in ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
        for side in ("left", "right")
    ),
]


def write_coco(root: Path) -> None:
    """Three pictures, two persons and two things in each; results of keypoints, boxes and masks; a detector's boxes."""
    rng = np.random.default_rng(0)
    images = [{"id": k, "file_name": f"{k:012d}.jpg", "width": WH[0], "height": WH[1]} for k in (1, 2, 3)]
    persons, things = [], []
    for entry in images:
        picture(root / "images/val2017" / str(entry["file_name"]), int(entry["id"]))
        for _ in range(2):
            points = np.column_stack([rng.uniform(5, 40, 17), rng.uniform(5, 40, 17), np.full(17, 2)]).round(1)
            box, ring = [4.0, 4.0, 38.0, 38.0], [[4.0, 4.0, 42.0, 4.0, 42.0, 42.0, 4.0, 42.0]]
            shared = {"image_id": entry["id"], "category_id": 1, "bbox": box, "area": 1444.0, "iscrowd": 0}
            persons.append(
                {**shared, "id": len(persons) + 1, "num_keypoints": 17, "keypoints": points.ravel().tolist()}
            )
            things.append({**shared, "id": len(things) + 1, "segmentation": ring})
    person = {"id": 1, "name": "person"}
    skeleton = {**person, "keypoints": JOINTS, "skeleton": []}
    notes = root / "annotations"
    dump(notes / "person_keypoints_val2017.json", {"images": images, "annotations": persons, "categories": [skeleton]})
    dump(notes / "instances_val2017.json", {"images": images, "annotations": things, "categories": [person]})
    scored = [{"image_id": a["image_id"], "category_id": 1, "score": 0.9 - 0.1 * k} for k, a in enumerate(persons)]
    boxes = [{**s, "bbox": a["bbox"]} for s, a in zip(scored, things, strict=True)]
    dump(root / "person_detection_results/COCO_val2017_detections_AP_H_56_person.json", boxes)
    dump(root / "keypoints.json", [{**s, "keypoints": a["keypoints"]} for s, a in zip(scored, persons, strict=True)])
    dump(root / "bbox.json", boxes)
    runs = {"size": [WH[1], WH[0]], "counts": [500, 1000, WH[0] * WH[1] - 1500]}
    dump(root / "segm.json", [{**s, "segmentation": runs} for s in scored])


def write_mpii(root: Path) -> None:
    rng = np.random.default_rng(0)
    joints = rng.uniform(5, 40, (3, 16, 2)).round(1)
    entries = [
        {"image": f"{k}.jpg", "center": [24.0, 24.0], "scale": 0.2, "joints": points.tolist(), "joints_vis": [1] * 16}
        for k, points in enumerate(joints)
    ]
    for k in range(3):
        picture(root / f"images/{k}.jpg", k)
    dump(root / "annot/valid.json", entries)
    heads = np.repeat(np.array([[5.0, 5.0], [20.0, 25.0]])[:, :, None], 3, 2)
    missing = np.zeros((16, 3), np.uint8)
    truth = {"pos_gt_src": joints.transpose(1, 2, 0), "jnt_missing": missing, "headboxes_src": heads}
    savemat(root / "annot/gt_valid.mat", truth)
    savemat(root / "pred.mat", {"preds": joints + 1})


def write_faces(root: Path) -> None:
    import h5py

    rng = np.random.default_rng(0)
    lines = [
        ",".join(["image_name,scale,center_w,center_h", *(f"original_{k}_{axis}" for k in range(68) for axis in "xy")])
    ]
    for k in range(3):
        picture(root / f"300w/images/{k}.png", k)
        points = rng.uniform(5, 40, (68, 2)).round(2)
        lines.append(f"{k}.png,0.2,24.0,24.0," + ",".join(map(str, points.ravel())))
        picture(root / f"raw/images/Test/01_Indoor/{k}.png", k)
        rows = "\n".join(f"{x} {y}" for x, y in points)
        (root / f"raw/images/Test/01_Indoor/{k}.pts").write_text(f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n")
    (root / "300w/face_landmarks_300w_test.csv").write_text("\n".join(lines) + "\n")
    (root / "boxes.csv").write_text("image_name,x0,y0,x1,y1\n300w/images/0.png,4,4,40,40\n")
    listed = []
    for k in range(2):
        picture(root / f"wflw/WFLW_images/{k}.jpg", k)
        numbers = [*rng.uniform(5, 40, 196).round(2).tolist(), 4, 4, 40, 40, 0, 0, 0, 0, 0, 0]
        listed.append(" ".join(map(str, numbers)) + f" {k}.jpg")
    (root / "wflw/list_98pt_rect_attr_test.txt").write_text("\n".join(listed) + "\n")
    (root / "cofw").mkdir()
    with h5py.File(root / "cofw/COFW_test_color.mat", "w") as file:
        held, cells = file.create_group("#refs#"), file.create_dataset("IsT", (1, 2), h5py.ref_dtype)
        for k in range(2):
            cells[0, k] = held.create_dataset(f"p{k}", data=rng.integers(0, 255, (3, *WH)).astype(np.uint8)).ref
        file["phisT"] = np.concatenate([rng.uniform(5, 40, (58, 2)), np.zeros((29, 2))])


def write_labels(root: Path) -> None:
    from tasks.segmentation.files.class_tables.pascal_context import PASCAL_DETAIL_IDS

    lines, images, masks = [], [], []
    for k in range(2):
        picture(root / f"lip/TrainVal_images/val_images/{k}.jpg", k)
        label(root / f"lip/TrainVal_parsing_annotations/val_segmentations/{k}.png", [0, 1, 2], k)
        label(root / f"maps/{k}.png", [0, 1, 2], k)
        lines.append(f"val_images/{k}.jpg val_segmentations/{k}.png")
        picture(root / f"voc/VOC2010/JPEGImages/2008_{k}.jpg", k)
        images.append({"image_id": k, "file_name": f"2008_{k}.jpg", "phase": "val", "height": WH[1], "width": WH[0]})
        for rank in (1, 2):
            runs = {"size": [WH[1], WH[0]], "counts": [500 * rank, 900, WH[0] * WH[1] - 900 - 500 * rank]}
            masks.append({"image_id": k, "category_id": PASCAL_DETAIL_IDS[rank], "segmentation": runs})
    (root / "lip/valList.txt").write_text("\n".join(lines) + "\n")
    dump(root / "voc/VOC2010/trainval_merged.json", {"images": images, "annos_segmentation": masks})


def write_classes(root: Path) -> None:
    names = [f"n{number:08d}" for number in range(1000)]
    for number in (3, 998):
        picture(root / f"imagenet/val/{names[number]}/a.JPEG", number)
    (root / "imagenet/classes.txt").write_text("\n".join(names))
    (root / "classes.csv").write_text(f"image,classes\n{names[3]}/a,3 1 2 4 5\n{names[998]}/a,1 2 3 4 998\n")


@lru_cache
def network() -> nn.Module:
    """A small network whose weights are read."""
    return build_model("classification", "hrnet_micro_w8", "imagenet").eval()


def write_checkpoints(root: Path) -> None:
    from safetensors.torch import save_file

    state = network().state_dict()
    torch.save({"state_dict": state, "epoch": 3}, root / "weights.pth")
    save_file(state, root / "weights.safetensors")


def write_all(root: Path) -> None:
    write_checkpoints(root)
    write_coco(root / "coco")
    write_mpii(root / "mpii")
    write_faces(root)
    write_labels(root)
    write_classes(root)
    MAKERS["mouse9"][1](root / "own")
    xy = [f"point_{k}_{axis}" for k in range(68) for axis in "xy"]
    lines = [",".join(["image_name", "face", *xy])]
    faces = (root / "300w/face_landmarks_300w_test.csv").read_text().splitlines()[1:]
    lines += [",".join([f"{k}.png", str(k), *line.split(",")[4:]]) for k, line in enumerate(faces)]
    (root / "points.csv").write_text("\n".join(lines) + "\n")


# -- what reads them -----------------------------------------------------------------------------------------------
def opened(task: str, dataset: str, folder: str, split: str, **protocol: Any) -> Callable[[Path], Figures | None]:
    """Opens a split for evaluation, and every sample of it."""

    def read(root: Path) -> None:
        held = get_task(task)
        data = held.eval_data(dataset, root / folder, split, small(task, dataset, **protocol))
        held.evaluation(data, data.protocol)  # type: ignore[attr-defined]
        for index in range(len(data)):
            data[index]

    return read


def scored(task: str, dataset: str, folder: str, split: str, file: str) -> Callable[[Path], Figures | None]:
    """Scores a submission."""

    def read(root: Path) -> Figures:
        held, protocol = get_task(task), small(task, dataset)
        stats, _ = held.submission_stats(dataset, root / folder, split, root / file, protocol)
        from tasks.options import to_plain

        return held.figures(dataset, stats, to_plain(protocol))

    return read


def declared(root: Path) -> None:
    """Declares what the folder declares, and opens it."""
    held = get_task("pose")
    held.__dict__.pop("datasets", None)
    try:
        declare_below(root / "own")
        for name in set(held.datasets) - set(type(held).datasets):
            held.eval_data(name, root / "own", "val", held.protocol(name))[0]
    finally:
        held.__dict__.pop("datasets", None)


def both(*readers: Callable[[Path], Figures | None]) -> Callable[[Path], Figures | None]:
    def read(root: Path) -> Figures | None:
        return [reader(root) for reader in readers][-1]

    return read


def small(task: str, dataset: str, **changes: Any) -> Any:
    protocol = get_task(task).protocol(dataset)
    if hasattr(protocol, "input_wh") and task in ("pose", "landmarks"):
        changes.setdefault("input_wh", (64, 64))
    if task == "segmentation":
        changes.setdefault("crop_hw", (48, 64))
    if task == "classification":
        changes |= {"crop": 32, "resize": 40}
    return replace(protocol, **changes)


def pose_boxes(root: Path) -> None:
    from tasks.pose.files.box_files import BoxFile

    BoxFile(root / "coco/bbox.json").of_picture(root / "coco/images/val2017/000000000001.jpg", WH, 0.1)


def face_boxes(root: Path) -> None:
    from tasks.landmarks.predict import FaceBoxes

    FaceBoxes(root / "boxes.csv", []).of(root / "300w/images/0.png", WH)


def weights(name: str) -> Callable[[Path], None]:
    def read(root: Path) -> None:
        identify_checkpoint(root / name)
        load_checkpoint(network(), root / name)

    return read


def image(name: str) -> Callable[[Path], None]:
    def read(root: Path) -> None:
        from tasks.images import read_image

        read_image((root / name).parent, Path(name).name)

    return read


POSE, THINGS = ("pose", "coco", "coco", "val2017"), ("detection", "coco", "coco", "val2017")
DETECTIONS = "coco/person_detection_results/COCO_val2017_detections_AP_H_56_person.json"
KINDS = (
    Kind("COCO keypoints", "coco/annotations/person_keypoints_val2017.json", JSON,
         both(opened(*POSE, boxes="gt"), scored(*POSE, "coco/keypoints.json"))),
    Kind("COCO keypoint results", "coco/keypoints.json", JSON, scored(*POSE, "coco/keypoints.json")),
    Kind("COCO instances", "coco/annotations/instances_val2017.json", JSON,
         both(opened(*THINGS), scored(*THINGS, "coco/bbox.json"))),
    Kind("COCO box results", "coco/bbox.json", JSON, scored(*THINGS, "coco/bbox.json")),
    Kind("COCO mask results", "coco/segm.json", JSON, scored(*THINGS, "coco/segm.json")),
    Kind("detector boxes", DETECTIONS, JSON, opened(*POSE, boxes="detector")),
    Kind("boxes for predict", "coco/bbox.json", JSON, pose_boxes),
    Kind("MPII json", "mpii/annot/valid.json", JSON,
         both(opened("pose", "mpii", "mpii", "valid"), scored("pose", "mpii", "mpii", "valid", "mpii/pred.mat"))),
    Kind("MPII truth mat", "mpii/annot/gt_valid.mat", BYTES, opened("pose", "mpii", "mpii", "valid")),
    Kind("MPII predictions mat", "mpii/pred.mat", BYTES, scored("pose", "mpii", "mpii", "valid", "mpii/pred.mat")),
    Kind("face csv", "300w/face_landmarks_300w_test.csv", FIELDS, opened("landmarks", "300w", "300w", "test")),
    Kind("points results csv", "points.csv", FIELDS, scored("landmarks", "300w", "300w", "test", "points.csv")),
    Kind("declaration", "own/dataset.toml", FIELDS, declared),
    Kind("own keypoints", "own/val.json", JSON, declared),
    Kind("face boxes csv", "boxes.csv", FIELDS, face_boxes),
    Kind("pts", "raw/images/Test/01_Indoor/1.pts", FIELDS, opened("landmarks", "300w", "raw", "test")),
    Kind("WFLW list", "wflw/list_98pt_rect_attr_test.txt", FIELDS, opened("landmarks", "wflw", "wflw", "test")),
    Kind("COFW mat", "cofw/COFW_test_color.mat", BYTES, opened("landmarks", "cofw", "cofw", "test")),
    Kind("label list", "lip/valList.txt", FIELDS, opened("segmentation", "lip", "lip", "val")),
    Kind("label png", "lip/TrainVal_parsing_annotations/val_segmentations/1.png", BYTES,
         opened("segmentation", "lip", "lip", "val")),
    Kind("label map results", "maps/1.png", BYTES, scored("segmentation", "lip", "lip", "val", "maps")),
    Kind("PASCAL json", "voc/VOC2010/trainval_merged.json", JSON, opened("segmentation", "pascal_context", "voc", "val")),
    Kind("list of classes", "imagenet/classes.txt", FIELDS, opened("classification", "imagenet", "imagenet", "val")),
    Kind("class results csv", "classes.csv", FIELDS,
         scored("classification", "imagenet", "imagenet", "val", "classes.csv")),
    Kind("checkpoint", "weights.pth", BYTES, weights("weights.pth"), lists=True, cost=8),
    Kind("safetensors", "weights.safetensors", BYTES, weights("weights.safetensors"), lists=True, cost=8),
    Kind("jpeg", "mpii/images/0.jpg", BYTES, image("mpii/images/0.jpg")),
    Kind("png", "300w/images/0.png", BYTES, image("300w/images/0.png")),
)  # fmt: skip


def in_bounds(figures: Figures | None) -> bool:
    """Whether figures are what figures can be: not a number, or from 0 to 100."""
    return all(math.isnan(v) or -1 <= v <= 100.0001 for v in (figures or {}).values())
