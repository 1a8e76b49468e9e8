"""Arms, legs, hands, feet and neck, in skin and in what covers them."""

from __future__ import annotations

import numpy as np

from benchmarks.synthetic.people.figure.clothing import LABEL
from benchmarks.synthetic.people.figure.fitting import Fitting

UPPER_ARM = (0.030, 0.029, 0.023)
FOREARM = (0.024, 0.023, 0.0145)
THIGH = (0.045, 0.049, 0.043, 0.034)
SHANK = (0.033, 0.037, 0.030, 0.020)
"""Half-widths of the limbs along their length, as fractions of the stature (an average adult's girths over pi)."""


class LimbTailor(Fitting):
    """Draws limbs."""

    def draw_arm(self, side: str) -> None:
        outfit, index = self.outfit, self.index
        skin, label = index["skin"], LABEL[f"{side}_arm"]
        shoulder, elbow, wrist = (self.joint(f"{side}_{name}") for name in ("shoulder", "elbow", "wrist"))
        if outfit.coat:
            wear, cover, loose = (index["coat"], LABEL["coat"]), 2.0, outfit.looseness * 1.1
        else:
            wear, cover, loose = (
                (index["top"], self.upper_wear()[1]),
                outfit.sleeve,
                0.5 + 0.5 * outfit.looseness + 0.04,
            )
        chest = self.frames["chest"]
        collar_bone = self.joint("thorax") + chest[:, 1] * (0.08 * self.body.neck * self.px)
        bare = not outfit.coat and outfit.sleeve == 0.0 and outfit.kind == "dress"
        girdle = (skin, label) if bare else wear
        radius = 0.030 * self.thick * (1.12 if outfit.coat else 0.8 if outfit.sleeve == 0.0 else 1.0)
        self.layer.add_strip(collar_bone, shoulder, (radius * 1.05, radius), girdle[0], girdle[1])
        length = self.body.upper_arm * self.px
        self._limb(shoulder, elbow, UPPER_ARM, skin, label, cover, wear, (1.05, loose))
        self._limb(elbow, wrist, FOREARM, skin, label, cover - 1.0, wear, (loose, loose), phase=length)
        hand_label, hand = (LABEL["glove"], index["glove"]) if outfit.gloves else (label, skin)
        frame = self.frames[f"{side}_forearm"]
        tip = self.points[f"{side}_hand"]
        size = self.unit * (1.12 if outfit.gloves else 1.0)
        inward = -1.0 if side == "left" else 1.0
        self.layer.add_ellipsoid(
            wrist + (tip - wrist) * 0.42, frame, (0.015 * size, 0.036 * size, 0.025 * size), hand, hand_label
        )
        knuckle = wrist + (tip - wrist) * 0.62
        finger = tip + frame[:, 0] * (inward * 0.006 * size)
        # Four fingers side by side are one flat strip at this size.
        self.layer.add_strip(
            knuckle,
            finger,
            (0.022 * size, 0.021 * size, 0.015 * size),
            hand,
            hand_label,
            lateral=frame[:, 2],
            forward=frame[:, 0],
            flatness=0.4,
            cap=0.6,
        )
        thumb = wrist + (tip - wrist) * 0.25 + frame[:, 2] * (0.02 * size)
        thumb_tip = thumb + frame[:, 2] * (0.016 * size) - frame[:, 1] * (0.026 * size)
        self.layer.add_strip(thumb, thumb_tip, (0.010 * size, 0.007 * size), hand, hand_label)

    def draw_leg(self, side: str) -> None:
        outfit, index = self.outfit, self.index
        skin, label = index["skin"], LABEL[f"{side}_leg"]
        hip, knee, ankle = (self.joint(f"{side}_{name}") for name in ("hip", "knee", "ankle"))
        wear: tuple[int, int] | None = None
        cover, loose = 0.0, 1.0
        if outfit.kind == "jumpsuit":
            wear, cover, loose = (index["top"], LABEL["jumpsuits"]), outfit.leg_length, outfit.looseness
        elif outfit.kind == "top" and outfit.bottom != "skirt":
            loose = (
                1.03 if outfit.bottom == "leggings" else outfit.looseness * (1.1 if outfit.bottom == "shorts" else 1.0)
            )
            wear, cover = (index["bottom"], LABEL["pants"]), outfit.leg_length
        elif outfit.kind == "dress":
            wear, cover, loose = (index["top"], LABEL["dress"]), min(outfit.hem * 0.92, 1.0), 1.06
        else:
            wear, cover, loose = (index["bottom"], LABEL["skirt"]), min(outfit.hem * 0.92, 1.0), 1.06
        length = self.body.thigh * self.px
        self._limb(hip, knee, THIGH, skin, label, cover, wear, (1.04, loose))
        self._limb(knee, ankle, SHANK, skin, label, cover - 1.0, wear, (loose, loose), phase=length)
        if outfit.socks > 0 and cover < 1.5:
            start = ankle + (knee - ankle) * outfit.socks
            knots = np.linspace(1 - outfit.socks, 1, 4)
            widths = np.interp(knots, np.linspace(0, 1, 4), SHANK) * (1.07 * self.thick)
            cloth, part = index["socks"], LABEL["socks"]
            self.layer.add_strip(start, ankle, tuple(map(float, widths)), cloth, part, cap=0.25)
        self._foot(side, ankle, skin, label)

    def _limb(
        self,
        start: np.ndarray,
        end: np.ndarray,
        widths: tuple[float, ...],
        material: int,
        label: int,
        cover: float,
        wear: tuple[int, int] | None,
        loose: tuple[float, float],
        phase: float = 0.0,
    ) -> None:
        """Draw one segment in skin and the part of it, `cover` in 0..1 from the start, that is dressed.

        `loose` is the cloth's width over the skin's at the start and at the end.
        """
        radii = tuple(width * self.thick for width in widths)
        if cover < 1.0 or wear is None:
            self.layer.add_strip(start, end, radii, material, label)
        if wear is None or cover <= 0.02:
            return
        share = min(cover, 1.0)
        knots = np.arange(len(radii)) / (len(radii) - 1)
        cut = np.interp(knots * share, knots, radii) * np.interp(knots, (0, 1), loose)
        stop = start + (end - start) * share
        cap = (1.0, 1.0 if share >= 1.0 else 0.3)
        self.layer.add_strip(start, stop, tuple(map(float, cut)), wear[0], wear[1], cap=cap, phase=phase)

    def _foot(self, side: str, ankle: np.ndarray, skin: int, label: int) -> None:
        outfit, index = self.outfit, self.index
        frame = self.frames[f"{side}_foot"]
        heel, toe = self.points[f"{side}_heel"], self.points[f"{side}_toe"]
        size = self.unit
        material, part = (index["shoe"], LABEL[f"{side}_shoe"]) if outfit.shoes else (skin, label)
        up, lateral = frame[:, 1], frame[:, 0]
        widths = (0.019 * size, 0.022 * size, 0.025 * size, 0.019 * size)
        self.layer.add_strip(heel, toe, widths, material, part, lateral=lateral, forward=up, flatness=0.72)
        instep = heel + (toe - heel) * 0.45 + up * (0.004 * size)
        self.layer.add_strip(ankle, instep, (0.021 * size, 0.020 * size), material, part)
        self.layer.add_strip(ankle - up * (0.012 * size), heel, (0.021 * size, 0.019 * size), material, part)
        if outfit.shoes:
            sole = up * (0.013 * size)
            wide = tuple(width * 1.04 for width in widths)
            self.layer.add_strip(
                heel - sole, toe - sole, wide, index["sole"], part, lateral=lateral, forward=up, flatness=0.22
            )

    def draw_neck(self) -> None:
        chest = self.frames["chest"]
        base = self.joint("thorax") + chest[:, 1] * (0.3 * self.body.neck * self.px) - chest[:, 2] * (0.008 * self.unit)
        self.layer.add_strip(
            base,
            self.joint("upper_neck") + self.frames["head"][:, 1] * (0.01 * self.unit),
            (0.034 * self.thick, 0.030 * self.thick),
            self.index["skin"],
            LABEL["face"],
        )
