"""The papers' tables, row for row: released checkpoints on the official data, beside what was printed.

    python run_all.py plan --suite published                                    what is missing, row by row
    python run_all.py run  --suite published --data-root D --weights W          fills what D and W allow

Rows come from `results/published/*.csv`, checkpoints from `results/published/weights.csv`; a row becomes a cell when a
checkpoint of it was released, the harness has its network, and its split has public annotations. The other rows stay in
their table with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.experiment.cell import Cell, make_cell
from benchmarks.experiment.suite import Suite
from benchmarks.published.figures import Figure, load
from benchmarks.published.lacks import Lack
from benchmarks.published.paper_rows import Link, PaperRow
from benchmarks.published.paper_table import PublishedTable
from benchmarks.published.protocols import measured_protocol
from benchmarks.published.slots import Slot, slot_of
from benchmarks.published.weights import MadeRow, Weights, load_weights
from tasks import get_task, task_names

TABLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "coco_keypoints_val": ("COCO keypoints, val2017", ("coco_keypoints_val2017",)),
    "coco_keypoints_testdev": ("COCO keypoints, test-dev2017", ("coco_keypoints_testdev2017",)),
    "mpii_val": ("MPII, val", ("mpii_val",)),
    "mpii_test": ("MPII, test", ("mpii_test",)),
    "posetrack2017": ("PoseTrack2017, val and test", ("posetrack2017",)),
    "posetrack2018": ("PoseTrack2018, val", ("posetrack2018",)),
    "cityscapes_val": ("Cityscapes, val", ("cityscapes_val",)),
    "cityscapes_test": ("Cityscapes, test", ("cityscapes_test",)),
    "pascal_context": ("PASCAL Context", ("pascal_context",)),
    "lip_val": ("LIP, val", ("lip_val",)),
    "ade20k": ("ADE20K, val", ("ade20k",)),
    "coco_stuff": ("COCO-Stuff, test", ("coco_stuff",)),
    "face_300w": ("300W", ("face_300w",)),
    "face_aflw": ("AFLW", ("face_aflw",)),
    "face_cofw": ("COFW", ("face_cofw",)),
    "face_wflw": ("WFLW", ("face_wflw",)),
    "coco_detection_val": ("COCO detection, val2017", ("coco_detection_val2017",)),
    "coco_detection_testdev": ("COCO detection, test-dev2017", ("coco_detection_testdev2017",)),
    "imagenet_val": ("ImageNet, val", ("imagenet_val",)),
    "ablation_exchange": ("Ablation: exchange", ("ablation_fusion",)),
    "ablation_resolution": ("Ablation: resolution of the map", ("ablation_resolution",)),
    "ablation_input_size": ("Ablation: input size", ("ablation_input_size",)),
    "ablation_representation": ("Ablation: V1, V1h, V2, V2p", ("ablation_representation_head",)),
}
"""Paper tables by name: title, and the source tables that they hold."""

WITHOUT_TRUTH = ("test-dev2017",)
"""Splits that only the benchmark's server scores; the test sets of MPII, Cityscapes and PoseTrack go by their benchmark."""

SPLITS = {
    ("300W", "common"): "valid",
    ("300W", "challenge"): "valid",
    ("300W", "full"): "valid",
    ("300W", "test"): "test",
}
_SCALES = {"mpii": (0.8, 0.9, 1.0, 1.1, 1.2, 1.3)}

NOT_IN_MANIFEST = "no released checkpoint of this row is in the manifest; without one it would have to be trained"
NOT_LINKED: tuple[tuple[str, str, str], ...] = (
    (
        "id",
        r"^coco_keypoints_val2017:67$",
        "not in the manifest: mmpose's page links the 256x192 file in its place",
    ),
    (
        "id",
        r"^coco_keypoints_val2017:70$",
        "not in the manifest: trained with a visibility head, which the harness has not",
    ),
    ("id", r"^pascal_context:22$", "not in the manifest: its file is behind a share link that gives no name"),
    (
        "id",
        r"^pascal_context:(17|23)$",
        "not in the manifest: the page links the plain 59-class file in place of the 60-class OCR network",
    ),
    ("id", r"^cityscapes_val:15$", "its page links no checkpoint"),
    ("id", r"^posetrack2017:", "neither weights trained on PoseTrack nor the code of tracking were released"),
    ("method", r"^Paddle(Seg|Clas)", "no adapter for Paddle's files"),
    (
        "source",
        r"^HRNet-Object-Detection",
        "not in the manifest: the file name of this training is not known",
    ),
    (
        "source",
        r"^HRNet-FCOS",
        "its page links no checkpoint, or one of the Caffe-style body under a name that is not known",
    ),
)
"""Why rows of known networks have no checkpoint, where more is known than that the manifest has none: field, pattern, text."""


def server_only(figure: Figure) -> bool:
    """True if the figure's split has no public ground truth."""
    unscored = ("MPII", "Cityscapes", "PoseTrack2017")
    return figure.split in WITHOUT_TRUTH or (figure.benchmark in unscored and figure.split == "test")


def metric_key(figure: Figure) -> str | None:
    """Name of a published figure's metric among the task's own; None where the task has no such figure."""
    metric, split = figure.metric, figure.split
    if figure.settings.get("normaliser") == "gt box longer side":
        # The harness's NME[box] divides by the annotated face box's size: another figure.
        return None
    if figure.task == "detection":
        return metric.removeprefix("box_")
    if figure.benchmark == "MPII":
        if metric == "PCKh@0.1":
            return "PCKh@0.11" if figure.settings.get("threshold") == "0.11" else None
        unweighted = figure.settings.get("pckh") == "unweighted"
        return f"{metric} unweighted" if unweighted and metric == "PCKh@0.5" else metric
    if figure.benchmark.startswith("PoseTrack"):
        return metric.replace("_", "/")
    if figure.task == "landmarks":
        name = metric
        if metric == "NME":
            name = "NME[box]" if figure.benchmark == "AFLW" else "NME[inter_ocular]"
        subset = (
            split.partition("/")[2] if "/" in split else split if split in ("common", "challenge", "frontal") else ""
        )
        return f"{name}/{subset}" if subset else name
    return metric


def protocol_changes(figure: Figure, entry: Weights) -> dict[str, Any]:
    """The fields of the task's protocol that the figure's `protocol_id` and input size state."""
    stated = figure.settings
    changes: dict[str, Any] = {}
    if figure.task == "pose":
        height, _, width = figure.input_size.partition("x")
        changes["input_wh"] = (int(width), int(height))
        if stated.get("decode") in ("dark", "argmax"):
            changes["decoder"] = stated["decode"]
        if figure.benchmark == "COCO keypoints":
            changes["boxes"] = "detector" if stated.get("boxes", "").startswith("detector") else "gt"
        if figure.benchmark.startswith("PoseTrack"):
            # Poses of single frames as mmpose scores them: the files' boxes or a detector's alone, every joint.
            detector = stated.get("boxes") == "detector"
            changes |= {"boxes": "detector" if detector else "gt", "box_threshold": 0.4, "truth_box": "file"}
            changes |= {"propagate": False, "box_nms": 1.0, "joint_threshold": 0.0}
        if stated.get("scales") == "multi":
            changes["scales"] = _SCALES["mpii"]
        if "decode with DARK" in entry.note:
            changes["decoder"] = "dark"
        if changes.get("decoder") == "dark":
            # Targets of sigma 3 at 384x288, of sigma 2 below; DARK smooths with 17 and 11 cells.
            changes["dark_blur"] = 17 if int(height) >= 384 else 11
    elif figure.task == "segmentation":
        from tasks.segmentation.entries import ENTRIES

        changes["flip"] = stated.get("flip") == "yes"
        changes["scales"] = ENTRIES[entry.dataset].multi_scale if stated.get("scales") == "multi" else (1.0,)
        if "classes" in stated:
            changes["num_classes"] = int(stated["classes"])
    elif figure.task == "landmarks" and "decode with DARK" in entry.note:
        changes["decoder"] = "dark"
    return changes


def label_of(entry: Weights, protocol: Mapping[str, Any], split: str | None) -> str:
    """How the cells of one network differ in name: by checkpoint file, and by test scales and split where those vary."""
    scales = protocol.get("scales", (1.0,))
    boxes = f"{protocol['boxes']} boxes" if entry.dataset.startswith("posetrack") else ""
    ways = [f"{len(scales)} scales" if len(scales) > 1 else "", split or "", boxes]
    return " ".join([entry.file.replace("/", "_"), *(way for way in ways if way)])


def cell_of(figure: Figure, entry: Weights) -> Cell:
    """The cell that measures a figure with its released checkpoint."""
    changes: dict[str, Any] = dict(entry.changes)
    protocol = protocol_changes(figure, entry)
    split = SPLITS.get((figure.benchmark, figure.split))
    return make_cell(
        entry.task,
        entry.dataset,
        entry.model,
        representation=None if entry.representation == "stacks" else entry.representation,
        split=split,
        checkpoint=entry.file,
        family=entry.family,
        protocol=protocol,
        label=label_of(entry, protocol, split),
        **changes,
    )


def classes_of(entry: Weights) -> int | None:
    """Classes of a segmentation checkpoint: its own, or those of its dataset's benchmark."""
    if entry.task != "segmentation":
        return None
    stated = dict(entry.changes).get("num_classes")
    return int(stated) if stated else get_task(entry.task).protocol(entry.dataset).num_classes


def network_of(figure: Figure) -> str:
    """What a network that the harness has not is called: its method, and the body where that is the point."""
    if "mmpose-label" in figure.footnotes:
        return "CSPNeXt"
    method = re.sub(r"^(mmpose|mmseg) (pose_)?|[*]+$", "", figure.method)
    return f"{method} on {figure.body}" if figure.task == "detection" and figure.body else method


def without_checkpoint(figure: Figure) -> Lack:
    """Why no checkpoint of a figure is known."""
    if not figure.model:
        note = "no public code pairs it with HRNet" if network_of(figure).startswith("CenterNet on HRNet") else ""
        text = f"the harness has no such network or head{': ' * bool(note)}{note}"
        return Lack("network", text, network_of(figure))
    for field, pattern, text in NOT_LINKED:
        if re.search(pattern, getattr(figure, field)):
            return Lack("weights", text)
    return Lack("weights", NOT_IN_MANIFEST)


def why_not(figure: Figure, entry: Weights | None) -> Lack | None:
    """Why a figure has no cell; None if it has one."""
    if server_only(figure):
        file = f"; the released file is {entry.file}" if entry else ""
        return Lack(
            "server",
            f"only the benchmark's server scores this split (eval --predictions writes the submission{file})",
        )
    if entry is None:
        return without_checkpoint(figure)
    if entry.task not in task_names():
        return Lack("network", f"the task {entry.task} is not installed")
    if metric_key(figure) is None:
        return Lack("protocol", f"the harness does not report this variant [{figure.protocol_id}]")
    classes = figure.settings.get("classes")
    if classes is not None and int(classes) != classes_of(entry):
        return Lack("weights", f"a figure of {classes} classes; {entry.file} has {classes_of(entry)}")
    return None


def table_of(name: str, made: Mapping[MadeRow, Weights], cells: dict[str, Cell]) -> PublishedTable:
    """One paper's table; adds the cells that its rows need to `cells`."""
    title, files = TABLES[name]
    rows = tuple(row_of(figures, made, cells) for figures in load().rows().values() if figures[0].file in files)
    used = tuple(dict.fromkeys(link.cell for row in rows for link in row.links.values()))
    return PublishedTable(name, title, used, rows)


def row_of(figures: Sequence[Figure], made: Mapping[MadeRow, Weights], cells: dict[str, Cell]) -> PaperRow:
    """One source row, each figure with the cell that measures it or the reason why none does; adds the cells to `cells`."""
    links: dict[Slot, Link] = {}
    reasons: dict[Slot, Lack] = {}
    for figure in figures:
        entry = made.get(MadeRow(figure.id, figure.column)) or made.get(MadeRow(figure.id))
        reason = why_not(figure, entry)
        if reason is None and entry is not None:
            cell, metric = cell_of(figure, entry), metric_key(figure)
            assert metric is not None
            measured = measured_protocol(cell, metric, figure.protocol_id)
            if measured == figure.protocol_id:
                cells.setdefault(cell.id, cell)
                links[slot_of(figure)] = Link(cell.id, metric)
                continue
            reason = Lack(
                "protocol", f"the harness would measure [{measured}], the figure is of [{figure.protocol_id}]"
            )
        assert reason is not None
        reasons[slot_of(figure)] = reason
    return PaperRow(tuple(figures), links, reasons)


def suite(tables: str = "") -> Suite:
    """Every row of the named tables (all of them by default; `tables` may name some, separated by commas)."""
    names = [name for name in tables.split(",") if name] or list(TABLES)
    for name in names:
        if name not in TABLES:
            raise ValueError(f"unknown paper table {name!r}; known: {', '.join(TABLES)}")
    made = {row: entry for entry in load_weights() for row in entry.rows}
    cells: dict[str, Cell] = {}
    found = tuple(table_of(name, made, cells) for name in names)
    return Suite("published", tuple(cells.values()), found, "Released checkpoints on official data, beside the papers.")
