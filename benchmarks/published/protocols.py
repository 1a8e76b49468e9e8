"""The protocol of a measured figure in the words of a published one, so that the two can be compared."""

from __future__ import annotations

from benchmarks.experiment.cell import Cell
from benchmarks.published.figures import settings_of

NORMALISERS = {"inter_ocular": "inter-ocular", "inter_pupil": "inter-pupil", "box": "face box size"}
DECODERS = {"quarter_per_axis": "quarter", "udp_combined": "udp", "simcc_gaussian": "simcc", "simcc_logits": "simcc"}
"""Decoders that tables of papers call by the name of their kind."""
DETECTORS = {"val2017": "detector 56.4", "test-dev2017": "detector 60.9"}
"""COCO's official files of person boxes by split; their detector is named by its AP."""


def measured_protocol(cell: Cell, metric: str, published: str) -> str:
    """What a cell's figure was made with, in the words and order of a published `protocol_id`.

    Args:
        cell: whose protocol is read.
        metric: the task's name of the figure, which says threshold, weighting and normaliser.
        published: the `key=value; ...` to answer. Settings that it does not state, or that the harness has no word for
            (crop, hardware), are repeated unchanged.
    """
    said = _said(cell, metric)
    parts = []
    for name, value in settings_of(published):
        if value is None:
            parts.append(name)
        else:
            parts.append(f"{name}={value if value.startswith('not stated') else said.get(name, value)}")
    return "; ".join(parts)


def _said(cell: Cell, metric: str) -> dict[str, str]:
    """The settings that the cell's protocol and the figure's name state, by the published names of settings."""
    made = cell.protocol
    said: dict[str, str] = {}
    if hasattr(made, "flip"):
        said["flip"] = "yes" if made.flip else "no"
    if hasattr(made, "scales"):
        said["scales"] = "1" if made.scales == (1.0,) else "multi"
    if hasattr(made, "num_classes"):
        said["classes"] = str(made.num_classes)
    if cell.task == "pose":
        official = made.boxes == "detector" and not getattr(made, "boxes_file", "")
        said["boxes"] = DETECTORS.get(cell.split, "detector") if official else made.boxes
        said["decode"] = DECODERS.get(made.decoder, made.decoder)
        if "/" not in metric:
            # A part's own figure is the same in both ways of averaging the parts.
            said["pckh"] = "unweighted" if metric.endswith("unweighted") else "weighted"
        said["threshold"] = (
            f"{float(metric.partition('@')[2].split('/')[0].split(' ')[0]):.2f}" if "@" in metric else ""
        )
    if cell.task == "landmarks":
        name = metric[4:].partition("]")[0] if metric.startswith("NME[") else made.normaliser
        said["normaliser"] = NORMALISERS[name]
    return said
