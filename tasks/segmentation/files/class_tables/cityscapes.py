"""The classes of Cityscapes: names, label ids, colours, and the weights that its reference training gives them."""

from __future__ import annotations

from tasks.segmentation.files.classes import ClassTable

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

CITYSCAPES = ClassTable(
    tuple(name for name, _, _ in _CITYSCAPES),
    tuple(colour for _, _, colour in _CITYSCAPES),
    tuple(file_id for _, file_id, _ in _CITYSCAPES),
    tuple(sorted(set(CITYSCAPES_IDS) - {file_id for _, file_id, _ in _CITYSCAPES})),
)
