"""Meshes of head, neck, shoulders, hair and headwear around a parametric face.

Every mesh carries eight attributes per vertex: texture u, v; normal x, y, z; and colour r, g, b (negative red means
`take the face texture`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.synthetic.faces.shape import FaceGeometry
from benchmarks.synthetic.faces.skin import to_texture
from benchmarks.synthetic.raster.zbuffer import Mesh, grid_mesh, join

CENTRE = np.array([0.0, 0.1, -0.15])
_COLUMNS = 35


@dataclass(frozen=True)
class HairStyle:
    """A hair cut: where the hairline runs and how far the hair stands off and falls."""

    bald: bool
    hairline_y: float
    side_y: float  # lower end of the hair over and behind the ears
    volume: float  # how far it stands off on top
    side_volume: float
    length_y: float | None  # falling hair down to this y, none when cut short
    fringe: float  # 0 none .. 1 down to the eyes
    sweep: float  # >0 deepens the fringe at the right of the picture, <0 at the left
    ragged: float


def random_hair(rng: np.random.Generator, over_eyes: bool) -> HairStyle:
    """A random hair cut; `over_eyes` lets strands fall over one eye."""
    kind = rng.choice(
        ["bald", "short", "medium", "long"], p=[0.0, 0.5, 0.22, 0.28] if over_eyes else [0.1, 0.4, 0.22, 0.28]
    )
    sweep = float(rng.uniform(0.55, 0.85) * rng.choice([-1, 1])) if over_eyes else float(rng.normal(0, 0.12))
    fringe = (
        float(rng.uniform(0.35, 0.6)) if over_eyes else float(rng.choice([0, rng.uniform(0.2, 0.75)], p=[0.6, 0.4]))
    )
    return HairStyle(
        bald=kind == "bald",
        hairline_y=float(rng.uniform(0.62, 0.85) + (0.15 if rng.random() < 0.1 else 0)),
        side_y=float(rng.uniform(-0.25, 0.05) if kind == "short" else rng.uniform(-0.7, -0.3)),
        volume=float(rng.uniform(0.04, 0.12) if kind == "short" else rng.uniform(0.1, 0.26)),
        side_volume=float(rng.uniform(0.02, 0.06) if kind == "short" else rng.uniform(0.07, 0.16)),
        length_y=None
        if kind in ("bald", "short")
        else float(rng.uniform(-1.1, -0.7) if kind == "medium" else rng.uniform(-2.1, -1.4)),
        fringe=fringe,
        sweep=sweep,
        ragged=float(rng.uniform(0.02, 0.08)),
    )


def _with_normals(mesh: Mesh) -> Mesh:
    attributes = mesh.attributes.copy()
    attributes[:, 2:5] = mesh.normals
    return Mesh(mesh.points, mesh.triangles, attributes, mesh.normals)


def _surface(points: np.ndarray, colour: np.ndarray, inner: np.ndarray, uv: np.ndarray | None = None) -> Mesh:
    attributes = np.zeros((*points.shape[:2], 8))
    if uv is not None:
        attributes[..., :2] = uv
    attributes[..., 5:] = colour
    return _with_normals(grid_mesh(points, attributes, inner))


def face_rows(geometry: FaceGeometry, step: int = 2) -> np.ndarray:
    """Outline points (R, 3) from chin to crown where the head's mesh has its rows."""
    rows = geometry.outline[::step]
    return rows if len(geometry.outline) % step == 1 else np.concatenate([rows, geometry.outline[-1:]])


def front(
    geometry: FaceGeometry, offset: float = 0.0, rows: np.ndarray | None = None, relief: bool = True
) -> np.ndarray:
    """Skin points (R, C, 3) of the face from ear to ear, pushed out by `offset`."""
    rows = face_rows(geometry) if rows is None else rows
    t = np.linspace(-1, 1, _COLUMNS)
    angle = np.sign(t) * np.abs(t) ** 1.25 * np.pi / 2
    x = rows[:, :1] * np.sin(angle)[None]
    y = np.repeat(rows[:, 1:2], len(angle), 1)
    deep = geometry.depth(rows[:, 1])[:, None]
    z = rows[:, 2:3] + (deep - rows[:, 2:3]) * np.cos(angle)[None] ** 0.9
    if relief:
        share = np.abs(np.sin(angle))[None]
        z = z + geometry.relief(x, y) * (1 - share**6)
    points = np.stack([x, y, z], -1)
    if offset:
        away = points - CENTRE
        points = points + offset * away / np.linalg.norm(away, axis=-1, keepdims=True)
    return points


def skull(geometry: FaceGeometry, low_y: float, columns: int = 33, start: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """The smooth head all around above `low_y`: points (R, C, 3) and angles (C,) in degrees, 0 in front, 180 behind."""
    rows = face_rows(geometry, 3)
    rows = rows[rows[:, 1] > low_y]
    angle = np.radians(
        np.concatenate([np.linspace(-180, -start, columns), np.linspace(start, 180, columns)[start == 0 :]])
    )
    if start:
        angle = np.radians(np.linspace(start, 360 - start, columns))
    sin, cos = np.sin(angle)[None], np.cos(angle)[None]
    deep = geometry.depth(rows[:, 1])[:, None] - rows[:, 2:3]
    back = 1.02 * np.sqrt(np.clip(1 - ((rows[:, 1:2] - 0.25) / 1.12) ** 2, 0.0, 1))
    z = rows[:, 2:3] + np.where(cos > 0, deep * np.abs(cos) ** 0.9, back * cos)
    x = rows[:, :1] * sin
    y = np.repeat(rows[:, 1:2], len(angle), 1)
    return np.stack([x, y, z], -1), np.degrees(angle)


def head(geometry: FaceGeometry, skin: np.ndarray) -> Mesh:
    """Face, back of the head and ears."""
    points = front(geometry)
    colour = np.array([-1.0, 0, 0])
    face = _surface(points, colour, CENTRE, to_texture(points[..., :2]))
    behind, _ = skull(geometry, -0.85, 21, start=88)
    meshes = [face, _surface(behind, skin * 0.97, CENTRE)]
    ear = geometry.outline[geometry.ear_index]
    r, a = np.linspace(0.02, 1, 6)[:, None], np.linspace(0, 2 * np.pi, 15)[None]
    for sign in (-1, 1):
        # a shell that stands off the head towards the back
        z = ear[2] - 0.06 + 0.15 * r * np.cos(a) - 0.05 * r * np.sin(a)
        x = sign * (ear[0] + 0.02 + 0.55 * (ear[2] - 0.02 - z) + 0.03 * (r > 0.75) - 0.04 * (1 - r))
        y = ear[1] - 0.18 + 0.26 * r * np.sin(a) * (1 + 0.12 * np.sin(a))
        tone = np.where((r > 0.35) & (r < 0.75), 0.82, 0.98)[..., None] + 0 * a[..., None]
        meshes.append(_surface(np.stack([x, y, z], -1), skin * [1.0, 0.92, 0.9] * tone, CENTRE))
    # the floor between jaw and neck
    jaw = geometry.outline[: geometry.ear_index + 1 : 3]
    ring = np.concatenate([jaw[::-1] * [-1, 1, 1], jaw[1:]])
    inner = ring * [0.55, 1, 1]
    inner[:, 1] = np.maximum(ring[:, 1] - 0.04, -1.55 - geometry.drop)
    inner[:, 2] = np.minimum(ring[:, 2] - 0.25, -0.05)
    meshes.append(
        _surface(np.stack([ring, (ring + inner) / 2 - [0, 0.02, 0], inner]), skin * 0.62, np.array([0, 0, 0.2]))
    )
    return join(meshes)


def torso(skin: np.ndarray, cloth: np.ndarray, wide: float) -> Mesh:
    """Neck and shoulders, in the body's own frame (not turned with the head)."""
    a = np.linspace(-np.pi, np.pi, 21)[None]
    t = np.linspace(0, 1, 8)[:, None]
    radius = 0.46 * wide + 0.22 * t**3
    y = -0.7 - 1.5 * t + 0 * a
    neck = np.stack([radius * np.sin(a), y, -0.38 + 0.85 * radius * np.cos(a)], -1)
    shade = (0.80 + 0.16 * t)[..., None] + 0 * a[..., None]
    across = np.linspace(-1, 1, 25)[None]
    b = np.linspace(-0.5, 0.5, 13)[:, None] * np.pi
    top = -1.80 - 0.75 * np.abs(across) ** 1.8
    collar = 0.12 * np.exp(-((across / 0.3) ** 2))
    cloth_points = np.stack(
        [
            2.1 * wide * across + 0 * b,
            top - collar - 1.4 * (1 - np.cos(b)) * (b < 0) - 0.5 * (1 - np.cos(b)) * (b >= 0),
            -0.35 - 0.6 * np.sin(b) * (1 - 0.3 * np.abs(across)),
        ],
        -1,
    )
    return join(
        [
            _surface(neck, skin * shade, np.array([0, -1.5, -0.4])),
            _surface(cloth_points, cloth, np.array([0, -4.0, -0.4])),
        ]
    )


def hair(geometry: FaceGeometry, style: HairStyle) -> Mesh | None:
    """Hair as a shell; u is the angle in degrees (or 999 for falling hair) and v the height. None for a bald head."""
    if style.bald:
        return None
    points, angle = skull(geometry, -0.75, 31)
    high = np.clip((points[..., 1:2] - 0.1) / 1.0, 0, 1)
    away = points - CENTRE
    away /= np.linalg.norm(away, axis=-1, keepdims=True)
    points = points + away * (style.side_volume + (style.volume - style.side_volume) * high)
    uv = np.stack([np.broadcast_to(angle[None], points.shape[:2]), points[..., 1]], -1)
    white = np.ones(3)
    meshes = [_surface(points, white, CENTRE, uv)]
    if style.length_y is not None:
        phi = np.radians(np.linspace(68, 292, 33))[None]
        t = np.linspace(0, 1, 14)[:, None]
        y = 0.45 + (style.length_y - 0.45) * t + 0 * phi
        bulge = 1 + 0.12 * np.sin(np.pi * t) - 0.10 * t
        x = (0.84 + style.side_volume) * (1 + 0.05 * geometry.shape.width) * np.sin(phi) * bulge
        z = -0.22 + 0.86 * np.cos(phi) * bulge
        points = np.stack([x + 0 * t, y, z], -1)
        uv = np.stack([np.degrees(phi) + 0 * t, y - 0.02], -1)
        uv[..., 0] += 1000
        meshes.append(_surface(points, white, np.array([0, -0.5, -0.3]), uv))
    return join(meshes)


def hair_alpha(style: HairStyle, u: np.ndarray, v: np.ndarray, streak: np.ndarray) -> np.ndarray:
    """Opacity (0..1) of hair pixels from their (u, v) and a streak noise of unit spread."""
    falling = u > 500
    angle = np.abs(u)
    fringe = style.fringe * np.clip(
        1 + 1.1 * style.sweep * np.sign(style.sweep) * np.clip(np.sign(style.sweep) * u / 40, -1, 1), 0, 2
    )
    line = style.hairline_y - 0.62 * np.clip(fringe, 0, 1.35)
    line = line - 0.10 * np.cos(np.radians(angle * 3)) * (style.fringe < 0.1)
    temple = np.interp(angle, [38, 62, 74, 84, 96, 104], [0.0, 0.25, 0.75, 1.0, 1.0, 1.0])
    side = np.interp(angle, [80, 88, 96, 104], [-0.08, 0.05, 0.05, style.side_y])
    if style.length_y is not None:
        side = np.minimum(side, 0.0)
    edge = line * (1 - temple) + np.minimum(side, line) * temple
    cap = np.clip((v - edge + style.ragged * streak) / 0.05, 0, 1)
    if not falling.any():
        result: np.ndarray = cap
        return result
    end = (style.length_y or 0.0) + 0.08
    curtain = np.clip((v - end + 2.5 * style.ragged * streak) / 0.08, 0, 1)
    return np.where(falling, curtain, cap)


def hat(geometry: FaceGeometry, colour: np.ndarray, visor: bool) -> Mesh:
    """A beanie, or a cap with a visor."""
    points, _ = skull(geometry, 0.42, 31)
    away = points - CENTRE
    away /= np.linalg.norm(away, axis=-1, keepdims=True)
    points = points + 0.15 * away
    tone = np.where(points[..., 1:2] < 0.72, 0.85, 1.0) if not visor else 1.0
    meshes = [_surface(points, colour * tone, CENTRE)]
    if visor:
        t, a = np.linspace(0, 1, 6)[:, None], np.linspace(-1, 1, 13)[None]
        x = 0.74 * a * (1 - 0.08 * t)
        z = 0.75 * np.sqrt(1 - (0.9 * a) ** 2) + 0.28 + 0.62 * t * np.sqrt(np.clip(1 - a**2, 0, 1))
        y = 0.60 - 0.10 * t - 0.06 * a**2
        meshes.append(_surface(np.stack([x + 0 * t, y, z], -1), colour * 0.8, np.array([0, -3.0, 0.6])))
    return join(meshes)


def cloth_over_face(geometry: FaceGeometry, colour: np.ndarray, top_y: float, scarf: bool) -> Mesh:
    """A surgical mask, or a scarf that also wraps the neck, over the face below `top_y`."""
    rows = face_rows(geometry, 1)
    rows = rows[(rows[:, 1] < top_y)][::2]
    t = np.linspace(-1, 1, _COLUMNS)
    points = front(geometry, 0.07, rows)
    folds = 0.88 + 0.12 * np.sin(points[..., 1:2] * (34 if scarf else 24) + (3 * t**2)[None, :, None])
    meshes = [_surface(points, colour * folds, CENTRE)]
    if scarf:
        a, s = np.linspace(-np.pi, np.pi, 25)[None], np.linspace(0, 1, 9)[:, None]
        y = top_y - 0.25 - 1.35 * s + 0.10 * np.cos(a)
        x, z = (0.80 + 0.08 * np.sin(3 * s)) * np.sin(a), -0.12 + (0.80 + 0.05 * np.sin(9 * s)) * np.cos(a)
        tone = (0.86 + 0.14 * np.sin(13 * s + 2 * a))[..., None]
        meshes.append(_surface(np.stack([x, y, z], -1), colour * tone, np.array([0, -1.2, -0.2])))
    return join(meshes)
