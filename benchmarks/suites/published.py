"""The papers' tables, row for row: released checkpoints on the official data, beside what was printed.

    python run_all.py plan --suite published                                    what is missing, row by row
    python run_all.py run  --suite published --data-root D --weights W          fills what D and W allow

Rows come from `results/published/*.csv`, checkpoints from `results/published/weights.csv`; a row becomes a cell when a
checkpoint of it was released, the harness has its network, and its split has public annotations. The other rows stay in
their table with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.cells import Cell, Suite, TableSpec, make_cell
from benchmarks.published import Figure, load
from benchmarks.weights import Weights, load_weights
from tasks import task_names

TABLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "coco_keypoints_val": ("COCO keypoints, val2017", ("coco_keypoints_val2017",)),
    "coco_keypoints_testdev": ("COCO keypoints, test-dev2017", ("coco_keypoints_testdev2017",)),
    "mpii_val": ("MPII, val", ("mpii_val",)),
    "mpii_test": ("MPII, test", ("mpii_test",)),
    "cityscapes_val": ("Cityscapes, val", ("cityscapes_val",)),
    "cityscapes_test": ("Cityscapes, test", ("cityscapes_test",)),
    "pascal_context": ("PASCAL Context", ("pascal_context",)),
    "lip_val": ("LIP, val", ("lip_val",)),
    "face_300w": ("300W", ("face_300w",)),
    "face_aflw": ("AFLW", ("face_aflw",)),
    "face_cofw": ("COFW", ("face_cofw",)),
    "face_wflw": ("WFLW", ("face_wflw",)),
    "coco_detection_val": ("COCO detection, val2017", ("coco_detection_val2017",)),
    "coco_detection_testdev": ("COCO detection, test-dev2017", ("coco_detection_testdev2017",)),
    "ablation_exchange": ("Ablation: exchange", ("ablation_fusion",)),
    "ablation_resolution": ("Ablation: resolution of the map", ("ablation_resolution",)),
    "ablation_input_size": ("Ablation: input size", ("ablation_input_size",)),
    "ablation_representation": ("Ablation: V1, V1h, V2, V2p", ("ablation_representation_head",)),
}
"""Paper tables by name: title, and the source tables that they hold."""

WITHOUT_TRUTH = ("test-dev2017",)
"""Splits that only the benchmark's server scores; MPII's and Cityscapes' test sets are told by their benchmark."""

SPLITS = {
    ("300W", "common"): "valid",
    ("300W", "challenge"): "valid",
    ("300W", "full"): "valid",
    ("300W", "test"): "test",
}
_SCALES = {"mpii": (0.8, 0.9, 1.0, 1.1, 1.2, 1.3)}


def server_only(figure: Figure) -> bool:
    """True if the figure's split has no public ground truth."""
    return figure.split in WITHOUT_TRUTH or (figure.benchmark in ("MPII", "Cityscapes") and figure.split == "test")


def metric_key(figure: Figure) -> str | None:
    """Name of a published figure's metric among the task's own; None where the task has no such figure."""
    metric, split = figure.metric, figure.split
    if figure.task == "detection":
        return metric.removeprefix("box_")
    if figure.benchmark == "MPII":
        if metric == "PCKh@0.1":
            return "PCKh@0.11" if "threshold=0.11" in figure.protocol_id else None
        unweighted = "pckh=unweighted" in figure.protocol_id
        return f"{metric} unweighted" if unweighted and metric == "PCKh@0.5" else metric
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
    stated = dict(part.split("=", 1) for part in figure.protocol_id.split("; ") if "=" in part)
    changes: dict[str, Any] = {}
    if figure.task == "pose":
        height, _, width = figure.input_size.partition("x")
        changes["input_wh"] = (int(width), int(height))
        if stated.get("decode") in ("dark", "argmax", "quarter"):
            changes["decoder"] = stated["decode"]
        if figure.benchmark == "COCO keypoints":
            changes["boxes"] = "detector" if stated.get("boxes", "").startswith("detector") else "gt"
        if stated.get("scales") == "multi":
            changes["scales"] = _SCALES["mpii"]
        if "decode with DARK" in entry.note:
            changes["decoder"] = "dark"
    elif figure.task == "segmentation":
        from tasks.segmentation.protocol import MULTI_SCALE

        changes["flip"] = stated.get("flip") == "yes"
        changes["scales"] = MULTI_SCALE[entry.dataset] if stated.get("scales") == "multi" else (1.0,)
        if "classes" in stated:
            changes["num_classes"] = int(stated["classes"])
    elif figure.task == "landmarks" and "decode with DARK" in entry.note:
        changes["decoder"] = "dark"
    return changes


def cell_of(figure: Figure, entry: Weights) -> Cell:
    """The cell that measures a figure with its released checkpoint."""
    changes: dict[str, Any] = dict(entry.changes)
    return make_cell(
        entry.task,
        entry.dataset,
        entry.model,
        representation=None if entry.representation == "stacks" else entry.representation,
        split=SPLITS.get((figure.benchmark, figure.split)),
        checkpoint=entry.file,
        family=entry.family,
        protocol=protocol_changes(figure, entry),
        **changes,
    )


def why_not(figure: Figure, entry: Weights | None) -> str:
    """Why a figure has no cell, or "" if it has one."""
    if server_only(figure):
        file = f"; the released file is {entry.file}" if entry else ""
        return f"only the benchmark's server scores this split (eval --predictions writes the submission{file})"
    if entry is None:
        if not figure.model:
            return "the harness has no such network or head"
        return "no checkpoint of this row was released; it would have to be trained"
    if entry.task not in task_names():
        return f"the task {entry.task} is not installed"
    if metric_key(figure) is None:
        return f"the harness does not report this variant [{figure.protocol_id}]"
    return ""


def spec_of(name: str, entries: Mapping[str, Weights], cells: dict[str, Cell]) -> TableSpec:
    """One paper table; adds the cells that its rows need to `cells`."""
    title, files = TABLES[name]
    figures = [figure for figure in load() if figure.id.split(":")[0] in files]
    links: dict[str, dict[str, str]] = {}
    reasons: dict[str, str] = {}
    for figure in figures:
        entry = entries.get(figure.id)
        reason = why_not(figure, entry)
        if reason or entry is None:
            reasons.setdefault(figure.id, reason)
            continue
        cell = cell_of(figure, entry)
        cells.setdefault(cell.id, cell)
        key = metric_key(figure)
        assert key is not None
        links.setdefault(figure.id, {})[f"{figure.metric}|{figure.split}|{figure.protocol_id}"] = f"{cell.id}|{key}"
    used = tuple(dict.fromkeys(link.split("|")[0] for found in links.values() for link in found.values()))
    first = figures[0]
    extra = {"files": files, "links": links, "reasons": reasons}
    return TableSpec(name, title, first.task, first.benchmark, used, (first.metric,), "published", extra)


def suite(tables: str = "") -> Suite:
    """Every row of the named tables (all of them by default; `tables` may name some, separated by commas)."""
    names = [name for name in tables.split(",") if name] or list(TABLES)
    for name in names:
        if name not in TABLES:
            raise ValueError(f"unknown paper table {name!r}; known: {', '.join(TABLES)}")
    entries = {row: entry for entry in load_weights() for row in entry.rows}
    cells: dict[str, Cell] = {}
    specs = tuple(spec_of(name, entries, cells) for name in names)
    return Suite("published", tuple(cells.values()), specs, "Released checkpoints on official data, beside the papers.")
