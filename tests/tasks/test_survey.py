"""Headers of pictures are read before a network runs: sizes, EXIF, label maps, regions; and what was looked at is told."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tasks.base import EvalData
from tasks.files.picture_entry import PictureEntry
from tasks.files.picture_header import parse_header, read_header
from tasks.survey import region_problem, survey, surveyed


def _jpeg(path: Path, width: int = 64, height: int = 48, orientation: int = 1) -> Path:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (width, height), (90, 80, 70)).save(path, exif=exif)
    return path


@pytest.mark.parametrize("kind", ["png", "jpg", "bmp", "tiff", "webp"])
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "CMYK", "1", "LA"])
def test_header_agrees_with_pillow(tmp_path: Path, kind: str, mode: str) -> None:
    path = tmp_path / f"a.{kind}"
    try:
        Image.new("RGB", (37, 23), (9, 200, 30)).convert(mode).save(path)
    except OSError:
        pytest.skip(f"no {mode} in {kind}")
    found = read_header(path)
    with Image.open(path) as picture:
        assert found.size_wh == picture.size == (37, 23)
        assert found.palette == (picture.mode == "P")
        assert found.alpha == (picture.mode in ("RGBA", "LA"))
        assert found.channels == len(picture.getbands())


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["jpg", "png", "tiff", "webp"])
def test_orientation_is_read(tmp_path: Path, kind: str, orientation: int) -> None:
    assert read_header(_jpeg(tmp_path / f"a.{kind}", orientation=orientation)).orientation == orientation


def test_a_long_header_is_followed(tmp_path: Path) -> None:
    _jpeg(tmp_path / "a.jpg")
    data = (tmp_path / "a.jpg").read_bytes()
    profile = b"\xff\xe2" + (40_000).to_bytes(2, "big") + bytes(39_998)
    (tmp_path / "a.jpg").write_bytes(data[:2] + profile + data[2:])
    assert read_header(tmp_path / "a.jpg").size_wh == (64, 48)


def test_damaged_headers_are_refused_by_name() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48)).save(buffer, "jpeg", exif=Image.Exif())
    for length in range(0, 160, 3):
        with pytest.raises(ValueError, match=r"Expected a picture but x\.jpg"):
            parse_header(buffer.getvalue()[:length], "x.jpg")


def test_what_is_found(tmp_path: Path) -> None:
    _jpeg(tmp_path / "good.jpg")
    _jpeg(tmp_path / "turned.jpg", orientation=6)
    (tmp_path / "broken.jpg").write_text("<html>")
    cv2.imwrite(str(tmp_path / "dark.png"), np.full((48, 64), 4000, np.uint16))
    Image.new("L", (64, 47)).save(tmp_path / "label.png")
    entries = [
        PictureEntry(tmp_path / "good.jpg", "row 1", (64, 48)),
        PictureEntry(tmp_path / "good.jpg", "row 2", (32, 24)),
        PictureEntry(tmp_path / "turned.jpg", "row 3", (48, 64)),
        PictureEntry(tmp_path / "turned.jpg", "row 4", (64, 48)),
        PictureEntry(tmp_path / "broken.jpg", "row 5"),
        PictureEntry(tmp_path / "broken.jpg", "row 6"),
        PictureEntry(tmp_path / "none.jpg", "row 7"),
        PictureEntry(tmp_path / "dark.png", "row 8"),
        PictureEntry(tmp_path / "good.jpg", "row 9", label=tmp_path / "label.png"),
        PictureEntry(tmp_path / "good.jpg", "row 10", region=(5000.0, 0.0, 5100.0, 100.0)),
        PictureEntry(tmp_path / "good.jpg", "row 11", region=(-10.0, -10.0, 100.0, 100.0)),
    ]
    found = survey(entries)
    rows = {text.partition(":")[0]: text for text in found.problems}
    assert sorted(rows) == ["row 10", "row 2", "row 3", "row 5", "row 7", "row 8", "row 9"]
    assert "EXIF orientation is 6" in rows["row 3"] and "resized" in rows["row 2"]
    assert "64x47" in rows["row 9"] and "touches" in rows["row 10"] and "convert it to 8 bits" in rows["row 8"]
    assert (found.read, found.total) == (5, 5)
    (note,) = found.notes
    assert "turn 1 of 5 pictures" in note and "turned.jpg, orientation 6" in note and "stored pixels" in note


@pytest.mark.parametrize(
    ("region", "word"),
    [
        ((0, 0, 64, 48), None),
        ((-64, -48, 1, 1), None),
        ((64, 0, 80, 40), "touches"),
        ((0, 1e30, 10, 2e30), "touches"),
        ((float("nan"), 0, 10, 10), "touches"),
        ((-300, -300, 341, 341), "scale in px"),
    ],
)
def test_regions(region: tuple[float, ...], word: str | None) -> None:
    problem = region_problem(region, (64, 48))
    assert (problem is None) if word is None else (problem is not None and word in problem)


def test_large_splits_are_looked_at_in_part(tmp_path: Path) -> None:
    for index in range(12):
        _jpeg(tmp_path / f"{index}.jpg", orientation=3)
    entries = [PictureEntry(tmp_path / f"{index}.jpg", f"row {index}") for index in range(12) for _ in range(2)]
    assert survey(entries, every=12).extent == "the headers of all 12 pictures"
    part = survey(entries, every=11, some=4)
    assert part.extent == "the headers of 4 of 12 pictures (evenly spread)"
    assert "turn 4 of 4 pictures" in part.notes[0]


class _Data(EvalData):
    notes = ("first",)

    def __init__(self, entries: list[PictureEntry]) -> None:
        self.held = entries

    def __len__(self) -> int:
        return 0

    def __getitem__(self, index: int) -> dict[str, int]:
        raise IndexError

    def image_ids(self) -> list[str]:
        return []

    def entries(self) -> list[PictureEntry]:
        return self.held


def test_data_are_refused_or_noted(tmp_path: Path) -> None:
    _jpeg(tmp_path / "a.jpg", orientation=8)
    data = surveyed(_Data([PictureEntry(tmp_path / "a.jpg", "row 1")]))
    assert data.notes[0] == "first" and "orientation 8" in data.notes[1] and data.surveyed is not None
    bad = [PictureEntry(tmp_path / "a.jpg", f"row {row}", (1, 1)) for row in (1, 2, 3)]
    with pytest.raises(ValueError, match=r"row 1: .*a\.jpg: .*\(and 2 more such records\)"):
        surveyed(_Data(bad))
