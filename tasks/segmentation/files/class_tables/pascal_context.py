"""The classes of PASCAL Context, 59 of them or 60 with the background."""

from __future__ import annotations

from tasks.segmentation.files.classes import IGNORE, ClassTable, spread_colours

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

PASCAL_60 = ClassTable(tuple(_PASCAL_NAMES), spread_colours(60), tuple(range(60)), (IGNORE,))
PASCAL_59 = ClassTable(PASCAL_60.names[1:], PASCAL_60.colours[1:], tuple(range(1, 60)), (0, IGNORE))
