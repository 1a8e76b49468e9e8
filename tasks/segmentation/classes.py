"""Class names, file ids and colours of the three datasets. Torch-free; docs/protocols.md, sections 6 to 8."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IGNORE = 255
"""What every label map holds where nothing is scored; the datasets' own conventions (-1, 255) end at the loader."""


@dataclass(frozen=True)
class ClassTable:
    """The scored classes of a dataset, in the order of the network's outputs.

    Attributes:
        names: one per class.
        colours: (R, G, B) per class, for overlays.
        file_ids: what stands for each class in the dataset's own label pngs and in submissions.
        ignored_ids: what else may stand in a label png; becomes :data:`IGNORE`.
        flip_pairs: classes that swap when a picture is mirrored.
    """

    names: tuple[str, ...]
    colours: tuple[tuple[int, int, int], ...]
    file_ids: tuple[int, ...]
    ignored_ids: tuple[int, ...] = ()
    flip_pairs: tuple[tuple[int, int], ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def decode_table(self) -> NDArray[np.int16]:
        """(256,) file id -> class; :data:`IGNORE` for ignored ids, -1 for ids that may not occur."""
        table = np.full(256, -1, np.int16)
        table[list(self.ignored_ids)] = IGNORE
        table[list(self.file_ids)] = np.arange(len(self.names))
        return table

    def encode_table(self) -> NDArray[np.uint8]:
        """(K,) class -> file id, as submissions want it."""
        return np.asarray(self.file_ids, np.uint8)

    def mirror(self) -> NDArray[np.intp]:
        """(K,) class -> class after a horizontal flip: its own inverse."""
        order = np.arange(len(self.names))
        for a, b in self.flip_pairs:
            order[a], order[b] = b, a
        return order


# name, file id, colour; the colours are the dataset's own.
_CITYSCAPES = (
    ("road", 7, (128, 64, 128)),
    ("sidewalk", 8, (244, 35, 232)),
    ("building", 11, (70, 70, 70)),
    ("wall", 12, (102, 102, 156)),
    ("fence", 13, (190, 153, 153)),
    ("pole", 17, (153, 153, 153)),
    ("traffic light", 19, (250, 170, 30)),
    ("traffic sign", 20, (220, 220, 0)),
    ("vegetation", 21, (107, 142, 35)),
    ("terrain", 22, (152, 251, 152)),
    ("sky", 23, (70, 130, 180)),
    ("person", 24, (220, 20, 60)),
    ("rider", 25, (255, 0, 0)),
    ("car", 26, (0, 0, 142)),
    ("truck", 27, (0, 0, 70)),
    ("bus", 28, (0, 60, 100)),
    ("train", 31, (0, 80, 100)),
    ("motorcycle", 32, (0, 0, 230)),
    ("bicycle", 33, (119, 11, 32)),
)
CITYSCAPES_IDS = range(34)
CITYSCAPES_WEIGHTS = (
    *(0.8373, 0.918, 0.866, 1.0345, 1.0166, 0.9969, 0.9754, 1.0489, 0.8786, 1.0023),
    *(0.9539, 0.9843, 1.1116, 0.9037, 1.0865, 1.0955, 1.0865, 1.1529, 1.0507),
)

_PASCAL_NAMES = (
    *("background", "aeroplane", "bag", "bed", "bedclothes", "bench", "bicycle", "bird", "boat", "book", "bottle"),
    *("building", "bus", "cabinet", "car", "cat", "ceiling", "chair", "cloth", "computer", "cow", "cup", "curtain"),
    *("dog", "door", "fence", "floor", "flower", "food", "grass", "ground", "horse", "keyboard", "light", "motorbike"),
    *("mountain", "mouse", "person", "plate", "platform", "pottedplant", "road", "rock", "sheep", "shelves"),
    *("sidewalk", "sign", "sky", "snow", "sofa", "table", "track", "train", "tree", "truck", "tvmonitor", "wall"),
    *("water", "window", "wood"),
)
PASCAL_DETAIL_IDS = (
    *(
        0,
        2,
        9,
        18,
        19,
        22,
        23,
        25,
        31,
        33,
        34,
        44,
        45,
        46,
        59,
        65,
        68,
        72,
        80,
        85,
        98,
        104,
        105,
        113,
        115,
        144,
        158,
        159,
    ),
    *(
        162,
        187,
        189,
        207,
        220,
        232,
        258,
        259,
        260,
        284,
        295,
        296,
        308,
        324,
        326,
        347,
        349,
        354,
        355,
        360,
        366,
        368,
        397,
    ),
    *(415, 416, 420, 424, 427, 440, 445, 454, 458),
)
"""Category ids of the "PASCAL in Detail" json; the class is the rank."""

# name, colour
_LIP = (
    ("Background", (0, 0, 0)),
    ("Hat", (128, 0, 0)),
    ("Hair", (255, 0, 0)),
    ("Glove", (0, 85, 0)),
    ("Sunglasses", (170, 0, 51)),
    ("UpperClothes", (255, 85, 0)),
    ("Dress", (0, 0, 85)),
    ("Coat", (0, 119, 221)),
    ("Socks", (85, 85, 0)),
    ("Pants", (0, 85, 85)),
    ("Jumpsuits", (85, 51, 0)),
    ("Scarf", (52, 86, 128)),
    ("Skirt", (0, 128, 0)),
    ("Face", (0, 0, 255)),
    ("L-arm", (51, 170, 221)),
    ("R-arm", (0, 255, 255)),
    ("L-leg", (85, 255, 170)),
    ("R-leg", (170, 255, 85)),
    ("L-shoe", (255, 255, 0)),
    ("R-shoe", (255, 170, 0)),
)


def _spread_colours(count: int) -> tuple[tuple[int, int, int], ...]:
    """Colours told apart by the bits of the index, spread over the three channels (the PASCAL VOC rule)."""
    made = []
    for index in range(count):
        channels = [0, 0, 0]
        for bit in range(8):
            for k in range(3):
                channels[k] |= ((index >> (3 * bit + k)) & 1) << (7 - bit)
        made.append((channels[0], channels[1], channels[2]))
    return tuple(made)


CITYSCAPES = ClassTable(
    tuple(name for name, _, _ in _CITYSCAPES),
    tuple(colour for _, _, colour in _CITYSCAPES),
    tuple(file_id for _, file_id, _ in _CITYSCAPES),
    tuple(sorted(set(CITYSCAPES_IDS) - {file_id for _, file_id, _ in _CITYSCAPES})),
)
PASCAL_60 = ClassTable(tuple(_PASCAL_NAMES), _spread_colours(60), tuple(range(60)), (IGNORE,))
PASCAL_59 = ClassTable(PASCAL_60.names[1:], PASCAL_60.colours[1:], tuple(range(1, 60)), (0, IGNORE))
LIP = ClassTable(
    tuple(name for name, _ in _LIP),
    tuple(colour for _, colour in _LIP),
    tuple(range(20)),
    (IGNORE,),
    ((14, 15), (16, 17), (18, 19)),
)


def class_table(dataset: str, num_classes: int | None = None) -> ClassTable:
    """The table of a dataset; PASCAL Context has one with 59 classes and one with 60 (background scored).

    Raises:
        ValueError: the dataset does not come with that many classes.
    """
    tables = {
        "cityscapes": (CITYSCAPES,),
        "pascal_context": (PASCAL_59, PASCAL_60),
        "lip": (LIP,),
    }[dataset]
    for table in tables:
        if num_classes in (None, len(table)):
            return table
    sizes = " or ".join(str(len(t)) for t in tables)
    raise ValueError(f"Expected {sizes} classes for {dataset}, got {num_classes}; set num_classes.")
