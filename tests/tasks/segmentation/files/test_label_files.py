"""Label maps and lists as people have them: depths, palettes, encodings, equal names; and folders of maps scored."""

from __future__ import annotations

import json
import os
import shutil
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks import get_task
from tasks.files.names import distinct_names, first_repeated
from tasks.segmentation.datasets import SegmentationEvalData
from tasks.segmentation.entries import ENTRIES
from tasks.segmentation.files.label_png import read_ids, read_label_png
from tests.tasks.segmentation.seg_fixtures import save, write_cityscapes, write_lip, write_pascal

TASK = get_task("segmentation")


def grey_png(path: Path, values: np.ndarray, bits: int) -> None:
    """A grey png of 1, 2, 4, 8 or 16 bits, made by hand: no library writes ids unscaled at 2 and 4 bits."""
    height, width = values.shape
    if bits == 16:
        rows = [b"\0" + row.astype(">u2").tobytes() for row in values]
    else:
        per = 8 // bits
        padded = np.zeros((height, -(-width // per) * per), np.uint8)
        padded[:, :width] = values
        shifts = 8 - bits * (1 + np.arange(per))
        packed = (padded.reshape(height, -1, per).astype(int) << shifts).sum(2).astype(np.uint8)
        rows = [b"\0" + row.tobytes() for row in packed]

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"".join(rows))) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_grey_ids_of_every_depth_are_the_stored_numbers(tmp_path: Path, bits: int) -> None:
    values = np.random.default_rng(bits).integers(0, min(2**bits, 200), (9, 13))
    grey_png(tmp_path / "a.png", values, bits)
    np.testing.assert_array_equal(read_ids(tmp_path / "a.png", "label png"), values)


def test_of_255_classes_the_last_is_read_too(tmp_path: Path) -> None:
    values, table = np.array([[0, 253, 254, 255]], np.uint8), np.arange(256, dtype=np.int16)
    save(tmp_path / "a.png", values)
    np.testing.assert_array_equal(read_label_png(tmp_path / "a.png", table, "map"), values)
    table[254] = -1
    with pytest.raises(ValueError, match=r"expected ids 0\.\.253 of a map, got \[254\]"):
        read_label_png(tmp_path / "a.png", table, "map")


@pytest.mark.parametrize("colours", [2, 4, 16, 200])
def test_palette_ids_are_the_indices(tmp_path: Path, colours: int) -> None:
    """Whatever the palette's colours, at 1, 2, 4 and 8 bits per index."""
    values = np.random.default_rng(0).integers(0, colours, (9, 13)).astype(np.uint8)
    picture = Image.fromarray(values, "P")
    picture.putpalette(np.random.default_rng(1).integers(0, 255, 3 * colours).astype(np.uint8).tobytes())
    picture.save(tmp_path / "a.png", bits={2: 1, 4: 2, 16: 4, 200: 8}[colours])
    np.testing.assert_array_equal(read_ids(tmp_path / "a.png", "label png"), values)


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda p: Image.fromarray(np.full((4, 4), 300, np.uint16)).save(p), "16-bit values up to 300"),
        (lambda p: Image.new("RGB", (4, 4)).save(p), r"colours \(3 channels\)"),
        (lambda p: Image.new("LA", (4, 4)).save(p), r"colours \(2 channels\)"),
        (lambda p: Image.new("L", (4, 4)).save(p, "jpeg"), "a jpeg, which changes ids"),
        (lambda p: p.write_text("<html>"), "unreadable file"),
        (lambda p: p.write_bytes(b""), "empty"),
        (lambda p: os.mkfifo(p), "a pipe"),
        (lambda p: p.mkdir(), "a folder"),
    ],
)
def test_other_files_are_refused_by_name(tmp_path: Path, write: Callable[[Path], None], words: str) -> None:
    write(tmp_path / "a.png")
    with pytest.raises(ValueError, match=rf"a\.png.*{words}"):
        read_ids(tmp_path / "a.png", "label png")


# -- lists -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("slash", ["/", "\\"])
def test_lists_of_other_systems_are_read(tmp_path: Path, encoding: str, newline: str, slash: str) -> None:
    write_lip(tmp_path, columns=2)
    text = (tmp_path / "valList.txt").read_text()
    before = SegmentationEvalData(ENTRIES["lip"], tmp_path, "val", TASK.protocol("lip"))
    (tmp_path / "valList.txt").write_bytes(text.replace("/", slash).replace("\n", newline).encode(encoding))
    data = SegmentationEvalData(ENTRIES["lip"], tmp_path, "val", TASK.protocol("lip"))
    assert data.image_ids() == before.image_ids() == ["0", "1", "2"]
    np.testing.assert_array_equal(data.label(1), before.label(1))


def test_a_list_in_latin_1_and_a_pipe_are_refused_by_line(tmp_path: Path) -> None:
    write_lip(tmp_path, columns=2)
    (tmp_path / "valList.txt").write_bytes(b"val_images/0.jpg val_segmentations/0.png\nval_images/Zo\xeb.jpg x.png\n")
    with pytest.raises(ValueError, match=r"valList\.txt, line 2: expected UTF-8 .*0xeb \(Latin-1"):
        SegmentationEvalData(ENTRIES["lip"], tmp_path, "val", TASK.protocol("lip"))
    (tmp_path / "valList.txt").unlink()
    os.mkfifo(tmp_path / "valList.txt")
    with pytest.raises(ValueError, match=r"valList\.txt but it is a pipe"):
        SegmentationEvalData(ENTRIES["lip"], tmp_path, "val", TASK.protocol("lip"))


def test_a_picture_listed_twice_is_refused_for_evaluation(tmp_path: Path) -> None:
    write_lip(tmp_path, columns=2)
    with (tmp_path / "valList.txt").open("a") as file:
        file.write("val_images/1.jpg val_segmentations/1.png\n")
    with pytest.raises(
        ValueError, match=r"valList\.txt:4: expected every picture once, .*1\.jpg again .*valList\.txt:2"
    ):
        SegmentationEvalData(ENTRIES["lip"], tmp_path, "val", TASK.protocol("lip"))


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["x/0.jpg", "x/1.jpg"], ["0", "1"]),
        (["v/a/0.jpg", "v/b/0.jpg", "v/b/1.jpg"], ["a/0", "b/0", "b/1"]),
        (["a/0.jpg", "a/0.png"], ["0.jpg", "0.png"]),
        (["0.jpg", "b/0.jpg"], ["0", "b/0"]),
        (["v/a/0.jpg", "v/a/0.jpg"], ["0", "0"]),
        ([], []),
    ],
)
def test_names_stay_apart(paths: list[str], names: list[str]) -> None:
    assert distinct_names(paths) == names
    assert (first_repeated(names) is None) == (len(set(paths)) == len(paths))


def equal_names(root: Path) -> Path:
    """LIP with four pictures: 0 and 1 in the folders a and b, labels of one class per folder."""
    for folder, value in (("a", 1), ("b", 2)):
        for index in range(2):
            save(root / f"TrainVal_images/val_images/{folder}/{index}.jpg", np.full((60, 50, 3), 90, np.uint8))
            label = np.full((60, 50), value, np.uint8)
            save(root / f"TrainVal_parsing_annotations/val_segmentations/{folder}/{index}.png", label)
    lines = [f"val_images/{f}/{i}.jpg val_segmentations/{f}/{i}.png" for f in "ab" for i in range(2)]
    (root / "valList.txt").write_text("\n".join(lines) + "\n")
    return root


def test_equal_names_in_folders_stay_apart_in_predictions_and_figures(tmp_path: Path) -> None:
    root = equal_names(tmp_path / "lip")
    data = TASK.eval_data("lip", root, "val", TASK.protocol("lip"))
    assert data.image_ids() == ["a/0", "a/1", "b/0", "b/1"]
    evaluation = TASK.evaluation(data, TASK.protocol("lip"))
    evaluation.add(range(4), [np.full((60, 50), value, np.uint8) for value in (1, 1, 1, 2)])
    evaluation.write_predictions(tmp_path / "out")
    assert sorted(p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.png")) == [
        "a/0.png", "a/1.png", "b/0.png", "b/1.png",
    ]  # fmt: skip
    stats, notes = TASK.submission_stats("lip", root, "val", tmp_path / "out", TASK.protocol("lip"))
    assert notes == ()
    np.testing.assert_array_equal(stats["confusion"], evaluation.stats()["confusion"])
    # By hand: class 1 has 6000 right of 9000 predicted, class 2 has 3000 of 6000.
    figures = TASK.figures("lip", stats, {"num_classes": 20})
    assert figures["mIoU/present"] == pytest.approx(100 * (6000 / 9000 + 3000 / 6000) / 2)


# -- folders of maps ---------------------------------------------------------------------------------------------
def predictions(
    root: Path, out: Path, change: Callable[[np.ndarray], np.ndarray] = lambda ids: ids
) -> dict[str, float]:
    """Writes changed truths as a Cityscapes submission, and returns what an evaluation of these maps says."""
    protocol = TASK.protocol("cityscapes")
    data = TASK.eval_data("cityscapes", root, "val", protocol)
    evaluation = TASK.evaluation(data, protocol)
    rng = np.random.default_rng(0)
    for index in range(len(data)):
        evaluation.add([index], [rng.integers(0, 19, data.label(index).shape).astype(np.uint8)])  # type: ignore[attr-defined]
    evaluation.write_predictions(out)
    for path in out.rglob("*.png"):
        save(path, change(np.asarray(Image.open(path))))
    return TASK.figures("cityscapes", evaluation.stats(), {"num_classes": 19})


@pytest.mark.parametrize("naming", ["as written", "cities", "frames", "suffix"])
def test_cityscapes_maps_are_scored_without_the_pictures(tmp_path: Path, naming: str) -> None:
    write_cityscapes(tmp_path / "data", 3)
    right = predictions(tmp_path / "data", tmp_path / "maps")
    for path in sorted((tmp_path / "maps").glob("*.png")):
        frame = path.name.removesuffix("_leftImg8bit.png")
        name = {"cities": f"aachen/{path.name}", "frames": f"{frame}.png", "suffix": f"{frame}_gtFine_labelIds.png"}
        target = tmp_path / "maps" / name.get(naming, path.name)
        target.parent.mkdir(exist_ok=True)
        path.rename(target)
    shutil.rmtree(tmp_path / "data/leftImg8bit")
    stats, notes = TASK.submission_stats(
        "cityscapes", tmp_path / "data", "val", tmp_path / "maps", TASK.protocol("cityscapes")
    )
    assert notes == () and len(stats["image"]) == 3
    assert TASK.figures("cityscapes", stats, {"num_classes": 19}) == pytest.approx(right, nan_ok=True)


def test_pixels_of_no_scored_class_count_as_wrong(tmp_path: Path) -> None:
    """Half of one class's right pixels given to label id 0: its IoU halves, and a note tells the share."""
    write_cityscapes(tmp_path / "data", 1)
    label_path = next((tmp_path / "data").rglob("*_gtFine_labelIds.png"))
    truth = np.full((32, 64), 7, np.uint8)
    truth[:, 32:] = 8
    save(label_path, truth)
    found = truth.copy()
    found[:16, :32] = 0
    found[16, 32] = 26  # so that the ids are not mistaken for train ids
    save(tmp_path / "maps/aachen_000000_000019.png", found)
    stats, notes = TASK.submission_stats(
        "cityscapes", tmp_path / "data", "val", tmp_path / "maps", TASK.protocol("cityscapes")
    )
    figures = TASK.figures("cityscapes", stats, {"num_classes": 19})
    assert figures["IoU/road"] == pytest.approx(50) and figures["IoU/sidewalk"] == pytest.approx(100 * 1023 / 1024)
    assert figures["pixel_acc"] == pytest.approx(100 * (512 + 1023) / 2048)
    assert notes == ("25.00 % of the labelled pixels are given to no scored class, and count as wrong",)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda root, maps: next(maps.glob("*.png")).unlink(), r"3 pictures, 1 are missing \(first: aachen_"),
        (lambda root, maps: shutil.copytree(maps, maps / "again"), None),
        (lambda root, maps: shutil.rmtree(maps), "found nothing"),
        (
            lambda root, maps: save(next(maps.glob("*.png")), np.full((8, 8), 7, np.uint8)),
            "label's size 64x32, got 8x8",
        ),
        (
            lambda root, maps: save(next(maps.glob("*.png")), np.full((32, 64), 77, np.uint8)),
            r"ids 7\.\.33, got \[77\]",
        ),
        (
            lambda root, maps: [save(path, np.full((32, 64), 3, np.uint8)) for path in maps.glob("*.png")],
            "look like train ids",
        ),
    ],
)
def test_other_folders_are_refused(tmp_path: Path, change: Callable[[Path, Path], object], words: str | None) -> None:
    write_cityscapes(tmp_path / "data", 3)
    predictions(tmp_path / "data", tmp_path / "maps")
    change(tmp_path / "data", tmp_path / "maps")
    arguments = ("cityscapes", tmp_path / "data", "val", tmp_path / "maps", TASK.protocol("cityscapes"))
    if words is None:
        assert TASK.submission_stats(*arguments)[1] == ("3 png files of other names in maps are left out",)
        return
    with pytest.raises(ValueError, match=words):
        TASK.submission_stats(*arguments)


def test_pascal_maps_are_scored_with_either_number_of_classes(tmp_path: Path) -> None:
    ranks = write_pascal(tmp_path / "data")
    for name, values in zip(("2008_000000", "2008_000002"), ranks, strict=True):
        save(tmp_path / "maps" / f"{name}.png", values)
    shutil.rmtree(tmp_path / "data/VOCdevkit/VOC2010/JPEGImages")
    for classes in (59, 60):
        protocol = replace(TASK.protocol("pascal_context"), num_classes=classes)
        stats, _ = TASK.submission_stats("pascal_context", tmp_path / "data", "val", tmp_path / "maps", protocol)
        figures = TASK.figures("pascal_context", stats, {"num_classes": classes})
        assert figures["mIoU/present"] == figures["pixel_acc"] == 100


def test_masks_of_unlisted_pictures_are_counted(tmp_path: Path) -> None:
    write_pascal(tmp_path)
    path = tmp_path / "VOCdevkit/VOC2010/trainval_merged.json"
    content = json.loads(path.read_text())
    content["annos_segmentation"].append({**content["annos_segmentation"][0], "image_id": 4711})
    path.write_text(json.dumps(content))
    data = TASK.eval_data("pascal_context", tmp_path, "val", TASK.protocol("pascal_context"))
    assert data.notes == ("trainval_merged.json: 1 masks of pictures that it does not list are left out",)
