"""Coders, matching, targets and losses of detectors against recorded numbers, for every archive found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import detector_archives as archives
import numpy as np
import pytest
import torch
from golden_archives import seeded_input
from torch import Tensor
from torchvision.ops import box_iou, sigmoid_focal_loss

from tasks.detection.boxes.coding import clip, decode, encode, from_family, to_family
from tasks.detection.boxes.conventions import preset
from tasks.detection.boxes.point_conventions import point_preset
from tasks.detection.boxes.points import boxes_at, distances, pyramid_points, size_ranges
from tasks.detection.losses import RoiSample, box_losses, smooth_l1
from tasks.detection.points.losses import overlap_loss, point_losses
from tasks.detection.points.targets import PointTargets, centerness, point_targets
from tasks.detection.targets import NEGATIVE, Truth, match

MMDET, OFFICIAL = preset("mmdet", "cascade_rcnn"), preset("hrnet_detection", "cascade_rcnn")
STRIDES = (8, 16, 32, 64, 128)


def of(pattern: str) -> list[Any]:
    """The archives of a name (and of the same name with an ending), or one that is skipped."""
    found = sorted((archives.FOLDER / "functions").glob(f"{pattern}*.npz"))
    none = pytest.mark.skip(reason=f"no {pattern} below {archives.FOLDER}")
    return [pytest.param(p, id=f"detectors-{p.stem}") for p in found] or [
        pytest.param(None, marks=none, id="none-found")
    ]


def doubles(data: archives.Archive, name: str) -> Tensor:
    return torch.from_numpy(data[name]).double()


def exact(found: Tensor, expected: np.ndarray, limit: float = 2e-6) -> None:
    archives.close(found, expected, limit)


@pytest.mark.parametrize("path", [*of("mmdet_delta_coder"), *of("official_delta_coder")])
def test_delta_coder(path: Path) -> None:
    data = archives.load(path)
    conventions = OFFICIAL if path.stem.startswith("official") else MMDET
    boxes, truths = (from_family(doubles(data, name), conventions) for name in ("boxes", "truths"))
    size_hw = (int(data["image_hw"][0]), int(data["image_hw"][1]))
    if "iou" in data:
        exact(box_iou(boxes, truths), data["iou"])
    for name in ("rpn", "stage0", "stage1", "stage2"):
        stds = [float(v) for v in data[f"{name}_stds"]]
        stage = name.removeprefix("stage")
        assert stds == list(conventions.rpn_stds if name == "rpn" else conventions.stage_stds[int(stage)])
        exact(encode(truths, boxes, stds), data[f"{name}_encoded"])
        made = decode(doubles(data, "codes"), boxes, stds, conventions.clamp_both)[:, 0]
        exact(to_family(made, conventions), data[f"{name}_decoded"])
        exact(to_family(clip(made, size_hw, conventions), conventions), data[f"{name}_decoded_clipped"])
        if f"{name}_round_trip" in data:
            again = decode(encode(truths, boxes, stds), boxes, stds, conventions.clamp_both)[:, 0]
            exact(again, data[f"{name}_round_trip"])


@pytest.mark.parametrize("path", of("mmdet_distance_coder"))
def test_distance_coder(path: Path) -> None:
    data = archives.load(path)
    points, ltrb = doubles(data, "points"), doubles(data, "distances")
    made = boxes_at(points, ltrb)
    exact(made, data["decoded"])
    height, width = (int(n) for n in data["image_hw"])
    limit = torch.tensor([width, height, width, height], dtype=torch.float64)
    exact(torch.minimum(made.clamp(min=0), limit), data["decoded_clipped"])
    exact(distances(points, made), data["distances"])


@pytest.mark.parametrize("path", of("mmdet_cascade_assign"))
def test_cascade_assignment_and_losses(path: Path) -> None:
    data, name = archives.load(path), path.stem.removeprefix("mmdet_")
    proposals, boxes = doubles(data, "proposals"), doubles(data, "gt_boxes")
    labels = torch.from_numpy(data["gt_labels"]).long() + 1
    truth = Truth(boxes, labels, None, (320, 512), 0)
    for stage, iou in enumerate(MMDET.stage_ious):
        matched = match(proposals, boxes, iou, iou)
        recorded = torch.from_numpy(data[f"stage{stage}_assigned"]).long()
        assert torch.equal(matched, torch.where(recorded > 0, recorded - 1, NEGATIVE))
        exact(box_iou(boxes, proposals).max(0).values, data[f"stage{stage}_max_iou"])
        # Truths stand before the proposals; the first in order are taken where there are more than the quarter.
        everything = torch.cat([torch.arange(len(boxes)), matched])
        positive, negative = archives.first_in_order(everything, 512, 0.25, 0)
        assert (positive.numpy() == data[f"stage{stage}_pos_inds"]).all()
        assert (negative.numpy() == data[f"stage{stage}_neg_inds"]).all()
        assert (everything[positive].numpy() == data[f"stage{stage}_pos_assigned_gt"]).all()
        chosen = torch.cat([labels[everything[positive]], torch.zeros(len(negative), dtype=torch.long)])
        rois = torch.cat([boxes, proposals])[torch.cat([positive, negative])]
        sample = RoiSample(rois, chosen, everything[positive], positive < len(boxes))
        conventions = MMDET.change(box_stds=MMDET.stage_stds[stage])
        codes = encode(boxes[sample.truth], rois[: sample.num_positive], conventions.box_stds)
        exact(codes, data[f"stage{stage}_bbox_targets"])
        logits = 2 * seeded_input(f"{name}/stage{stage}/logits", (len(rois), 81)).double()
        deltas = seeded_input(f"{name}/stage{stage}/deltas", (len(rois), 4)).double()
        losses = box_losses(logits, deltas, [sample], [truth], 80, conventions)
        assert losses["loss_cls"].item() == pytest.approx(float(data[f"stage{stage}_loss_cls"]), rel=1e-6)
        assert losses["loss_box"].item() == pytest.approx(float(data[f"stage{stage}_loss_bbox"]), rel=1e-6)
        assert losses["accuracy"].item() == pytest.approx(data[f"stage{stage}_acc"].item(), abs=1e-4)


VARIANTS: dict[str, dict[str, Any]] = {
    "": {},
    "centre_": {"centre_radius": 1.5},
    "normed_": {"centre_radius": 1.5, "normed": True, "box_loss": "giou"},
}


def seeded_outputs(name: str, sizes: list[tuple[int, int]], batch: str, count: int, normed: bool) -> list[Any]:
    outputs = []
    for level, (h, w) in enumerate(sizes):
        logits = seeded_input(f"{name}/{batch}cls{level}", (count, 80, h, w)).double() - 3
        centre = seeded_input(f"{name}/{batch}ctr{level}", (count, 1, h, w)).double()
        shift = 0.5 if normed else 3 + 0.5 * level
        ltrb = (0.5 * seeded_input(f"{name}/{batch}reg{level}", (count, 4, h, w)).double() + shift).exp()
        outputs.append((logits, ltrb, centre))
    return outputs


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("path", of("mmdet_fcos_targets"))
def test_point_targets_and_losses(path: Path, variant: str) -> None:
    data, name = archives.load(path), path.stem.removeprefix("mmdet_")
    conventions = point_preset("mmdet").change(**VARIANTS[variant])
    sizes = [(int(h), int(w)) for h, w in data["map_sizes"]]
    points = pyramid_points(sizes, STRIDES)
    exact(torch.cat(points), data["points"])

    def targets_of(prefix: str) -> PointTargets:
        labels = torch.from_numpy(data[f"{prefix}gt_labels"]).long() + 1
        boxes = doubles(data, f"{prefix}gt_boxes")
        return point_targets(points, STRIDES, size_ranges(STRIDES), boxes, labels, conventions)

    made = targets_of("")
    recorded = data[f"{variant}labels"].astype(np.int64)
    assert (made.labels.numpy() == np.where(recorded == 80, 0, recorded + 1)).all()
    assert (made.positive.numpy() == data[f"{variant}positives"]).all()
    wanted = made.ltrb[made.positive]
    if variant == "normed_":
        step = torch.cat([torch.full((len(p),), float(s)) for p, s in zip(points, STRIDES, strict=True)])
        wanted = wanted / step[made.positive, None]
    exact(wanted, data[f"{variant}ltrb_of_positives"])
    exact(centerness(wanted), data[f"{variant}centerness_of_positives"])
    outputs = seeded_outputs(name, sizes, "", 1, conventions.normed)
    _same_losses(point_losses(outputs, [made], conventions, STRIDES), data, variant)
    if variant == "" and "batch_loss_cls" in data:
        both = [made, targets_of("second_")]
        outputs = seeded_outputs(name, sizes, "batch_", 2, conventions.normed)
        _same_losses(point_losses(outputs, both, conventions, STRIDES), data, "batch_")


def _same_losses(losses: dict[str, Tensor], data: archives.Archive, prefix: str) -> None:
    for ours, theirs in (("loss_cls", "loss_cls"), ("loss_box", "loss_bbox"), ("loss_centerness", "loss_centerness")):
        assert losses[ours].item() == pytest.approx(float(data[f"{prefix}{theirs}"]), rel=1e-6), theirs


def around(boxes: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """Pairs of boxes as distances from one point each."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    return distances(centre, boxes), distances(centre, others)


def one_hot(labels: Tensor, background: int) -> Tensor:
    """(N, 80) 0 or 1; labels of ``background`` have none."""
    made = torch.zeros(len(labels), 80, dtype=torch.float64)
    known = torch.where(labels != background)[0]
    made[known, labels[known] - (1 if background == 0 else 0)] = 1.0
    return made


@pytest.mark.parametrize("path", of("mmdet_losses"))
def test_losses(path: Path) -> None:
    data = archives.load(path)
    boxes, others = doubles(data, "boxes"), doubles(data, "others")
    for kind in ("iou", "giou"):
        found = overlap_loss(*around(boxes, others), kind).mean().item()
        assert found == pytest.approx(float(data[f"{kind}_loss"]), rel=1e-6)
    wanted = one_hot(torch.from_numpy(data["labels"]), 80)
    focal = sigmoid_focal_loss(doubles(data, "logits"), wanted)
    exact(focal, data["focal"])
    # The recorded call divides by a whole number of positives.
    over = focal.sum().item() / float(data["focal_module"])
    assert over == pytest.approx(round(over), rel=1e-6)
    # The second is recorded of boxes in units of 50 px.
    for beta, name, unit in ((1.0, "smooth_l1_beta1", 1), (1 / 9, "smooth_l1_beta_ninth", 50)):
        assert smooth_l1(boxes / unit, others / unit, beta).item() == pytest.approx(float(data[name].sum()), rel=1e-6)


@pytest.mark.parametrize("path", of("official_fcos_losses"))
def test_official_losses(path: Path) -> None:
    data = archives.load(path)
    each = overlap_loss(doubles(data, "ltrb"), doubles(data, "target_ltrb"), "iou_plus_one")
    exact(each, data["iou_loss_each"])
    weights = doubles(data, "weights")
    assert ((each * weights).sum() / weights.sum()).item() == pytest.approx(float(data["iou_loss_weighted"]), rel=1e-6)
    focal = sigmoid_focal_loss(doubles(data, "logits"), one_hot(torch.from_numpy(data["labels"]), 0), reduction="sum")
    assert focal.item() == pytest.approx(float(data["focal_sum"]), rel=1e-6)
