"""The geometry of one parametric face: outline, profile, relief and the curves of brows, eyes, nose and lips.

Units: the distance between the outer eye corners of the average face is 1. x grows to the right of the picture (the
subject's left), y upwards, z towards the camera; the origin lies between the eyes, inside the head.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np

# Outline of the average face from the chin (first) over the ear (index EAR_KNOT) to the crown: half width, y, and the
# z of the outline itself. The skin bulges from there to PROFILE at x = 0.
OUTLINE = np.array(
    [
        [0.00, -1.42, 0.66],
        [0.21, -1.395, 0.60],
        [0.41, -1.27, 0.44],
        [0.565, -1.06, 0.26],
        [0.675, -0.79, 0.10],
        [0.745, -0.50, 0.00],
        [0.79, -0.23, -0.08],
        [0.815, 0.03, -0.12],
        [0.84, 0.30, -0.13],
        [0.82, 0.56, -0.15],
        [0.74, 0.80, -0.17],
        [0.57, 0.99, -0.19],
        [0.30, 1.10, -0.20],
        [0.00, 1.13, -0.20],
    ]
)
EAR_KNOT = 7
# How much of a dropped chin (open mouth) and of a wider jaw each outline knot follows.
DROP_WEIGHT = np.array([1.0, 1.0, 0.86, 0.58, 0.28, 0.08, 0, 0, 0, 0, 0, 0, 0, 0])
JAW_WEIGHT = np.array([0.7, 0.9, 1.0, 1.0, 0.9, 0.6, 0.25, 0, 0, 0, 0, 0, 0, 0])
# Side view of the average face without nose, lips and chin bump: y -> z.
PROFILE_Y = np.array(
    [-1.42, -1.38, -1.28, -1.12, -1.0, -0.85, -0.65, -0.45, -0.1, 0.15, 0.3, 0.55, 0.76, 0.93, 1.06, 1.13]
)
PROFILE_Z = np.array([0.68, 0.80, 0.87, 0.87, 0.85, 0.90, 0.90, 0.90, 0.88, 0.95, 0.98, 0.96, 0.85, 0.60, 0.24, -0.20])


@dataclass(frozen=True)
class FaceShape:
    """Identity and expression of a face as mode amplitudes; zero is the average, neutral face, +-1 is strong."""

    width: float = 0.0
    jaw: float = 0.0
    chin: float = 0.0
    forehead: float = 0.0
    nose_length: float = 0.0
    nose_width: float = 0.0
    nose_height: float = 0.0
    eye_size: float = 0.0
    eye_distance: float = 0.0
    eye_tilt: float = 0.0
    brow_height: float = 0.0
    brow_arch: float = 0.0
    brow_thick: float = 0.0
    lip_thick: float = 0.0
    mouth_width: float = 0.0
    cheek: float = 0.0
    # expression
    open_mouth: float = 0.0
    smile: float = 0.0
    pout: float = 0.0
    smirk: float = 0.0
    surprise: float = 0.0
    frown: float = 0.0
    lid_left: float = 1.0  # 1 open, 0 closed: the eye at the left of the picture
    lid_right: float = 1.0
    gaze_x: float = 0.0
    gaze_y: float = 0.0


def random_shape(rng: np.random.Generator, expressive: float = 0.35) -> FaceShape:
    """A random face: identity modes are normal with sigma 0.5 cut at 1, expressions are drawn with strength `expressive`."""
    names = [f.name for f in fields(FaceShape)]
    identity = names[: names.index("open_mouth")]
    values = dict(zip(identity, np.clip(rng.normal(0, 0.5, len(identity)), -1.1, 1.1).tolist(), strict=True))
    values["gaze_x"], values["gaze_y"] = np.clip(rng.normal(0, 0.35, 2), -0.9, 0.9).tolist()
    kind = rng.choice(["neutral", "smile", "laugh", "open", "surprise", "frown", "pout", "closed", "wink", "smirk"],
                      p=[0.30, 0.22, 0.12, 0.08, 0.06, 0.06, 0.04, 0.05, 0.03, 0.04])  # fmt: skip
    strength = float(rng.uniform(0.4, 1.0)) * (1.0 if rng.random() < expressive else 0.6)
    lids = float(np.clip(rng.normal(1.0, 0.12), 0.6, 1.25))
    values["lid_left"] = values["lid_right"] = lids
    side = rng.choice(["lid_left", "lid_right"])
    changes: dict[str, dict[str, float]] = {
        "neutral": {"open_mouth": 0.1 * strength * float(rng.random() < 0.3)},
        "smile": {"smile": strength, "open_mouth": 0.15 * strength * float(rng.random() < 0.5)},
        "laugh": {"smile": strength, "open_mouth": 0.55 * strength, "lid_left": 0.75 * lids, "lid_right": 0.75 * lids},
        "open": {"open_mouth": strength},
        "surprise": {
            "surprise": strength,
            "open_mouth": 0.6 * strength,
            "lid_left": 1.3 * lids,
            "lid_right": 1.3 * lids,
        },
        "frown": {"frown": strength, "smile": -0.5 * strength, "lid_left": 0.8 * lids, "lid_right": 0.8 * lids},
        "pout": {"pout": strength},
        "closed": {"lid_left": 0.03, "lid_right": 0.03},
        "wink": {str(side): 0.05, "smile": 0.5 * strength},
        "smirk": {"smirk": strength * (1 if rng.random() < 0.5 else -1), "smile": 0.3 * strength},
    }
    values.update(changes[str(kind)])
    return FaceShape(**values)


@lru_cache(maxsize=16)
def _spline_weights(num_knots: int, num_out: int) -> np.ndarray:
    """Catmull-Rom weights (num_out, num_knots) that resample knots evenly in their index."""
    at = np.linspace(0, num_knots - 1, num_out)
    low = np.minimum(at.astype(int), num_knots - 2)
    t = at - low
    basis = 0.5 * np.stack([-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, -(t**2) + t**3], 1)
    weights = np.zeros((num_out, num_knots))
    for k in range(4):
        np.add.at(weights, (np.arange(num_out), np.clip(low + k - 1, 0, num_knots - 1)), basis[:, k])
    return weights


def spline(knots: np.ndarray, num_out: int) -> np.ndarray:
    """A smooth curve (num_out, D) through `knots` (N, D), ends included, evenly spaced in the knots' index."""
    result: np.ndarray = _spline_weights(len(knots), num_out) @ knots
    return result


def along(curve: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Points of a polyline (N, D) at the given shares (0..1) of the arc length of its first two coordinates."""
    steps = np.linalg.norm(np.diff(curve[:, :2], axis=0), axis=1)
    length = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.asarray(shares) * length[-1]
    return np.stack([np.interp(at, length, curve[:, d]) for d in range(curve.shape[1])], 1)


class FaceGeometry:
    """Curves and surface of one `FaceShape`.

    `outline` (N, 3) runs from the chin to the crown (x >= 0); `curve(name)` gives the flat (x, y) feature curves;
    `lift(xy)` puts flat points on the skin.
    """

    NUM_OUTLINE = 92

    def __init__(self, shape: FaceShape) -> None:
        self.shape = s = shape
        self.stretch = 1 + 0.05 * s.chin  # lower face length
        self.drop = 0.30 * max(s.open_mouth, 0) + 0.05 * s.surprise
        knots = OUTLINE.copy()
        knots[:, 0] *= (1 + 0.06 * s.width) * (1 + 0.09 * s.jaw * JAW_WEIGHT) * (1 + 0.03 * s.cheek * (knots[:, 1] < 0))
        below = knots[:, 1] < -0.3
        knots[below, 1] = -0.3 + (knots[below, 1] + 0.3) * self.stretch
        knots[:, 1] -= self.drop * DROP_WEIGHT
        above = knots[:, 1] > 0.3
        knots[above, 1] = 0.3 + (knots[above, 1] - 0.3) * (1 + 0.08 * s.forehead)
        self.outline = spline(knots, self.NUM_OUTLINE)
        self.outline[:, 0] = np.maximum(self.outline[:, 0], 0)
        self.chin_y, self.crown_y = float(knots[0, 1]), float(knots[-1, 1])
        self.ear_index = round(EAR_KNOT / (len(OUTLINE) - 1) * (self.NUM_OUTLINE - 1))
        profile_y = PROFILE_Y.copy()
        low, high = profile_y < -0.3, profile_y > 0.3
        profile_y[low] = -0.3 + (profile_y[low] + 0.3) * self.stretch
        # the lip line parts at -0.8: what lies above stays, what lies below follows the jaw
        profile_y -= self.drop * np.clip((-0.80 - PROFILE_Y) / 0.2, 0, 1)
        profile_y[high] = 0.3 + (profile_y[high] - 0.3) * (1 + 0.08 * s.forehead)
        self._profile = spline(np.stack([profile_y, PROFILE_Z], 1), 120)
        self._profile[:, 0] = np.maximum.accumulate(self._profile[:, 0])
        order = np.argsort(self.outline[:, 1], kind="stable")
        self._outline_by_y = self.outline[order]
        self._eyes()
        self._nose()
        self._mouth()
        self._brows()

    # ---- flat curves, left of the picture first (x < 0) ----
    def _eyes(self) -> None:
        s = self.shape
        self.eye_lids: list[tuple[np.ndarray, np.ndarray]] = []  # (upper, lower) from outer to inner corner
        self.pupils: list[np.ndarray] = []
        self.eye_centers: list[np.ndarray] = []
        half = 0.152 * (1 + 0.10 * s.eye_size)
        for sign, lid in ((-1, s.lid_left), (1, s.lid_right)):
            centre = np.array([sign * (0.348 + 0.022 * s.eye_distance), 0.0])
            tilt = 0.02 + 0.025 * s.eye_tilt
            t = np.linspace(0, 1, 25)
            x = centre[0] + sign * half * (1 - 2 * t)
            base = tilt * (1 - 2 * t)
            smile = 0.25 * max(s.smile, 0)
            rise = 0.070 * (1 + 0.25 * s.eye_size) * lid
            fall = 0.042 * (1 + 0.2 * s.eye_size) * min(lid, 1.15) * (1 - smile) if lid > 0.2 else 0.042 * lid
            closed_sag = -0.03 * (1 - min(lid, 1.0)) * np.sin(np.pi * t)
            upper = base + rise * np.sin(np.pi * t**0.92) ** 0.85 + closed_sag
            lower = base - fall * np.sin(np.pi * t**1.1) ** 0.9 + closed_sag
            self.eye_lids.append((np.stack([x, upper], 1), np.stack([x, lower], 1)))
            middle = (upper[12] + lower[12]) / 2
            opening = max(upper[12] - lower[12], 0.0)
            gaze = np.array([0.05 * s.gaze_x, np.clip(0.03 * s.gaze_y, -0.25 * opening, 0.25 * opening)])
            self.pupils.append(np.array([centre[0], middle + 0.1 * opening]) + gaze)
            self.eye_centers.append(np.array([centre[0], middle]))

    def _nose(self) -> None:
        s = self.shape
        length = 1 + 0.10 * s.nose_length
        self.nose_tip_y = -0.41 * length
        self.nose_base_y = -0.555 * length
        self.nose_half = 0.165 * (1 + 0.16 * s.nose_width) * (1 + 0.06 * max(s.smile, 0))
        self.nose_high = 0.34 * (1 + 0.2 * s.nose_height)
        self.nose_bridge = np.stack([np.zeros(4), np.linspace(0.015, self.nose_tip_y, 4)], 1)
        half, base = self.nose_half, self.nose_base_y
        self.nose_floor = np.array(
            [
                [-half, base + 0.055],
                [-half * 0.52, base + 0.02],
                [0, base],
                [half * 0.52, base + 0.02],
                [half, base + 0.055],
            ]
        )

    def _mouth(self) -> None:
        s = self.shape
        y = -0.785 * (1 + 0.5 * (self.stretch - 1)) - 0.04 * (s.nose_length > 0) * s.nose_length
        smile = s.smile
        half = 0.315 * (
            1 + 0.10 * s.mouth_width + 0.16 * smile - 0.22 * s.pout - 0.14 * max(s.open_mouth, 0) - 0.08 * s.surprise
        )
        top, bottom = 0.088 * (1 + 0.35 * s.lip_thick + 0.25 * s.pout), 0.118 * (1 + 0.35 * s.lip_thick + 0.25 * s.pout)
        top, bottom = top * (1 - 0.22 * max(smile, 0)), bottom * (1 - 0.15 * max(smile, 0))
        gap_up = 0.012 * max(s.open_mouth, 0) + 0.03 * max(smile, 0) * min(1.0, 3 * max(s.open_mouth, 0))
        gap_low = 0.9 * self.drop
        corner_up = np.array([0.07 * smile + 0.05 * s.smirk, 0.07 * smile - 0.05 * s.smirk])  # left, right
        corner_y = y - 0.22 * gap_low + corner_up
        left, right = np.array([-half, corner_y[0]]), np.array([half, corner_y[1]])

        def bend(x: np.ndarray) -> np.ndarray:
            """Line from corner to corner, sagging or rising with the corners as |x| grows."""
            share = np.abs(x) / half
            side = np.where(x < 0, corner_up[0], corner_up[1])
            result: np.ndarray = y + side * share**1.6
            return result

        ux = half * np.array([-0.63, -0.26, 0.0, 0.26, 0.63])
        rise_outer = top * np.array([0.66, 1.0, 0.84, 1.0, 0.66]) + gap_up * np.array([0.6, 1, 1, 1, 0.6])
        lx = half * np.array([0.64, 0.30, 0.0, -0.30, -0.64])
        fall_outer = bottom * np.array([0.68, 0.97, 1.0, 0.97, 0.68]) + gap_low * np.array([0.72, 0.97, 1, 0.97, 0.72])
        upper_y = bend(ux) + 0.014 + rise_outer
        lower_y = bend(lx) - fall_outer + 0.014
        iux = half * np.array([-0.34, 0.0, 0.34])
        ilx = half * np.array([0.34, 0.0, -0.34])
        inner_up = bend(iux) + 0.012 + gap_up * np.array([0.9, 1, 0.9]) + np.array([0.004, 0.0, 0.004])
        inner_low = bend(ilx) + 0.006 - gap_low * np.array([0.9, 1, 0.9])
        # order of the outer ring: left corner, 5 upper, right corner, 5 lower (right to left)
        self.lip_outer = np.concatenate([[left], np.stack([ux, upper_y], 1), [right], np.stack([lx, lower_y], 1)])
        inner_left, inner_right = left + np.array([0.13 * half, -0.004]), right + np.array([-0.13 * half, -0.004])
        self.lip_inner = np.concatenate(
            [[inner_left], np.stack([iux, inner_up], 1), [inner_right], np.stack([ilx, inner_low], 1)]
        )
        self.mouth_half, self.mouth_y = half, y
        self.lip_gap = gap_up + gap_low

    def _brows(self) -> None:
        s = self.shape
        self.brows: list[tuple[np.ndarray, np.ndarray]] = []  # (upper, lower) edge from outer to inner end
        lift = 0.035 * s.brow_height + 0.10 * s.surprise - 0.02 * s.frown
        thick = 0.058 * (1 + 0.35 * s.brow_thick)
        for sign in (-1, 1):
            x = sign * (np.array([0.635, 0.53, 0.40, 0.27, 0.135]) + 0.015 * s.eye_distance - 0.025 * s.frown)
            arch = np.array([0.155, 0.225, 0.25, 0.235, 0.195])
            arch = arch + 0.03 * s.brow_arch * np.array([-0.6, 0.8, 1, 0.2, -0.3]) + lift
            arch = arch + s.frown * np.array([0.02, 0.01, -0.005, -0.04, -0.075])
            half = thick / 2 * np.array([0.12, 0.62, 0.9, 1.05, 1.0])
            centre = spline(np.stack([x, arch], 1), 21)
            spread = spline(np.stack([half, half], 1), 21)[:, 0]
            self.brows.append((centre + np.stack([0 * spread, spread], 1), centre - np.stack([0 * spread, spread], 1)))

    # ---- the skin ----
    def half_width(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Half width and outline z of the head at height y."""
        table = self._outline_by_y
        return np.interp(y, table[:, 1], table[:, 0]), np.interp(y, table[:, 1], table[:, 2])

    def depth(self, y: np.ndarray) -> np.ndarray:
        """z of the side view at x = 0, without nose and lips."""
        result: np.ndarray = np.interp(y, self._profile[:, 0], self._profile[:, 1])
        return result

    def relief(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """z that nose, sockets, lips, cheeks and chin add to the smooth head at flat positions."""
        s = self.shape

        def bump(cx: float, cy: float, sx: float, sy: float) -> np.ndarray:
            return np.exp(-(((x - cx) / sx) ** 2) - ((y - cy) / sy) ** 2)

        tip, base = self.nose_tip_y, self.nose_base_y
        ys = [base - 0.02, base + 0.02, base + 0.06, tip - 0.015, tip + 0.05, -0.24, -0.08, 0.06, 0.22]
        hs = [0.0, 0.15, 0.72, 1.0, 0.94, 0.66, 0.34, 0.16, 0.0]
        ridge = self.nose_high * np.interp(y, ys, hs)
        spread = np.interp(y, [base, tip, -0.2, 0.1], [0.135, 0.125, 0.105, 0.10]) * (1 + 0.1 * s.nose_width)
        z = ridge * np.exp(-((np.abs(x) / spread) ** 2.0))
        wing_y = base + 0.075
        pout = 0.05 * s.pout
        mx, my = self.mouth_half, self.mouth_y
        lower_y = my - 0.07 - 0.9 * self.drop
        z += (0.055 + pout) * bump(0, my + 0.06, 0.85 * mx, 0.055) + (0.06 + pout) * bump(0, lower_y, 0.7 * mx, 0.06)
        z -= 0.035 * bump(0, my - 0.2 - 0.9 * self.drop, 0.25, 0.06)
        z += 0.05 * bump(0, self.chin_y + 0.19, 0.2, 0.13)
        for sign in (-1, 1):
            z += 0.10 * bump(sign * 0.73 * self.nose_half, wing_y, 0.055, 0.06)
            z -= 0.10 * bump(sign * 0.30, 0.02, 0.20, 0.12)
            z += 0.05 * bump(sign * 0.348, 0.0, 0.11, 0.07)
            z += 0.03 * bump(sign * 0.38, 0.21, 0.25, 0.07)
            z += (0.05 + 0.03 * s.cheek + 0.04 * max(s.smile, 0)) * bump(sign * 0.50, -0.30, 0.2, 0.18)
            z -= 0.03 * bump(sign * 0.55, -0.72, 0.2, 0.22)
        result: np.ndarray = z
        return result

    def lift(self, xy: np.ndarray, relief: bool = True) -> np.ndarray:
        """Flat points (N, 2) put on the skin: (N, 3)."""
        x, y = xy[:, 0], xy[:, 1]
        half, back = self.half_width(y)
        share = np.clip(x / np.maximum(half, 1e-6), -1, 1)
        z = back + (self.depth(y) - back) * np.sqrt(1 - share**2) ** 0.9
        return np.stack([x, y, z + self.relief(x, y) * (1 - share**6) if relief else z], 1)
