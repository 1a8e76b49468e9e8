"""One picture of a parametric face: drawn from random attributes, with its landmarks in every mark-up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from benchmarks.synthetic.faces import head as faces_head
from benchmarks.synthetic.faces import occluders as faces_occluders
from benchmarks.synthetic.faces.markup import landmarks
from benchmarks.synthetic.faces.shape import FaceGeometry, FaceShape, random_shape
from benchmarks.synthetic.faces.skin import FaceLook, noise_map, paint, random_look
from benchmarks.synthetic.faces.view import View
from benchmarks.synthetic.raster.zbuffer import Mesh, rasterise

ATTRIBUTES = ("pose", "expression", "illumination", "makeup", "occlusion", "blur")  # in WFLW's order


@dataclass(frozen=True)
class Difficulty:
    """Chances that a picture has one of the six attributes (in the order of `ATTRIBUTES`) and the ranges of poses.

    `yaw_deg` is the spread of plain poses, `turned_deg` the range of those with the attribute.
    """

    chances: tuple[float, float, float, float, float, float] = (0.08, 0.12, 0.12, 0.12, 0.15, 0.12)
    yaw_deg: float = 18.0
    turned_deg: tuple[float, float] = (45.0, 80.0)
    size_px: tuple[int, int] = (140, 196)


@dataclass(frozen=True)
class FacePicture:
    """A rendered face.

    `image` is RGB uint8; `points` and `occluded` are keyed by mark-up: (N, 2) x, y in pixels with 0-based pixel centres,
    and (N,) bool; `attributes` holds the six flags; `rect` is x0, y0, x1, y1 of a face box; `yaw_deg` the pose.
    """

    image: np.ndarray
    points: dict[str, np.ndarray]
    occluded: dict[str, np.ndarray]
    attributes: dict[str, bool]
    rect: np.ndarray
    yaw_deg: float


@dataclass(frozen=True)
class Light:
    """One main light, a soft sky and the exposure."""

    direction: np.ndarray
    ambient: float
    strength: float
    colour: np.ndarray
    exposure: float


def random_light(rng: np.random.Generator, hard: bool) -> Light:
    """A random light; `hard` is side light, glare or near darkness."""
    tilt, turn = rng.uniform(0.1, 0.9), rng.normal(0, 0.5)
    direction = np.array([np.sin(turn), tilt, np.cos(turn) * 1.2])
    ambient, strength, exposure = (
        float(rng.uniform(0.45, 0.68)),
        float(rng.uniform(0.3, 0.55)),
        float(rng.uniform(0.85, 1.12)),
    )
    if hard:
        kind = rng.integers(3)
        if kind == 0:
            direction = np.array([rng.choice([-1, 1]) * 1.4, rng.uniform(-0.2, 0.8), rng.uniform(-0.3, 0.35)])
            ambient, strength, exposure = float(rng.uniform(0.16, 0.3)), 1.05, 1.0
        elif kind == 1:
            exposure = float(rng.uniform(1.45, 1.8))
        else:
            exposure = float(rng.uniform(0.22, 0.4))
    warm = rng.normal(0, 0.05)
    colour = np.array([1 + warm, 1.0, 1 - warm])
    return Light(direction / np.linalg.norm(direction), ambient, strength, colour, exposure)


def _lit(colour: np.ndarray, normals: np.ndarray, light: Light, gloss: np.ndarray | float) -> np.ndarray:
    """Light falling on surface colours (P, 3) with view-space normals (P, 3): what the camera sees, float32."""
    n = normals / (np.sqrt(np.einsum("ij,ij->i", normals, normals))[:, None] + 1e-6)
    facing = n @ light.direction.astype(np.float32)
    diffuse = light.ambient * (0.86 + 0.14 * n[:, 1]) + light.strength * np.clip((facing + 0.22) / 1.22, 0, 1)
    diffuse *= 0.82 + 0.18 * np.sqrt(np.clip(n[:, 2], 0, 1))
    half = light.direction + np.array([0, 0, 1])
    shine = np.clip(n @ (half / np.linalg.norm(half)).astype(np.float32), 0, 1) ** 22 * gloss * light.strength * 240
    seen = np.clip(colour, 0, 255) * diffuse[:, None] * light.colour.astype(np.float32) + shine[:, None]
    result: np.ndarray = (seen * light.exposure).astype(np.float32)
    return result


def _turn(
    mesh: Mesh, view: View, body: bool = False, closed: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Projected points, triangles and turned attributes of a mesh; of a closed one only what faces the camera."""
    seen = view.project(mesh.points, body)
    attributes = mesh.attributes.copy()
    attributes[:, 2:5] = mesh.normals @ (view.body if body else view.rotation).T
    triangles = mesh.triangles
    if closed:
        triangles = triangles[attributes[:, 4][triangles].max(1) > -0.25]
    return seen, triangles, attributes


def _draw(
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]],
    size_hw: tuple[int, int],
    keep: Callable[[np.ndarray], np.ndarray] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    offsets = np.cumsum([0] + [len(p[0]) for p in parts[:-1]])
    seen = np.concatenate([p[0] for p in parts])
    triangles = np.concatenate([p[1] + o for p, o in zip(parts, offsets, strict=True)])
    return rasterise(seen[:, :2], seen[:, 2], triangles, np.concatenate([p[2] for p in parts]), size_hw, keep)


def _blend(image: np.ndarray, drawn: np.ndarray, colour: np.ndarray, alpha: np.ndarray) -> None:
    """Put the colours (P, 3) of the `drawn` pixels over `image` in place, with the edge of `alpha` softened by one pixel."""
    soft = cv2.blur(alpha.astype(np.float32), (3, 3))[drawn][:, None]
    image[drawn] += soft * (colour - image[drawn])


def background(rng: np.random.Generator, size_hw: tuple[int, int]) -> np.ndarray:
    """A defocused room or street: gradients, slabs and spots of light, blurred (H, W, 3) float32."""
    small = np.zeros((32, 32, 3), np.float32)
    a, b = rng.uniform(20, 220, (2, 3))
    grey = rng.uniform(0.2, 0.9)
    a, b = a * (1 - grey) + a.mean() * grey, b * (1 - grey) + b.mean() * grey
    small += np.linspace(a, b, 32)[:, None] if rng.random() < 0.5 else np.linspace(a, b, 32)[None]
    for _ in range(rng.integers(2, 11)):
        colour = (rng.uniform(0, 255, 3) * 0.6 + rng.uniform(0, 255) * 0.4).tolist()
        x, y = rng.integers(-4, 32, 2).tolist()
        w, h = rng.integers(2, 16, 2).tolist()
        if rng.random() < 0.7:
            cv2.rectangle(small, (x, y), (x + w, y + h), colour, -1)
        else:
            cv2.circle(small, (x, y), max(1, w // 3), colour, -1)
    big = cv2.resize(small, size_hw[::-1], interpolation=cv2.INTER_CUBIC)
    big = cv2.GaussianBlur(big, (0, 0), float(rng.uniform(1.0, 7.0)))
    return np.clip(big, 0, 255)


def render(rng: np.random.Generator, difficulty: Difficulty, markups: tuple[str, ...] = ("wflw",)) -> FacePicture:
    """Draw one random face with its points in the given mark-ups; every decision comes from `rng`."""
    on = dict(zip(ATTRIBUTES, (rng.random(6) < difficulty.chances).tolist(), strict=True))
    yaw = (
        float(rng.choice([-1, 1]) * rng.uniform(*difficulty.turned_deg))
        if on["pose"]
        else float(np.clip(rng.normal(0, difficulty.yaw_deg), -38, 38))
    )
    pitch, roll = float(np.clip(rng.normal(0, 8), -22, 22)), float(np.clip(rng.normal(0, 8), -28, 28))
    shape = random_shape(rng, 1.0 if on["expression"] else 0.25)
    if on["expression"]:
        shape = replace(shape, open_mouth=max(shape.open_mouth, float(rng.uniform(0, 0.9)) * (shape.pout == 0)))
    look = random_look(rng, float(rng.uniform(0.6, 1.0)) if on["makeup"] else float(rng.uniform(0, 0.2)))
    light = random_light(rng, on["illumination"])
    side = int(rng.integers(*difficulty.size_px))
    size_hw = (side, int(side * rng.uniform(0.95, 1.15)))
    unit = side * float(rng.uniform(0.27, 0.40))
    return compose(rng, shape, look, light, (yaw, pitch, roll), unit, size_hw, on, markups)


def compose(
    rng: np.random.Generator,
    shape: FaceShape,
    look: FaceLook,
    light: Light,
    pose_deg: tuple[float, float, float],
    unit_px: float,
    size_hw: tuple[int, int],
    on: dict[str, bool],
    markups: tuple[str, ...],
) -> FacePicture:
    """Draw the given face (yaw, pitch, roll in degrees; `unit_px` pixels between the eyes' outer corners)."""
    geometry = FaceGeometry(shape)
    distance = float(rng.uniform(5.0, 12.0))
    view = View(*pose_deg, unit_px, np.zeros(2), distance)
    middle = view.project(geometry.lift(np.array([[0.0, -0.45]])) * [1, 1, 0.45])[0, :2]
    room = np.array([size_hw[1], size_hw[0]])
    spare = np.maximum(room - 1.9 * unit_px, 4) / 2
    view.origin = room / 2 - middle + rng.uniform(-0.35, 0.35, 2) * spare
    image = background(rng, size_hw)
    image *= light.exposure**0.6
    cloth = rng.uniform(20, 230, 3) * 0.8 + rng.uniform(0, 50)
    head, torso = (
        faces_head.head(geometry, look.skin),
        faces_head.torso(look.skin, cloth, 1.0 if look.makeup < 0.3 else 0.88),
    )
    depth, got = _draw([_turn(head, view, closed=True), _turn(torso, view, body=True, closed=True)], size_hw)
    drawn = np.isfinite(depth)
    values = got[drawn]
    colour = values[:, 5:8]
    on_face = colour[:, 0] < 0
    texture = paint(geometry, look)
    sampled = cv2.remap(
        texture, values[on_face, :1], values[on_face, 1:2], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    colour[on_face] = sampled[:, 0]
    _blend(image, drawn, _lit(colour, values[:, 2:5], light, (0.10 + 0.12 * float(rng.random())) * on_face), drawn)
    covered = depth.copy()
    layered = np.full(size_hw, -np.inf)  # what does not belong to the head: hair, cloth

    style, occluder, layers = _layers(rng, geometry, on["occlusion"])
    for mesh, kind in layers:
        keep = (lambda values: _strands(style, values)[0] > 0.08) if kind == "hair" else None
        near, got = _draw([_turn(mesh, view)], size_hw, keep)
        alpha = (near > covered).astype(np.float32)
        if kind == "hair":
            values = got[alpha > 0]
            strength, noise = _strands(style, values)
            alpha[alpha > 0] = strength
            colour = look.hair * (1 + 0.20 * noise[:, None])
        drawn = alpha > 0
        values = got[drawn]
        colour = colour[strength > 0] if kind == "hair" else values[:, 5:8]
        _blend(image, drawn, _lit(colour, values[:, 2:5], light, 0.16 if kind == "hair" else 0.0), alpha)
        covered = np.where(alpha > 0.5, near, covered)
        layered = np.where(alpha > 0.5, near, layered)

    hidden = _occluders(image, rng, occluder, geometry, view, covered, look, light)
    points, occluded = {}, {}
    for markup in markups:
        seen, edge = landmarks(geometry, markup, view.project, view.axis)
        points[markup] = seen[:, :2]
        occluded[markup] = _occluded(seen, edge, (depth, layered), hidden)
    picture = _camera(image, rng, on["blur"])
    flags = dict(on)
    flags["pose"] = abs(pose_deg[0]) > 40
    any_points = points[markups[0]]
    rect = np.concatenate([any_points.min(0), any_points.max(0)])
    rect += np.concatenate([-rng.uniform(0.02, 0.12, 2), rng.uniform(0.02, 0.12, 2)]) * (rect[2:] - rect[:2]).max()
    return FacePicture(picture, points, occluded, flags, rect, pose_deg[0])


def _layers(
    rng: np.random.Generator, geometry: FaceGeometry, occluded: bool
) -> tuple[faces_head.HairStyle, str, list[tuple[Mesh, str]]]:
    """What lies over the head: the hair's style, the occluder's kind, and meshes of "hair" and "cloth" from inside out."""
    style = faces_head.random_hair(rng, over_eyes=occluded and rng.random() < 0.25)
    layers: list[tuple[Mesh, str]] = []
    strands = faces_head.hair(geometry, style)
    if strands is not None:
        layers.append((strands, "hair"))
    occluder = faces_occluders.choose(rng, occluded)
    if occluder in ("scarf", "mask"):
        tone = np.array([205, 218, 226.0]) if occluder == "mask" and rng.random() < 0.6 else rng.uniform(30, 220, 3)
        layers.append(
            (faces_head.cloth_over_face(geometry, tone, float(rng.uniform(-0.7, -0.3)), occluder == "scarf"), "cloth")
        )
    if rng.random() < (0.25 if occluded else 0.07):
        layers.append((faces_head.hat(geometry, rng.uniform(20, 220, 3), bool(rng.random() < 0.5)), "cloth"))
    return style, occluder, layers


def _occluders(
    image: np.ndarray,
    rng: np.random.Generator,
    occluder: str,
    geometry: FaceGeometry,
    view: View,
    covered: np.ndarray,
    look: FaceLook,
    light: Light,
) -> np.ndarray:
    """Draw glasses and what is held before the face, in place; return the mask (H, W) of what they hide."""
    hidden = np.zeros(covered.shape, bool)
    glasses = "dark" if occluder == "sunglasses" else ("clear" if rng.random() < 0.16 else None)
    if glasses:
        hidden |= faces_occluders.glasses(
            image, rng, geometry, view.project, covered, glasses == "dark", light.exposure
        )
    if occluder in ("hand", "cup", "microphone", "phone"):
        anchors = view.project(
            geometry.lift(np.array([[0, -0.8], [-0.45, -0.5], [0.45, -0.5], [0, -1.2], [-0.35, 0], [0.35, 0]]))
        )[:, :2]
        hidden |= faces_occluders.held(
            image,
            rng,
            occluder,
            anchors,
            view.unit_px,
            look.skin * light.exposure,
            light.ambient + 0.7 * light.strength,
        )
    return hidden


def _strands(style: faces_head.HairStyle, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Opacity and streak noise of hair fragments (..., 8)."""
    u, v = values[..., 0], values[..., 1]
    streaks = noise_map("strands")
    column = ((np.where(u > 500, u - 1000, u) + 180) * 1.15).astype(np.int32) % streaks.shape[1]
    row = ((1.8 - v) * 40).astype(np.int32) % streaks.shape[0]
    noise = streaks[row, column]
    return faces_head.hair_alpha(style, u, v, noise), noise


def _occluded(
    seen: np.ndarray, edge: np.ndarray, depths: tuple[np.ndarray, np.ndarray], hidden: np.ndarray
) -> np.ndarray:
    """Which landmarks something lies in front of: the head itself, hair or cloth, glasses or a held thing."""
    own, layered = depths
    height, width = own.shape
    x = np.clip(np.round(seen[:, 0]).astype(int), 0, width - 1)
    y = np.clip(np.round(seen[:, 1]).astype(int), 0, height - 1)
    slack = np.where(edge, 0.42, 0.13)  # outline points lie on the rim of the head, behind most of what is drawn there
    result: np.ndarray = (own[y, x] > seen[:, 2] + slack) | (layered[y, x] > seen[:, 2] + 0.02) | hidden[y, x]
    return result


def _camera(image: np.ndarray, rng: np.random.Generator, blurred: bool) -> np.ndarray:
    """Lens blur, motion and sensor noise: float RGB -> uint8."""
    sigma = float(rng.uniform(0.45, 0.75))
    if blurred:
        if rng.random() < 0.4:
            length = int(rng.integers(6, 13))
            kernel = np.zeros((length, length), np.float32)
            angle = rng.uniform(0, np.pi)
            reach = (length - 1) / 2 * np.array([np.cos(angle), np.sin(angle)])
            c = (length - 1) / 2
            cv2.line(
                kernel,
                tuple(np.round(c - reach).astype(int).tolist()),
                tuple(np.round(c + reach).astype(int).tolist()),
                1.0,
            )
            image = cv2.filter2D(image, -1, kernel / kernel.sum())
        else:
            sigma = float(rng.uniform(1.8, 3.6))
    image = cv2.GaussianBlur(image, (0, 0), sigma)
    grain = rng.standard_normal(image.shape[:2], np.float32)[..., None] * np.float32(rng.uniform(1.0, 5.0))
    result: np.ndarray = np.clip(image + grain, 0, 255).astype(np.uint8)
    return result
