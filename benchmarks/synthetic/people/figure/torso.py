"""The trunk and what hangs on it: shirt, trousers' seat, skirt, dress, coat, collar, scarf, rucksack."""

from __future__ import annotations

import numpy as np

from benchmarks.synthetic.people.figure.clothing import LABEL
from benchmarks.synthetic.people.figure.fitting import Fitting


class TorsoTailor(Fitting):
    """Draws the trunk."""

    def draw_torso(self) -> None:
        outfit, index = self.outfit, self.index
        top_name, top_label = self.upper_wear()
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

    def _shirt_tail(self, material: int, label: int) -> None:
        """Let the upper clothes fall below the waist: loose ones over the hips, tight ones barely."""
        pelvis = self.frames["pelvis"]
        begin = self.points["waist"] + self.frames["chest"][:, 1] * (0.01 * self.unit)
        drop = float(np.interp(self.outfit.looseness, (1.06, 1.15, 1.35), (0.01, -0.015, -0.06)))
        if self.outfit.bottom == "skirt":
            drop = 0.03
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
            flat = float(np.clip((reach * 0.8 + 0.05 * self.thick) / final, self.body.torso_flatness, 0.95))
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

    def draw_bag(self) -> None:
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
