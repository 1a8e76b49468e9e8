"""Writes embedded street scenes in the layout of Cityscapes: leftImg8bit, gtFine and the list files.

Labels are made as the originals were: an ordered list of polygons per picture (holes filled, instances whole), drawn from
the back to the front. labelIds, instanceIds and color pngs are those polygons drawn, so the json reproduces them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw

from benchmarks.synthetic.raster.canvas import Canvas, Item
from benchmarks.synthetic.scenes.streets.street import street

VERSION = 1
SIZES = {
    "smoke": {"train": 12, "val": 6, "test": 2},
    "embedded": {"train": 500, "val": 80, "test": 4},
}
SIZE_WH = (256, 128)
CITIES = {
    "train": ("aachen", "bremen", "cologne", "hamburg", "jena", "stuttgart", "ulm", "zurich"),
    "val": ("frankfurt", "lindau", "munster"),
    "test": ("berlin", "bonn", "mainz"),
}
_SPLIT_IDS = {"train": 0, "val": 1, "test": 2}
LABELS: dict[str, tuple[int, tuple[int, int, int]]] = {
    "unlabeled": (0, (0, 0, 0)),
    "ego vehicle": (1, (0, 0, 0)),
    "out of roi": (3, (0, 0, 0)),
    "static": (4, (0, 0, 0)),
    "road": (7, (128, 64, 128)),
    "sidewalk": (8, (244, 35, 232)),
    "parking": (9, (250, 170, 160)),
    "rail track": (10, (230, 150, 140)),
    "building": (11, (70, 70, 70)),
    "wall": (12, (102, 102, 156)),
    "fence": (13, (190, 153, 153)),
    "pole": (17, (153, 153, 153)),
    "traffic light": (19, (250, 170, 30)),
    "traffic sign": (20, (220, 220, 0)),
    "vegetation": (21, (107, 142, 35)),
    "terrain": (22, (152, 251, 152)),
    "sky": (23, (70, 130, 180)),
    "person": (24, (220, 20, 60)),
    "rider": (25, (255, 0, 0)),
    "car": (26, (0, 0, 142)),
    "truck": (27, (0, 0, 70)),
    "bus": (28, (0, 60, 100)),
    "train": (31, (0, 80, 100)),
    "motorcycle": (32, (0, 0, 230)),
    "bicycle": (33, (119, 11, 32)),
}
"""Name -> (label id, colour) of every label that a scene can hold; ids and colours are Cityscapes' own."""
INSTANCE_LABELS = frozenset(("person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle"))


def polygons(item: Item) -> list[list[list[int]]]:
    """Return the outlines [[x, y], ...] of an item's own mask; of an instance the largest, so that it is one object."""
    contours, _ = cv2.findContours(item.mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    outlines = [contour[:, 0] for contour in contours]
    if item.label in INSTANCE_LABELS:
        outlines = [max(outlines, key=lambda outline: cv2.contourArea(outline) + 1e-3 * len(outline))]
    x0, y0 = item.box_xyxy[:2]
    kept = []
    for outline in outlines:
        if len(outline) == 1:  # PIL needs two points or more
            outline = np.repeat(outline, 2, 0)
        kept.append((outline + np.array([x0, y0])).tolist())
    return kept


def annotation(canvas: Canvas) -> dict[str, object]:
    """Return one picture's polygons.json: imgHeight, imgWidth and objects from the back to the front."""
    objects = [{"label": item.label, "polygon": outline} for item in canvas.items for outline in polygons(item)]
    return {"imgHeight": canvas.height, "imgWidth": canvas.width, "objects": objects}


def draw_labels(objects: Iterable[dict[str, object]], size_wh: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Draw polygons in their order: (labelIds (H, W) uint8, instanceIds (H, W) int32).

    The k-th object of a class with instances has the instance id labelId * 1000 + k, anything else its label id, as in
    cityscapesscripts' json2labelImg and json2instanceImg.
    """
    image = Image.new("I", size_wh, 0)
    drawer = ImageDraw.Draw(image)
    counts = dict.fromkeys(INSTANCE_LABELS, 0)
    for thing in objects:
        name = str(thing["label"])
        value = LABELS[name][0]
        if name in counts:
            value, counts[name] = value * 1000 + counts[name], counts[name] + 1
        drawer.polygon([tuple(point) for point in thing["polygon"]], fill=value)  # type: ignore[attr-defined]
    instance_ids = np.asarray(image, np.int32)
    label_ids = np.where(instance_ids >= 1000, instance_ids // 1000, instance_ids).astype(np.uint8)
    return label_ids, instance_ids


def _colours() -> np.ndarray:
    table = np.zeros((256, 4), np.uint8)
    table[:, 3] = 255
    for number, colour in LABELS.values():
        table[number, :3] = colour
    return table


def stem(split: str, index: int) -> str:
    """Return "<city>/<city>_<seq6>_<frame6>" of picture `index` of a split; it does not depend on how many there are."""
    city = CITIES[split][index % len(CITIES[split])]
    return f"{city}/{city}_{index // len(CITIES[split]):06d}_{index:06d}"


def _write_png(path: Path, array: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), array, [cv2.IMWRITE_PNG_COMPRESSION, 1]):
        raise OSError(f"Expected to write {path} but cv2 could not; check the disk space and the rights of the folder")


def write(root: Path, sizes: dict[str, int], seed: int) -> None:
    """Write the dataset below `root`: leftImg8bit/, gtFine/ (train, val) and list/cityscapes/{train,val,trainval,test}.lst.

    List lines hold paths relative to `root`, "picture<TAB>labelIds"; test lists pictures alone, as it has no labels.
    """
    root = Path(root)
    palette = _colours()
    lines: dict[str, list[str]] = {split: [] for split in CITIES}
    for split, count in sizes.items():
        for index in range(count):
            rng = np.random.default_rng([seed, _SPLIT_IDS[split], index])
            canvas, picture = street(rng, *SIZE_WH)
            name = f"{split}/{stem(split, index)}"
            image_path = f"leftImg8bit/{name}_leftImg8bit.png"
            _write_png(root / image_path, picture[..., ::-1])
            if split == "test":
                lines[split].append(image_path)
                continue
            described = annotation(canvas)
            label_ids, instance_ids = draw_labels(described["objects"], SIZE_WH)  # type: ignore[arg-type]
            label_path = f"gtFine/{name}_gtFine_labelIds.png"
            _write_png(root / label_path, label_ids)
            _write_png(root / f"gtFine/{name}_gtFine_instanceIds.png", instance_ids.astype(np.uint16))
            _write_png(root / f"gtFine/{name}_gtFine_color.png", palette[label_ids][..., [2, 1, 0, 3]])
            (root / f"gtFine/{name}_gtFine_polygons.json").write_text(json.dumps(described), encoding="utf-8")
            lines[split].append(f"{image_path}\t{label_path}")
    lines["trainval"] = lines["train"] + lines["val"]
    folder = root / "list" / "cityscapes"
    folder.mkdir(parents=True, exist_ok=True)
    for split, rows in lines.items():
        (folder / f"{split}.lst").write_text("".join(row + "\n" for row in rows), encoding="utf-8")
