"""What can move a landmark score, as one frozen dataclass.

Defaults are HRNet's face code (docs/protocols.md, section 9); a checkpoint of mmpose brings its own crop, decoding and flip
(traps T23, T24).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

NORMALISERS = ("points", "inter_ocular", "inter_pupil", "box")


@dataclass(frozen=True)
class LandmarkProtocol:
    """Everything about an evaluation of faces.

    Attributes:
        input_wh: width and height of the network's input; the reference's crop is square.
        crop: "reference" (whole-pixel corners, contrast stretched, antialiased) or "affine" (one bilinear warp).
        decoder: "reference" (1-based cells, whole pixels), or sub-pixel: "quarter", "argmax", "dark" (in the two outermost
            cells, which DARK leaves alone, the parabola through the logarithms).
        dark_blur: side of DARK's smoothing kernel, in cells.
        flip: average with the mirrored picture's heat maps. shift: move those right by one cell first.
        padding: factor on the box.
        box: "file" (the csv's centre and scale; COFW's and the raw releases' follow from the landmarks, AFLW's is its face
            rectangle), "landmarks" (the rule of section 9 for every set), or "rect" (the rectangle of WFLW's raw list).
            All but "rect" are oracle boxes.
        normaliser: what failure rate, AUC and the error curve divide by; every NME that the mark-up allows is
            given. "points" are the two that a set of one's own names.
    """

    input_wh: tuple[int, int] = (256, 256)
    crop: Literal["reference", "affine"] = "reference"
    decoder: Literal["reference", "quarter", "argmax", "dark"] = "reference"
    dark_blur: int = 11
    flip: bool = False
    shift: bool = False
    padding: float = 1.25
    box: Literal["file", "landmarks", "rect"] = "file"
    normaliser: Literal["inter_ocular", "inter_pupil", "box", "points"] = "inter_ocular"


def landmark_protocol(family: str | None = None, tier: str = "full") -> LandmarkProtocol:
    """The protocol of a tier, with what the checkpoint's family implies; the normaliser is the dataset's.

    Cells of the small tiers are trained here: 64 px, the affine crop and sub-pixel decoding, one protocol for all.
    """
    if tier != "full":
        return LandmarkProtocol(input_wh=(64, 64), crop="affine", decoder="dark", dark_blur=5)
    if family is not None and family.startswith("mm"):
        return LandmarkProtocol(crop="affine", decoder="quarter", flip=True, shift=True)
    return LandmarkProtocol()


def check_protocol(protocol: LandmarkProtocol) -> None:
    """Raises ValueError for sizes or combinations that cannot be carried out."""
    width, height = protocol.input_wh
    if width != height or width < 32 or width % 4:
        raise ValueError(
            f"Expected a square input of at least 32x32 with sides divisible by 4 but got input_wh={width},{height}; "
            "face crops are square"
        )
    if protocol.decoder == "reference" and protocol.crop != "reference":
        raise ValueError(
            "Expected decoder=reference together with crop=reference but got "
            f"crop={protocol.crop}; use decoder=quarter with the affine crop"
        )
    if not protocol.padding > 0:
        raise ValueError(f"Expected a positive padding but got {protocol.padding}; the reference uses 1.25")


def header(protocol: LandmarkProtocol) -> str:
    """What moves the score, short enough for a table's header."""
    boxes = {"file": "gt boxes", "landmarks": "landmark boxes", "rect": "rect boxes"}[protocol.box]
    width, height = protocol.input_wh
    parts = [boxes + ("" if protocol.padding == 1.25 else f" x{protocol.padding:g}"), f"{height}x{width}"]
    parts += [f"{protocol.crop} crop", f"{protocol.decoder} decoding"]
    parts.append(("flip with shift" if protocol.shift else "flip") if protocol.flip else "no flip")
    return ", ".join([*parts, f"FR and AUC by {protocol.normaliser.replace('_', '-')}"])
