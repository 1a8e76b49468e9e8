"""The classes of LIP: names, colours, and which swap in a mirror."""

from __future__ import annotations

from tasks.segmentation.files.classes import IGNORE, ClassTable

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

LIP = ClassTable(
    tuple(name for name, _ in _LIP),
    tuple(colour for _, colour in _LIP),
    tuple(range(20)),
    (IGNORE,),
    ((14, 15), (16, 17), (18, 19)),
)
