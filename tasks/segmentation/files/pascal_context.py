"""PASCAL Context in its three public forms: the "PASCAL in Detail" json, png lists, png folders with name lists. Torch-free."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.images import inside
from tasks.rle import check_run_lengths
from tasks.segmentation.classes import PASCAL_DETAIL_IDS, class_table
from tasks.segmentation.files.layouts import Layout, Sample, find_list, identifying_files, read_list
from tasks.segmentation.targets import read_label_png

JSON = "trainval_merged.json"
PNG_FOLDER = "SegmentationClassContext"


class PascalContext(Layout):
    """One split with 59 classes (background ignored) or 60 (background scored).

    The split "testval" is the reference's name for the val pictures at their own size.

    Args:
        source: "json" (``trainval_merged.json``), "lists" (pngs), or "auto": the json if it is there.

    Raises:
        FileNotFoundError: neither json nor lists. ValueError: what the annotations say does not fit.
    """

    def __init__(self, root: Path, split: str, num_classes: int, source: str = "auto") -> None:
        self.table = class_table("pascal_context", num_classes)
        phase = "train" if split == "train" else "val"
        self.root = _voc_folder(root)
        self.records: list[list[dict[str, Any]]] | None = None
        path = self.root / JSON
        if source == "json" or (source == "auto" and path.is_file()):
            self._open_json(path, phase)
        else:
            self._open_lists(root, phase)

    def _open_json(self, path: Path, phase: str) -> None:
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise FileNotFoundError(f"{path}: expected the PASCAL in Detail annotations, found no such file.") from None
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path}: expected json, got {error}; fetch the file again.") from None
        for key in ("images", "annos_segmentation"):
            if not isinstance(content, dict) or not isinstance(content.get(key), list):
                found = sorted(content)[:8] if isinstance(content, dict) else type(content).__name__
                raise ValueError(f"{path}: expected PASCAL in Detail with a list {key!r}, got {found}.")
        _check_records(content["images"], ("image_id", "file_name", "phase", "height", "width"), f"{path}: images")
        _check_records(
            content["annos_segmentation"],
            ("image_id", "category_id", "segmentation"),
            f"{path}: annos_segmentation",
        )
        images = [image for image in content["images"] if image["phase"] == phase]
        if not images:
            phases = sorted({str(image["phase"]) for image in content["images"]})
            raise ValueError(f"{path}: expected images of phase {phase!r}, got an empty list (phases: {phases}).")
        places = {image["image_id"]: index for index, image in enumerate(images)}
        self.records = [[] for _ in images]
        for number, record in enumerate(content["annos_segmentation"]):
            index = places.get(record["image_id"])
            if index is not None:
                self.records[index].append({**record, "where": f"{path}: annos_segmentation[{number}]"})
        if not any(self.records):
            raise ValueError(
                f"{path}: expected annotations of the {len(images)} pictures of phase {phase!r} under 'annos_segmentation', got "
                "an empty list; without them nothing can be scored or learnt. Fetch the file again, or take the pngs with "
                "--protocol labels=lists."
            )
        self.sizes_hw = [(int(image["height"]), int(image["width"])) for image in images]
        self.samples = [
            Sample(
                Path(image["file_name"]).stem, f"JPEGImages/{image['file_name']}", None, f"{path}: {image['image_id']}"
            )
            for image in images
        ]
        self.files = [path]

    def _open_lists(self, root: Path, phase: str) -> None:
        names = (
            (f"{phase}.lst", f"{phase}.txt")
            if phase == "train"
            else ("testval.lst", "val.lst", "testval.txt", "val.txt")
        )
        found = find_list(root, ("pascal_ctx", "pascal_context"), names) or find_list(
            self.root / "ImageSets" / "SegmentationContext", (), names
        )
        if found is None:
            raise FileNotFoundError(
                f"{root}: expected {self.root / JSON}, or a list such as list/pascal_ctx/{names[0]}, found neither. "
                "See tasks/segmentation/README.md for the layout."
            )
        self.samples = []
        for number, cells in read_list(found, (1, 2)):
            if len(cells) == 1:
                cells = [f"JPEGImages/{cells[0]}.jpg", f"{PNG_FOLDER}/{cells[0]}.png"]
            image, label = (_below(root, self.root, cell) for cell in cells)
            self.samples.append(Sample(Path(image).stem, image, label, f"{found}:{number}"))
        self.files = identifying_files(self.root, found, self.samples)

    def label(self, index: int) -> NDArray[np.uint8] | None:
        if self.records is not None:
            return paint(self.records[index], self.sizes_hw[index], self.table.decode_table())
        name = self.samples[index].label
        assert name is not None
        return read_label_png(
            inside(self.root, name), self.table.decode_table(), "PASCAL Context png of 0 (background) to 59"
        )


def paint(records: list[dict[str, Any]], size_hw: tuple[int, int], table: NDArray[np.int16]) -> NDArray[np.uint8]:
    """Draws RLE masks in their order, later ones over earlier ones; what no mask covers is background.

    Args:
        records: entries of ``annos_segmentation``, each with ``where`` for errors.
        table: rank of the category -> class or 255.

    Raises:
        ValueError: an RLE of another size than its picture, one that is broken, or a category outside the 60.
    """
    from pycocotools import mask as coco_mask

    ranks = np.zeros(size_hw, np.uint8)
    for record in records:
        if record["category_id"] not in PASCAL_DETAIL_IDS:
            raise ValueError(
                f"{record['where']}: expected one of the 60 category ids of PASCAL Context, got {record['category_id']}."
            )
        rle = record["segmentation"]
        try:
            check_run_lengths(rle, *size_hw)
        except ValueError as error:
            raise ValueError(f"{record['where']}: {error}") from None
        if isinstance(rle["counts"], list):
            rle = coco_mask.frPyObjects(rle, *size_hw)
        with warnings.catch_warnings():
            # pycocotools' arrays have no copy keyword yet, of which NumPy 2 warns.
            warnings.simplefilter("ignore", DeprecationWarning)
            mask = coco_mask.decode(rle)
        ranks[mask > 0] = PASCAL_DETAIL_IDS.index(record["category_id"])
    return table[ranks].astype(np.uint8)


def _check_records(records: list[Any], fields: tuple[str, ...], where: str) -> None:
    """Raises ValueError for the first record that lacks a field, or whose height or width is no size in pixels."""
    for row, record in enumerate(records):
        if not isinstance(record, dict):
            raise ValueError(f"{where}[{row}]: expected an object, got {record!r}; fetch the file again.")
        for field in fields:
            if field not in record:
                raise ValueError(
                    f"{where}[{row}]: expected the field {field!r}, got {sorted(record)}; correct the record."
                )
            value = record[field]
            if field in ("height", "width") and (not isinstance(value, int) or value < 1):
                raise ValueError(
                    f"{where}[{row}]: expected {field} as a number of pixels, got {value!r}; correct the record."
                )


def _voc_folder(root: Path) -> Path:
    """The folder with JPEGImages."""
    for folder in (root / "VOCdevkit" / "VOC2010", root / "VOC2010", root):
        if (folder / "JPEGImages").is_dir():
            return folder
    raise FileNotFoundError(
        f"{root}: expected VOCdevkit/VOC2010/JPEGImages below it, found no such folder. "
        "Unpack VOCtrainval_03-May-2010.tar there."
    )


def _below(root: Path, voc: Path, name: str) -> str:
    """A listed path, which may start at the data root, at the dataset's folder or at VOC2010, as a path below VOC2010."""
    relative = voc.relative_to(root).as_posix()
    for prefix in ("pascal_ctx/", "pascal_context/", ""):
        short = name.removeprefix(prefix)
        if relative != "." and short.startswith(f"{relative}/"):
            return short.removeprefix(f"{relative}/")
    return name
