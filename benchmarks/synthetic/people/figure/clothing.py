"""What a person wears: materials (colour and pattern) and the outfit that says which part wears which."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

LIP_LABELS = (
    "background",
    "hat",
    "hair",
    "glove",
    "sunglasses",
    "upper_clothes",
    "dress",
    "coat",
    "socks",
    "pants",
    "jumpsuits",
    "scarf",
    "skirt",
    "face",
    "left_arm",
    "right_arm",
    "left_leg",
    "right_leg",
    "left_shoe",
    "right_shoe",
)
"""The 20 classes of Look Into Person, by label. Source: docs/protocols.md section 8."""
LABEL = {name: index for index, name in enumerate(LIP_LABELS)}

SKIN_TONES = (
    (255, 224, 196),
    (244, 204, 170),
    (231, 184, 143),
    (208, 154, 113),
    (168, 114, 78),
    (125, 80, 54),
    (86, 56, 40),
)
HAIR_TONES = ((28, 22, 20), (52, 36, 26), (86, 56, 34), (122, 84, 48), (178, 140, 84), (140, 62, 30), (150, 148, 145))
FABRIC_TONES = (
    (235, 235, 232),
    (205, 205, 205),
    (120, 122, 126),
    (62, 64, 70),
    (26, 26, 30),
    (24, 34, 66),
    (40, 70, 140),
    (84, 140, 205),
    (150, 190, 222),
    (178, 32, 38),
    (216, 82, 62),
    (232, 146, 60),
    (240, 205, 90),
    (120, 150, 60),
    (40, 100, 60),
    (70, 160, 140),
    (110, 60, 130),
    (200, 120, 170),
    (240, 190, 205),
    (120, 84, 56),
    (176, 140, 100),
    (224, 208, 176),
)
PANTS_TONES = (
    (36, 46, 78),
    (58, 80, 124),
    (98, 122, 160),
    (28, 28, 32),
    (70, 70, 74),
    (120, 116, 110),
    (176, 156, 122),
    (92, 78, 56),
    (62, 70, 50),
)
SHOE_TONES = ((24, 22, 22), (70, 46, 30), (238, 238, 236), (150, 150, 152), (180, 40, 42), (50, 80, 150), (130, 96, 60))


@dataclass(frozen=True)
class Material:
    """A surface: RGB `colour`, and a `pattern` ("plain", "stripes", "pinstripes", "checks", "dots", "denim") in `second` colour.

    `period` is the pattern's repeat in metres; `folds` the strength of fabric creases, 0 to 1.
    """

    colour: tuple[float, ...]
    pattern: str = "plain"
    second: tuple[float, ...] = (0.0, 0.0, 0.0)
    period: float = 0.1
    folds: float = 0.0


@dataclass(frozen=True)
class Outfit:
    """Clothes, hair and accessories of one person. A `None` means that the thing is not worn.

    Attributes:
        kind: "top" (with `bottom`), "dress" or "jumpsuit".
        bottom: "pants", "shorts", "skirt" or "leggings", for kind "top".
        sleeve, leg_length: covered fraction of the arm and the leg, 0 to 2 (1: to the elbow or knee).
        hem: length of skirt, dress or coat below the hip as a fraction of the thigh (up to 1.9: the ankle).
        materials: "skin", "hair", "top", "bottom", "coat", "shoe", "sole", "socks", "glove", "hat", "scarf", "glasses", ...
    """

    kind: str
    bottom: str
    sleeve: float
    leg_length: float
    hem: float
    flare: float
    looseness: float
    coat: bool
    socks: float
    shoes: bool
    gloves: bool
    hat: str | None
    scarf: bool
    sunglasses: bool
    hair: str
    beard: bool
    buttons: bool
    collar: bool
    bag: bool
    materials: dict[str, Material] = field(default_factory=dict)


def _colour(
    rng: np.random.Generator, tones: tuple[tuple[int, ...], ...], spread: float = 10.0
) -> tuple[float, float, float]:
    tone = (
        np.asarray(tones[int(rng.integers(len(tones)))], np.float64) + rng.normal(0, spread, 3) + rng.normal(0, spread)
    )
    red, green, blue = np.clip(tone, 8, 250)
    return float(red), float(green), float(blue)


def sample_fabric(
    rng: np.random.Generator, tones: tuple[tuple[int, ...], ...] = FABRIC_TONES, patterned: float = 0.4
) -> Material:
    """Draw a cloth out of `tones`, patterned with the given probability."""
    first = _colour(rng, tones)
    pattern = "plain"
    if rng.random() < patterned:
        pattern = str(rng.choice(["stripes", "pinstripes", "checks", "dots"], p=[0.4, 0.15, 0.3, 0.15]))
    second = _colour(rng, FABRIC_TONES)
    return Material(first, pattern, second, float(rng.uniform(0.045, 0.14)), float(rng.uniform(0.3, 1.0)))


def sample_outfit(rng: np.random.Generator, age: str = "adult") -> Outfit:
    """Draw an outfit. Every one of LIP's classes occurs; the share of each follows no dataset, only that none is lost."""
    kind = str(rng.choice(["top", "dress", "jumpsuit"], p=[0.80, 0.13, 0.07]))
    bottom = str(rng.choice(["pants", "shorts", "skirt", "leggings"], p=[0.62, 0.17, 0.13, 0.08]))
    cold = rng.random() < 0.35
    sleeve = float(rng.choice([0.0, rng.uniform(0.35, 0.85), rng.uniform(1.2, 1.6), 2.0], p=[0.12, 0.42, 0.08, 0.38]))
    coat = bool(rng.random() < (0.45 if cold else 0.10)) and kind != "jumpsuit"
    if kind == "jumpsuit":
        leg_length = 2.0 if rng.random() < 0.7 else float(rng.uniform(0.4, 0.9))
    elif bottom == "shorts":
        leg_length = float(rng.uniform(0.45, 1.05))
    elif bottom in ("pants", "leggings"):
        leg_length = float(rng.uniform(1.85, 2.0))
    else:
        leg_length = 0.0
    if coat:
        hem = float(rng.uniform(0.15, 1.0))
    elif kind == "dress":
        hem = float(rng.uniform(0.6, 1.8))
    else:
        hem = float(rng.uniform(0.4, 1.5))
    skin = _colour(rng, SKIN_TONES, 5.0)
    lips = tuple(float(value) for value in np.asarray(skin) * (0.80, 0.55, 0.55))
    hair_colour = _colour(rng, HAIR_TONES, 6.0)
    top = sample_fabric(rng, patterned=0.35)
    pants_tones = PANTS_TONES if rng.random() < 0.75 else FABRIC_TONES
    lower = sample_fabric(rng, pants_tones, patterned=0.35 if bottom == "skirt" else 0.1)
    if bottom == "pants" and rng.random() < 0.4:
        lower = Material(_colour(rng, PANTS_TONES[:3]), "denim", (225.0, 225.0, 220.0), 0.02, 0.8)
    shoe = Material(_colour(rng, SHOE_TONES))
    materials = {
        "skin": Material(skin),
        "hair": Material(hair_colour, "strands", tuple(0.7 * value for value in hair_colour), 0.02),
        "lips": Material(lips),
        "brow": Material(tuple(0.6 * value for value in hair_colour)),
        "eye": Material((240.0, 240.0, 238.0)),
        "pupil": Material((30.0, 24.0, 22.0)),
        "top": top,
        "bottom": lower,
        "coat": sample_fabric(rng, patterned=0.15),
        "shoe": shoe,
        "sole": Material((235.0, 235.0, 230.0) if rng.random() < 0.5 else (40.0, 34.0, 30.0)),
        "socks": sample_fabric(rng, patterned=0.3),
        "glove": sample_fabric(rng, patterned=0.0),
        "hat": sample_fabric(rng, patterned=0.15),
        "scarf": sample_fabric(rng, patterned=0.4),
        "glasses": Material((26.0, 26.0, 30.0)),
        "button": Material((245.0, 245.0, 240.0) if sum(top.colour) < 380 else (40.0, 38.0, 36.0)),
        "collar": Material(tuple(min(255.0, value * 1.12 + 18) for value in top.colour)),
        "bag": sample_fabric(rng, patterned=0.1),
    }
    hats = ["cap", "beanie", "brim", "helmet"]
    hat = str(rng.choice(hats, p=[0.45, 0.3, 0.2, 0.05])) if rng.random() < (0.35 if cold else 0.16) else None
    return Outfit(
        kind=kind,
        bottom=bottom if kind == "top" else kind,
        sleeve=sleeve,
        leg_length=leg_length,
        hem=hem,
        flare=float(rng.uniform(1.0, 1.7)),
        looseness=float(rng.uniform(1.06, 1.35)),
        coat=coat,
        socks=float(rng.choice([0.0, 0.2, 0.45, 0.9], p=[0.25, 0.4, 0.2, 0.15])),
        shoes=bool(rng.random() < 0.94),
        gloves=bool(rng.random() < (0.3 if cold else 0.03)),
        hat=hat,
        scarf=bool(rng.random() < (0.35 if cold else 0.04)),
        sunglasses=bool(rng.random() < 0.12),
        hair=str(
            rng.choice(
                ["short", "long", "bob", "ponytail", "bun", "curly", "bald"], p=[0.36, 0.2, 0.12, 0.1, 0.07, 0.09, 0.06]
            )
        ),
        beard=bool(age == "adult" and rng.random() < 0.14),
        buttons=bool(rng.random() < 0.35),
        collar=bool(rng.random() < 0.45),
        bag=bool(rng.random() < 0.10),
        materials=materials,
    )
