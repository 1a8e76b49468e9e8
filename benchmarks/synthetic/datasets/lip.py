"""People in the layout of Look Into Person (docs/protocols.md 8): crops of single people and their 20 part labels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.synthetic.people.figure.clothing import Material, Outfit, sample_fabric
from benchmarks.synthetic.people.people import Person, sample_person
from benchmarks.synthetic.people.scene import compose_scene

VERSION = 2
SIZES = {"smoke": {"train": 16, "val": 8}, "embedded": {"train": 700, "val": 120}}
"""Pictures by tier and split; each shows one labelled person."""

SPLITS = {"train": 0, "val": 1}
CANVAS_SIZES = ((250, 260), (220, 300), (280, 240))
TYPICAL_SHARE = 0.96
"""How often a garment has a colour typical of its kind, as overalls, gloves or school skirts do more than shirts.

A network that trains for a minute learns cuts slowly and colours fast: this share sets how hard the pictures are.
"""
TYPICAL: dict[str, tuple[tuple[tuple[int, int, int], ...], str, tuple[int, int, int]]] = {
    "top": (((235, 235, 232), (150, 190, 222), (240, 205, 90)), "plain", (84, 140, 205)),
    "dress": (((200, 120, 170), (240, 190, 205), (170, 90, 160)), "dots", (250, 240, 245)),
    "jumpsuit": (((216, 82, 62), (232, 146, 60)), "plain", (62, 64, 70)),
    "coat": (((120, 84, 56), (176, 140, 100)), "plain", (62, 64, 70)),
    "skirt": (((40, 100, 60), (120, 150, 60)), "checks", (24, 34, 66)),
    "socks": (((235, 235, 232), (205, 205, 205)), "stripes", (178, 32, 38)),
    "glove": (((70, 160, 140), (40, 190, 170)), "plain", (0, 0, 0)),
    "hat": (((178, 32, 38), (216, 60, 50)), "plain", (235, 235, 232)),
    "scarf": (((110, 60, 130), (90, 40, 150)), "stripes", (240, 205, 90)),
}
"""Kind of garment -> usual colours, pattern, and the pattern's second colour."""

_STREAM = 31
_JPEG_QUALITY = 90
_GREY_SHARE = 0.03


def write(root: Path, sizes: dict[str, int], seed: int) -> None:
    """Write TrainVal_images/, TrainVal_parsing_annotations/, trainList.txt, valList.txt, testvalList.txt below `root`.

    Picture k of a split depends on (seed, split, k) alone. `sizes` maps "train" and "val" to numbers of pictures. Lists have
    two columns, picture and labels, relative to the two folders.
    """
    for split, count in sizes.items():
        pictures = root / "TrainVal_images" / f"{split}_images"
        labels = root / "TrainVal_parsing_annotations" / f"{split}_segmentations"
        pictures.mkdir(parents=True, exist_ok=True)
        labels.mkdir(parents=True, exist_ok=True)
        lines = []
        for number in range(count):
            image, parts, grey = render_crop(seed, split, number)
            name = f"{SPLITS[split] + 1}_{number:07d}"
            pixels = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if grey else image[:, :, ::-1]
            cv2.imwrite(str(pictures / f"{name}.jpg"), pixels, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
            cv2.imwrite(str(labels / f"{name}.png"), parts)
            lines.append(f"{split}_images/{name}.jpg {split}_segmentations/{name}.png")
        listing = "\n".join(lines) + "\n"
        (root / f"{split}List.txt").write_text(listing)
        if split == "val":
            (root / "testvalList.txt").write_text(listing)


def render_crop(seed: int, split: str, number: int) -> tuple[np.ndarray, np.ndarray, bool]:
    """Return picture `number` of a split: image (H, W, 3) uint8 RGB, labels (H, W) uint8 0..19, whether it is stored in grey.

    Like LIP's, the crops are tight, of any shape, at times only of the upper body; other people in them are background.
    """
    rng = np.random.default_rng([seed, _STREAM, SPLITS[split], number])
    size_wh = CANVAS_SIZES[int(rng.integers(len(CANVAS_SIZES)))]
    num_people = 2 if rng.random() < 0.08 else 1
    scene = compose_scene(
        rng,
        size_wh,
        num_people,
        height_px=(150.0, 250.0),
        truncated=0.06,
        occluded=0.06,
        sample=dressed_person,
    )
    target = max(scene.people, key=lambda person: int(person.mask.sum()))
    rows, columns = np.flatnonzero(target.mask.any(1)), np.flatnonzero(target.mask.any(0))
    y0, y1, x0, x1 = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    if rng.random() < 0.12:
        y1 = y0 + max(40, int((y1 - y0) * rng.uniform(0.45, 0.75)))
    margin = np.rint(rng.uniform(0.0, 0.09, 4) * max(x1 - x0, y1 - y0)).astype(int)
    height, width = scene.image.shape[:2]
    window = (
        slice(max(0, y0 - margin[0]), min(height, y1 + margin[1])),
        slice(max(0, x0 - margin[2]), min(width, x1 + margin[3])),
    )
    return scene.image[window], target.parts[window], is_grey(seed, split, number)


def is_grey(seed: int, split: str, number: int) -> bool:
    """Tell whether a picture is stored as a jpeg of one channel, as three in a hundred are here (and some are in LIP)."""
    return bool(np.random.default_rng([seed, _STREAM, SPLITS[split], number, 1]).random() < _GREY_SHARE)


def dressed_person(rng: np.random.Generator) -> Person:
    """Draw a person with rarer clothes more often than in the street, so that a small data set teaches all 20 classes.

    Most stand or walk and face the viewer, as most do in LIP, so that left and right can be told.
    """
    action = str(rng.choice(["stand", "walk"])) if rng.random() < 0.6 else None
    person = sample_person(rng, action=action, yaw=float(rng.normal(0, 14)) if rng.random() < 0.97 else None)
    changes: dict[str, Any] = {}
    for name, odds in (("sunglasses", 0.3), ("gloves", 0.22), ("scarf", 0.22)):
        if rng.random() < odds:
            changes[name] = True
    if rng.random() < 0.2 and person.outfit.hat is None:
        changes["hat"] = str(rng.choice(["cap", "beanie", "brim"]))
    kind = rng.random()
    if kind < 0.12:
        changes.update(kind="jumpsuit", bottom="jumpsuit", coat=False, leg_length=2.0)
    elif kind < 0.28:
        changes.update(kind="top", bottom="skirt", leg_length=0.0, coat=False)
    elif kind < 0.38:
        changes.update(kind="dress", bottom="dress", leg_length=0.0, coat=False)
    elif kind < 0.48 and person.outfit.kind == "top":
        changes["coat"] = True
    if rng.random() < 0.3:
        changes["socks"] = float(rng.choice([0.45, 0.9]))
    outfit = replace(person.outfit, **changes)
    materials = outfit.materials | {key: typical(rng, kind) for key, kind in _kinds(rng, outfit).items()}
    return replace(person, outfit=replace(outfit, materials=materials))


def _kinds(rng: np.random.Generator, outfit: Outfit) -> dict[str, str]:
    """Return material -> kind of garment for what is to have its typical colour."""
    worn = {"top": outfit.kind, **{name: name for name in ("coat", "socks", "glove", "hat", "scarf")}}
    if outfit.bottom == "skirt":
        worn["bottom"] = "skirt"
    return {key: kind for key, kind in worn.items() if rng.random() < TYPICAL_SHARE}


def typical(rng: np.random.Generator, kind: str) -> Material:
    """Draw a cloth in one of the usual colours of a kind of garment (a key of `TYPICAL`)."""
    tones, pattern, second = TYPICAL[kind]
    return replace(sample_fabric(rng, tones, patterned=0.0), pattern=pattern, second=tuple(float(v) for v in second))
