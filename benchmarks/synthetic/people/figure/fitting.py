"""What drawing every part of a person needs: its body, clothes, posed skeleton, and the layer to draw into."""

from __future__ import annotations

import numpy as np

from benchmarks.synthetic.people.figure.body import JOINT_INDEX, Body, Skeleton
from benchmarks.synthetic.people.figure.clothing import LABEL, Outfit
from benchmarks.synthetic.raster.strokes import Layer


class Fitting:
    """Draws one person's parts; holds what every part needs.

    Args:
        joints: (21, 3) in camera space, layer pixels. frames, points: as in `Skeleton`, in camera space.
        px: layer pixels per metre.
    """

    def __init__(self, layer: Layer, body: Body, outfit: Outfit, skeleton: Skeleton, px: float) -> None:
        self.layer = layer
        self.body = body
        self.outfit = outfit
        self.joints = skeleton.joints
        self.frames = skeleton.frames
        self.points = skeleton.points
        self.px = px
        self.unit = body.stature * px
        self.thick = self.unit * float(np.sqrt(body.girth))
        self.index = {name: number + 1 for number, name in enumerate(outfit.materials)}

    def joint(self, name: str) -> np.ndarray:
        result: np.ndarray = self.joints[JOINT_INDEX[name]]
        return result

    def upper_wear(self) -> tuple[str, int]:
        label = {"top": "upper_clothes", "dress": "dress", "jumpsuit": "jumpsuits"}[self.outfit.kind]
        return "top", LABEL[label]
