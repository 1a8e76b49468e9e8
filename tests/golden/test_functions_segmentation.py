"""Confusion matrices and figures equal the reference's, for every archive found."""

from __future__ import annotations

import golden_archives
import numpy as np
import pytest

from tasks.segmentation.files.classes import IGNORE
from tasks.segmentation.metrics import figures_from_confusion, iou_per_class, label_map_confusion

ARCHIVES = sorted((golden_archives.GOLDEN / "functions").glob("seg_confusion_*.npz"))


@pytest.mark.skipif(not ARCHIVES, reason=f"no seg_confusion archives below {golden_archives.GOLDEN}; set HRNET_GOLDEN")
@pytest.mark.parametrize("path", ARCHIVES, ids=lambda p: p.stem)
def test_confusion_and_figures(path) -> None:  # type: ignore[no-untyped-def]
    archive = np.load(path)
    expected = archive["confusion_gt_by_pred"]
    classes = len(expected)
    labels = [np.where(label == archive["ignore"], IGNORE, label) for label in archive["label"].astype(np.int64)]
    matrices = label_map_confusion(labels, list(archive["prediction"]), classes)
    assert matrices.dtype == np.int64 and (matrices.sum(axis=0) == expected).all()
    assert np.allclose(iou_per_class(matrices.sum(axis=0)), archive["iou"], rtol=1e-12, atol=0)
    figures = figures_from_confusion(matrices, [f"c{i}" for i in range(classes)])
    for name, key in (("mIoU", "mean_iou"), ("pixel_acc", "pixel_accuracy"), ("avg_acc", "mean_accuracy")):
        assert figures[name] == pytest.approx(100 * float(archive[key]), rel=1e-12)
