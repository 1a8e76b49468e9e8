"""FCOS against the recorded numbers of mmdet, over every archive found."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from detector_archives import Case, close, of, same_candidates, same_detections

from tasks.detection.network.fcos import FCOS
from tasks.detection.network.postprocess import Keep
from tasks.detection.points.losses import point_losses
from tasks.detection.points.targets import centerness
from tasks.detection.targets import Truth


def head_outputs(case: Case) -> list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    with torch.no_grad():
        return list(case.network.point_head(case.maps))


@pytest.mark.parametrize("case", of("fcos"), indirect=True)
def test_points_and_outputs(case: Case) -> None:
    outputs, data = head_outputs(case), case.data
    assert len(outputs) == len(data["points_per_level"])
    for level, found in enumerate(outputs):
        for key, ours in zip(("cls", "reg", "centerness"), found, strict=True):
            recorded = data[f"{key}{level}"]
            close(ours[:, : recorded.shape[1]], recorded)
    close(torch.cat(case.network.points(outputs)), data["points"], 1e-7)


@pytest.mark.parametrize("case", of("fcos"), indirect=True)
def test_point_candidates_and_detections(case: Case) -> None:
    network: FCOS = case.network
    outputs, data = head_outputs(case), case.data
    keep = Keep(nms_iou=float(data.get("nms_iou", np.float64(0.5))))
    boxes, scores, labels = network.candidates(outputs, 0, case.size_hw, keep.score_threshold)
    shift = 1 - case.first_label
    if "boxes_before_nms" in data:
        recorded = [data[f"{key}_before_nms"] for key in ("boxes", "scores", "labels")]
        assert len(boxes) == len(recorded[0])
        same_candidates((boxes, scores, labels), recorded, shift)
    else:
        best = scores.topk(len(data["best_scores_before_nms"])).indices
        recorded = [data[f"best_{key}_before_nms"] for key in ("boxes", "scores", "labels")]
        same_candidates((boxes[best], scores[best], labels[best]), recorded, shift)
    for suffix, scale in (("", (1.0, 1.0)), ("_source", case.scale_xy)):
        if f"det_boxes{suffix}" not in data:
            continue
        found = network.detect(outputs, [case.size_hw], [scale], keep)[0]
        recorded = [data[f"det_{key}{suffix}"] for key in ("boxes", "labels", "scores")]
        same_detections((found.boxes, found.labels - shift, found.scores), *recorded)  # type: ignore[arg-type]


@pytest.mark.parametrize("case", of("fcos"), indirect=True)
def test_point_targets_and_losses(case: Case) -> None:
    network: FCOS = case.network
    outputs, data = head_outputs(case), case.data
    targets = network.targets(outputs, [case.truth()])
    background = 80 if case.first_label == 0 else 0
    recorded = data["target_labels"].astype(np.int64)
    expected = np.where(recorded == background, 0, recorded + 1 - case.first_label)
    assert (targets[0].labels.numpy() == expected).all()
    assert (targets[0].positive.numpy() == data["target_positives"]).all()
    close(targets[0].ltrb[targets[0].positive], data["target_ltrb_of_positives"])
    close(centerness(targets[0].ltrb[targets[0].positive]), data["target_centerness"])
    losses = point_losses(outputs, targets, network.conventions, network.strides)
    names = {"loss_cls": ("loss_cls",), "loss_box": ("loss_bbox", "loss_reg"), "loss_centerness": ("loss_centerness",)}
    nothing = Truth(torch.zeros(0, 4), torch.zeros(0, dtype=torch.long), None, case.size_hw, 0)
    without = point_losses(outputs, network.targets(outputs, [nothing]), network.conventions, network.strides)
    for ours, keys in names.items():
        for key in keys:
            if f"train_{key}" in data:
                assert losses[ours].item() == pytest.approx(float(data[f"train_{key}"]), rel=1e-5)
            if f"train_no_objects_{key}" in data:
                assert without[ours].item() == pytest.approx(float(data[f"train_no_objects_{key}"]), rel=1e-5)
