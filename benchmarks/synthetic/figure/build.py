"""Dresses a posed skeleton in solids: torso, limbs, hands, feet, clothes and head, drawn into a depth-buffered layer."""

from __future__ import annotations

import numpy as np

from benchmarks.synthetic.figure.body import JOINT_INDEX, SIDES, Body, Skeleton
from benchmarks.synthetic.figure.clothing import LABEL, Outfit
from benchmarks.synthetic.figure.head import draw_head
from benchmarks.synthetic.figure.raster import Layer

UPPER_ARM = (0.030, 0.029, 0.023)
FOREARM = (0.024, 0.023, 0.0145)
THIGH = (0.045, 0.049, 0.043, 0.034)
SHANK = (0.033, 0.037, 0.030, 0.020)
"""Half-widths of the limbs along their length, as fractions of the stature (an average adult's girths over pi)."""


class Tailor:
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
        return self.joints[JOINT_INDEX[name]]

    def draw(self) -> None:
        """Draw everything; the order does not matter, the depth buffer sorts."""
        self._torso()
        for side in SIDES:
            self._arm(side)
            self._leg(side)
        self._neck()
        draw_head(
            self.layer, self.points["head_centre"], self.frames["head"], self.body, self.outfit, self.index, self.px
        )
        if self.outfit.bag:
            self._bag()

    def _upper_wear(self) -> tuple[str, int]:
        label = {"top": "upper_clothes", "dress": "dress", "jumpsuit": "jumpsuits"}[self.outfit.kind]
        return "top", LABEL[label]

    def _trunk(self, grow: float, materials: tuple[int, int], labels: tuple[int, int], gap: float = 0.0) -> None:
        """Draw chest and hips: the upper strip from the neck to the waist, the lower on to the crotch."""
        profile = tuple(width * self.px * grow for width in self.body.torso_profile)
        chest, pelvis = self.frames["chest"], self.frames["pelvis"]
        top = self.joint("thorax") + chest[:, 1] * (0.3 * self.body.neck * self.px)
        waist = self.points["waist"]
        crotch = self.joint("pelvis") - pelvis[:, 1] * (0.055 * self.unit)
        flat = self.body.torso_flatness
        upper_length = float(np.linalg.norm(waist - top))
        self.layer.add_strip(
            top,
            waist,
            profile[:6],
            materials[0],
            labels[0],
            cap=0.25,
            lateral=chest[:, 0],
            forward=chest[:, 2],
            flatness=flat,
            wrap=True,
            gap=gap,
        )
        self.layer.add_strip(
            waist,
            crotch,
            profile[5:],
            materials[1],
            labels[1],
            cap=(0.05, 0.3),
            lateral=pelvis[:, 0],
            forward=pelvis[:, 2],
            flatness=flat * 1.2,
            phase=upper_length,
            wrap=True,
            gap=gap,
        )

    def _torso(self) -> None:
        outfit, index = self.outfit, self.index
        top_name, top_label = self._upper_wear()
        lower = (top_name, top_label)
        if outfit.kind == "top":
            lower = ("bottom", LABEL["skirt" if outfit.bottom == "skirt" else "pants"])
        self._trunk(1.0, (index[top_name], index[lower[0]]), (top_label, lower[1]))
        if outfit.kind == "top" and not outfit.coat:
            self._shirt_tail(index[top_name], top_label)
        if outfit.kind == "dress":
            self._skirt(index["top"], top_label, outfit.hem)
        elif outfit.bottom == "skirt":
            self._skirt(index["bottom"], LABEL["skirt"], outfit.hem)
        if outfit.coat:
            coat, label = index["coat"], LABEL["coat"]
            self._trunk(1.10, (coat, coat), (label, label), gap=0.22 if outfit.buttons else 0.42)
            self._skirt(coat, label, outfit.hem * 0.8, gap=0.3, grow=1.1)
        chest = self.frames["chest"]
        thorax, waist = self.joint("thorax"), self.points["waist"]
        if outfit.buttons and not outfit.coat:
            depth = self.body.torso_profile[3] * self.body.torso_flatness * self.px
            for step in np.linspace(0.12, 0.95, 5):
                middle = thorax + (waist - thorax) * step + chest[:, 2] * (depth * (0.97 if step > 0.2 else 0.8))
                self.layer.add_ellipsoid(middle, chest, (0.007 * self.unit,) * 3, index["button"], top_label)
        if outfit.collar:
            ring = self.joint("thorax") + chest[:, 1] * (0.35 * self.body.neck * self.px)
            self.layer.add_ellipsoid(
                ring, chest, (0.052 * self.unit, 0.016 * self.unit, 0.048 * self.unit), index["collar"], top_label
            )
        if outfit.scarf:
            scarf, label = index["scarf"], LABEL["scarf"]
            ring = self.joint("thorax") + chest[:, 1] * (0.45 * self.body.neck * self.px)
            self.layer.add_ellipsoid(
                ring, chest, (0.068 * self.unit, 0.030 * self.unit, 0.064 * self.unit), scarf, label
            )
            hang = ring + chest[:, 2] * (0.07 * self.unit) + chest[:, 0] * (0.03 * self.unit)
            self.layer.add_strip(
                hang,
                hang - chest[:, 1] * (0.17 * self.unit),
                (0.022 * self.unit, 0.026 * self.unit),
                scarf,
                label,
                cap=0.2,
            )

    def _shirt_tail(self, material: int, label: int) -> None:
        """Let the upper clothes fall below the waist: loose ones over the hips, tight ones barely."""
        pelvis = self.frames["pelvis"]
        begin = self.points["waist"] + self.frames["chest"][:, 1] * (0.01 * self.unit)
        drop = float(np.interp(self.outfit.looseness, (1.06, 1.15, 1.35), (0.01, -0.015, -0.06)))
        end = self.joint("pelvis") + pelvis[:, 1] * (drop * self.unit)
        room = 1.07 + 0.3 * max(self.outfit.looseness - 1.1, 0.0)
        widths = tuple(width * self.px * room for width in self.body.torso_profile[5:8])
        self.layer.add_strip(
            begin,
            end,
            widths,
            material,
            label,
            cap=(0.2, 0.04),
            lateral=pelvis[:, 0],
            forward=pelvis[:, 2],
            flatness=self.body.torso_flatness * 1.25,
            phase=0.35 * self.body.torso * self.px,
            wrap=True,
        )

    def _skirt(self, material: int, label: int, hem: float, gap: float = 0.0, grow: float = 1.0) -> None:
        """Hang a cone of cloth around both legs, `hem` thighs long; it follows the legs and is wide enough to hold them."""
        pelvis = self.frames["pelvis"]
        hips = self.joint("pelvis") + pelvis[:, 1] * (0.02 * self.unit)
        hips_wide = self.body.hip_half * self.px + 0.042 * self.thick
        width = max(self.body.torso_profile[7] * self.px, hips_wide) * grow * 1.04
        waist = self.points["waist"] - pelvis[:, 1] * (0.01 * self.unit)
        self.layer.add_strip(
            waist,
            hips,
            (self.body.torso_profile[5] * self.px * grow * 1.04, width * 0.97, width),
            material,
            label,
            cap=0.05,
            lateral=pelvis[:, 0],
            forward=pelvis[:, 2],
            flatness=self.body.torso_flatness * 1.25,
            phase=-float(np.linalg.norm(hips - waist)),
            wrap=True,
            gap=gap,
        )
        stops = [hips]
        for name, share in (("knee", min(hem, 1.0)), ("ankle", max(hem - 1.0, 0.0))):
            if share <= 0:
                break
            target = (self.joint(f"left_{name}") + self.joint(f"right_{name}")) / 2
            stops.append(stops[-1] + (target - stops[-1]) * share)
        spans = []
        for number, name in enumerate(("knee", "ankle")[: len(stops) - 1]):
            apart = self.joint(f"left_{name}") - self.joint(f"right_{name}")
            share = min(max(hem - number, 0.15), 1.0)
            spans.append((abs(float(apart @ pelvis[:, 0])) / 2 * share, float(np.linalg.norm(apart)) / 2 * share))
        begin = width
        phase = 0.0
        for number, (start, end) in enumerate(zip(stops[:-1], stops[1:], strict=True)):
            side, reach = spans[number]
            loose = width * (1.0 + (self.outfit.flare - 1.0) * 0.55 * min(hem, 1.4) * (number + 1) / 2)
            final = max(loose, side + 0.045 * self.thick)
            axis = (end - start) / (np.linalg.norm(end - start) + 1e-6)
            lateral = pelvis[:, 0] - axis * float(pelvis[:, 0] @ axis)
            lateral /= np.linalg.norm(lateral) + 1e-6
            forward = np.cross(lateral, axis)
            if float(forward @ pelvis[:, 2]) < 0 and float(forward @ pelvis[:, 1]) < 0.2:
                forward = -forward
            flat = float(np.clip((reach * 0.8 + 0.05 * self.thick) / final, self.body.torso_flatness, 1.3))
            self.layer.add_strip(
                start,
                end,
                (begin, (begin + final) / 2, final),
                material,
                label,
                cap=0.06 if number + 2 == len(stops) else 0.3,
                lateral=lateral,
                forward=forward,
                flatness=flat,
                phase=phase,
                wrap=True,
                gap=gap,
            )
            phase += float(np.linalg.norm(end - start))
            begin = final

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

    def _arm(self, side: str) -> None:
        outfit, index = self.outfit, self.index
        skin, label = index["skin"], LABEL[f"{side}_arm"]
        shoulder, elbow, wrist = (self.joint(f"{side}_{name}") for name in ("shoulder", "elbow", "wrist"))
        if outfit.coat:
            wear, cover, loose = (index["coat"], LABEL["coat"]), 2.0, outfit.looseness * 1.1
        else:
            wear, cover, loose = (
                (index["top"], self._upper_wear()[1]),
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
        for spread in (-0.014, 0.0, 0.014):
            offset = frame[:, 2] * (spread * size)
            self.layer.add_strip(
                knuckle + offset * 0.8, finger + offset * 1.25, (0.0085 * size, 0.0065 * size), hand, hand_label
            )
        thumb = wrist + (tip - wrist) * 0.25 + frame[:, 2] * (0.02 * size)
        thumb_tip = thumb + frame[:, 2] * (0.016 * size) - frame[:, 1] * (0.026 * size)
        self.layer.add_strip(thumb, thumb_tip, (0.010 * size, 0.007 * size), hand, hand_label)

    def _leg(self, side: str) -> None:
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
        if outfit.socks > 0 and cover < 1.9:
            start = ankle + (knee - ankle) * outfit.socks
            knots = np.linspace(1 - outfit.socks, 1, 4)
            widths = np.interp(knots, np.linspace(0, 1, 4), SHANK) * (1.07 * self.thick)
            cloth, part = index["socks"], LABEL["socks"]
            self.layer.add_strip(start, ankle, tuple(map(float, widths)), cloth, part, cap=0.25)
        self._foot(side, ankle, skin, label)

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

    def _neck(self) -> None:
        chest = self.frames["chest"]
        base = self.joint("thorax") + chest[:, 1] * (0.3 * self.body.neck * self.px) - chest[:, 2] * (0.008 * self.unit)
        self.layer.add_strip(
            base,
            self.joint("upper_neck") + self.frames["head"][:, 1] * (0.01 * self.unit),
            (0.034 * self.thick, 0.030 * self.thick),
            self.index["skin"],
            LABEL["face"],
        )

    def _bag(self) -> None:
        """Put a rucksack on the back. LIP has no class for it, so it is nobody's part (label 0)."""
        chest = self.frames["chest"]
        middle = (self.joint("thorax") + self.points["waist"]) / 2
        depth = self.body.torso_profile[3] * self.body.torso_flatness * self.px
        back = middle - chest[:, 2] * (depth + 0.03 * self.unit)
        self.layer.add_ellipsoid(
            back, chest, (0.085 * self.unit, 0.125 * self.unit, 0.055 * self.unit), self.index["bag"], 0
        )
        for side in (1, -1):
            top = self.joint("thorax") + chest[:, 0] * (side * 0.06 * self.unit) + chest[:, 2] * (depth * 0.75)
            low = self.points["waist"] + chest[:, 0] * (side * 0.075 * self.unit) + chest[:, 2] * (depth * 0.82)
            self.layer.add_strip(top, low, (0.010 * self.unit, 0.010 * self.unit), self.index["bag"], 0)
