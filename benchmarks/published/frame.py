"""The papers' printed figures as a pandas frame of the same shape as that of measured ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.published.figures import Figure, load

if TYPE_CHECKING:
    import pandas

DATASETS = {
    "COCO keypoints": "coco",
    "COCO detection": "coco",
    "MPII": "mpii",
    "PoseTrack2017": "posetrack17",
    "PoseTrack2018": "posetrack18",
    "Cityscapes": "cityscapes",
    "PASCAL-Context": "pascal_context",
    "LIP": "lip",
    "300W": "300w",
    "AFLW": "aflw",
    "COFW": "cofw",
    "WFLW": "wflw",
    "ImageNet": "imagenet",
}
"""A figure's benchmark -> the harness's name of its dataset."""


def published_frame() -> pandas.DataFrame:
    """Every printed figure with its source, `protocol.SETTING` as it was stated, and "published" as its origin.

    Columns are those of `benchmarks.results_frame` where they mean the same (parameters in ones, not millions), and
    method, body, benchmark, condition, pretrained, input_size, bound, source, confidence and footnotes beside them.
    """
    import pandas

    return pandas.DataFrame([_line(figure) for figure in load()])


def _line(figure: Figure) -> dict[str, Any]:
    stated = {f"protocol.{name}": value for name, value in figure.settings.items()}
    same = ("id", "task", "split", "model", "representation", "metric", "value", "unit")
    further = ("method", "body", "benchmark", "condition", "pretrained", "input_size", "bound", "source", "confidence")
    return {
        "origin": "published",
        **{name: getattr(figure, name) for name in same},
        "dataset": DATASETS.get(figure.benchmark, ""),
        "name": f"{figure.method}, {figure.body}" if figure.body else figure.method,
        "tier": "full",
        "higher_is_better": figure.direction.higher_is_better,
        "params": None if figure.params_m is None else round(figure.params_m * 1e6),
        **{name: getattr(figure, name) for name in further},
        "gflops_as_printed": figure.gflops,
        "footnotes": "; ".join(figure.footnotes),
        **stated,
    }
