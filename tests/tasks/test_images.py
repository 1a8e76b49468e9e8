"""Pictures of every kind are read, and bad ones refused with the file's name and what to do."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tasks import images


@pytest.fixture
def picture() -> np.ndarray:
    rng = np.random.default_rng(0)
    small = rng.integers(0, 255, (6, 8, 3), dtype=np.uint8)
    return cv2.resize(small, (64, 48), interpolation=cv2.INTER_CUBIC)


def test_colour_orders(tmp_path: Path, picture: np.ndarray) -> None:
    Image.fromarray(picture).save(tmp_path / "a.png")
    np.testing.assert_array_equal(images.read_image(tmp_path, "a.png"), picture)
    np.testing.assert_array_equal(images.read_image(tmp_path, "a.png", "bgr"), picture[..., ::-1])
    with pytest.raises(ValueError, match="colour order"):
        images.read_image(tmp_path, "a.png", "gbr")


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "1", "LA", "I;16"])
def test_every_kind_becomes_three_channels(tmp_path: Path, picture: np.ndarray, mode: str) -> None:
    if mode == "I;16":
        Image.fromarray(picture[..., 0].astype(np.uint16) * 257).save(tmp_path / "a.png")
    else:
        Image.fromarray(picture).convert(mode).save(tmp_path / "a.png")
    image = images.read_image(tmp_path, "a.png")
    assert image.shape == (48, 64, 3) and image.dtype == np.uint8
    if mode == "P":
        np.testing.assert_array_equal(image, np.asarray(Image.fromarray(picture).convert("P").convert("RGB")))
    if mode == "L":
        np.testing.assert_array_equal(image[..., 0], np.asarray(Image.fromarray(picture).convert("L")))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_parts_are_refused(tmp_path: Path, picture: np.ndarray, mode: str) -> None:
    if mode == "P":
        Image.fromarray(picture).convert("P").save(
            tmp_path / "a.png", transparency=Image.fromarray(picture).convert("P").getpixel((0, 0))
        )
    else:
        held = Image.fromarray(picture).convert(mode)
        held.putalpha(Image.fromarray(np.where(picture[..., 0] > 120, 255, 254).astype(np.uint8)))
        held.save(tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"opaque picture but .*a\.png .*flatten"):
        images.read_image(tmp_path, "a.png")


@pytest.mark.parametrize(("top", "read"), [(4095, False), (32767, False), (32768, True), (65535, True)])
def test_sixteen_bits_are_read_where_they_are_used(tmp_path: Path, top: int, read: bool) -> None:
    values = np.linspace(0, top, 48 * 64).reshape(48, 64).astype(np.uint16)
    cv2.imwrite(str(tmp_path / "a.png"), values)
    if read:
        found = images.read_image(tmp_path, "a.png")[..., 0]
        assert np.abs(found.astype(float) - values / 257).max() <= 1
    else:
        with pytest.raises(ValueError, match=r"a\.png.*convert it to 8 bits"):
            images.read_image(tmp_path, "a.png")


def test_four_inks_become_three_colours_where_their_sense_is_known(tmp_path: Path) -> None:
    """Cyan ink alone shows (0, 255, 255); without Adobe's mark the same numbers might be plain ink."""
    ink = np.zeros((16, 16, 4), np.uint8)
    ink[..., 0] = 255
    Image.fromarray(ink, "CMYK").save(tmp_path / "a.jpg", quality=100)
    found = images.read_image(tmp_path, "a.jpg").reshape(-1, 3).mean(0)
    np.testing.assert_allclose(found, (0, 255, 255), atol=4)
    data = (tmp_path / "a.jpg").read_bytes()
    place = data.index(b"\xff\xee")
    length = int.from_bytes(data[place + 2 : place + 4], "big") + 2
    (tmp_path / "a.jpg").write_bytes(data[:place] + data[place + length :])
    with pytest.raises(ValueError, match=r"a\.jpg has none.*convert it to RGB"):
        images.read_image(tmp_path, "a.jpg")


def test_size_is_checked_against_the_stated_one(tmp_path: Path, picture: np.ndarray) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(picture).save(tmp_path / "a.jpg", exif=exif)
    assert images.read_image(tmp_path, "a.jpg", size_wh=(64, 48)).shape == (48, 64, 3)
    with pytest.raises(ValueError, match=r"a\.jpg.* 128x96 .*got 64x48.*resized"):
        images.read_image(tmp_path, "a.jpg", size_wh=(128, 96))
    with pytest.raises(ValueError, match=r"a\.jpg.* 48x64 .*EXIF orientation is 6"):
        images.PictureCache(tmp_path, sizes_wh={"a.jpg": (48, 64)})["a.jpg"]


def test_a_damaged_size_is_refused_before_memory_is_taken(tmp_path: Path, picture: np.ndarray) -> None:
    Image.fromarray(picture).save(tmp_path / "a.jpg")
    data = bytearray((tmp_path / "a.jpg").read_bytes())
    place = data.index(b"\xff\xc0")
    data[place + 5 : place + 9] = b"\x75\x30\x75\x30"
    (tmp_path / "a.jpg").write_bytes(data)
    with pytest.raises(ValueError, match="30000x30000 pixels"):
        images.read_image(tmp_path, "a.jpg")


def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jpg")
    with pytest.raises(ValueError, match=r"a\.jpg but it is a pipe"):
        images.read_image(tmp_path, "a.jpg")


def test_exif_orientation_is_ignored(tmp_path: Path, picture: np.ndarray) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(picture).save(tmp_path / "a.jpg", exif=exif)
    assert images.read_image(tmp_path, "a.jpg").shape == (48, 64, 3)


def test_grey_jpeg(tmp_path: Path, picture: np.ndarray) -> None:
    Image.fromarray(picture).convert("L").save(tmp_path / "a.jpg")
    image = images.read_image(tmp_path, "a.jpg")
    np.testing.assert_array_equal(image[..., 0], image[..., 2])


@pytest.mark.parametrize("suffix", ["jpg", "png"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_truncated_picture_is_refused(tmp_path: Path, picture: np.ndarray, suffix: str, share: float) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(cv2.resize(picture, (640, 480))).save(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ValueError, match=rf"a\.{suffix}.*fetch the file again"):
        images.read_image(tmp_path, path.name)


def test_jpeg_with_trailing_bytes_is_read(tmp_path: Path, picture: np.ndarray) -> None:
    path = tmp_path / "a.jpg"
    Image.fromarray(picture).save(path)
    whole = images.read_image(tmp_path, "a.jpg")
    path.write_bytes(path.read_bytes() + b"\0" * 100)
    np.testing.assert_array_equal(images.read_image(tmp_path, "a.jpg"), whole)


def test_text_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("<html>not found</html>")
    with pytest.raises(ValueError, match="cannot be decoded"):
        images.read_image(tmp_path, "a.jpg")


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"b\.jpg.*complete the download"):
        images.read_image(tmp_path, "b.jpg")
    with pytest.raises(ValueError, match=r"check --data-root"):
        images.read_image(tmp_path, "images/b.jpg")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ValueError, match="it is a folder"):
        images.read_image(tmp_path, "folder")


@pytest.mark.parametrize(
    "name", ["../a.jpg", "/etc/a.jpg", "x/../../a.jpg", "..", "", "..\\a.jpg", "a\0.jpg", "a\ud800.jpg"]
)
def test_path_outside_the_root_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "root").mkdir()
    Image.new("RGB", (4, 4)).save(tmp_path / "a.jpg")
    with pytest.raises(ValueError, match="inside the data root"):
        images.read_image(tmp_path / "root", name)


def test_path_with_harmless_dots_is_allowed(tmp_path: Path) -> None:
    assert images.inside(tmp_path, "x/../a.jpg") == tmp_path / "a.jpg"


def test_normalise_matches_the_formula(picture: np.ndarray) -> None:
    out = images.normalise(picture[None])
    assert out.shape == (1, 3, 48, 64) and out.dtype == np.float32
    expected = (picture / 255 - np.array(images.IMAGENET_MEAN)) / np.array(images.IMAGENET_STD)
    np.testing.assert_allclose(out[0], expected.transpose(2, 0, 1), atol=1e-6)


def test_a_set_that_does_not_fit_keeps_only_its_last_pictures(tmp_path: Path) -> None:
    for name in "abc":
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.zeros((1024, 2048, 3), np.uint8))  # 6 MiB each
    sizes = {f"{name}.png": (2048, 1024) for name in "abc"}
    roomy, tight = (images.PictureCache(tmp_path, limit_mib=limit, sizes_wh=sizes) for limit in (18, 17))
    for cache in (roomy, tight):
        for name in sizes:
            cache[name]
    assert len(roomy._kept) == 3 and len(tight._kept) == 2
