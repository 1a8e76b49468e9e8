"""Matching, addressed sampling, losses, mask targets, and training that resumes where it stopped."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from benchmarks.engine import loops as engine
from tasks import build_model, get_task
from tasks.detection.boxes.conventions import preset
from tasks.detection.datasets import DetectionAugment, DetectionTrainData
from tasks.detection.losses import Sampling, mask_loss, proposal_losses, sample_rois, smooth_l1
from tasks.detection.protocol import DetectionProtocol
from tasks.detection.recipes import SCHEDULES, full, multi_scale, smoke, sync_bn
from tasks.detection.targets import IGNORED, NEGATIVE, Truth, inside, mask_targets, match, sample

TRUTHS = torch.tensor([[0.0, 0.0, 10.0, 10.0], [20.0, 0.0, 30.0, 10.0]])


def truth(**changes: object) -> Truth:
    return replace(Truth(TRUTHS, torch.tensor([3, 5]), None, (64, 64), 7), **changes)  # type: ignore[arg-type]


def test_matching_by_overlap() -> None:
    boxes = torch.tensor(
        [
            [0.0, 0.0, 10.0, 9.0],
            [0.0, 0.0, 10.0, 5.0],
            [0.0, 0.0, 10.0, 2.0],
            [20.0, 0.0, 24.0, 10.0],
            [50.0, 50.0, 60.0, 60.0],
        ]
    )
    assert match(boxes, TRUTHS, 0.7, 0.3).tolist() == [0, IGNORED, NEGATIVE, IGNORED, NEGATIVE]
    # The second truth's best box overlaps by 0.4: it is taken from 0.3 on, and not from 0.5 on.
    assert match(boxes, TRUTHS, 0.7, 0.3, 0.3).tolist() == [0, IGNORED, NEGATIVE, 1, NEGATIVE]
    assert match(boxes, TRUTHS, 0.7, 0.3, 0.5).tolist() == [0, IGNORED, NEGATIVE, IGNORED, NEGATIVE]
    eligible = torch.tensor([False, True, True, True, True])
    assert match(boxes, TRUTHS, 0.7, 0.3, 0.3, eligible).tolist() == [IGNORED, 0, NEGATIVE, 1, NEGATIVE]
    assert match(boxes, TRUTHS[:0], 0.7, 0.3, 0.3).tolist() == [NEGATIVE] * 5


def test_all_ties_of_a_truths_best_anchor_are_positive() -> None:
    boxes = torch.tensor([[0.0, 0.0, 10.0, 5.0], [0.0, 5.0, 10.0, 10.0], [0.0, 0.0, 10.0, 4.0]])
    assert match(boxes, TRUTHS[:1], 0.7, 0.3, 0.3).tolist() == [0, 0, IGNORED]


def test_sampling_depends_on_its_seed_alone() -> None:
    matched = torch.cat([torch.zeros(40, dtype=torch.long), torch.full((400,), NEGATIVE), torch.full((50,), IGNORED)])
    positive, negative = sample(matched, 64, 0.25, 5)
    torch.manual_seed(1)
    again = sample(matched, 64, 0.25, 5)
    assert torch.equal(positive, again[0])
    assert torch.equal(negative, again[1])
    assert not torch.equal(negative, sample(matched, 64, 0.25, 6)[1])
    assert (len(positive), len(negative)) == (16, 48)
    assert (matched[positive] >= 0).all()
    assert (matched[negative] == NEGATIVE).all()
    few = sample(matched[35:], 64, 0.25, 5)
    assert (len(few[0]), len(few[1])) == (5, 59)


def test_anchors_inside_the_picture() -> None:
    anchors = torch.tensor([[0.0, 0.0, 64.0, 64.0], [-1.0, 0.0, 10.0, 10.0], [0.0, 0.0, 65.0, 10.0]])
    found = inside(anchors, (64, 64), preset("hrnet_detection"))
    assert found is not None
    assert found.tolist() == [True, False, False]
    assert inside(anchors, (64, 64), preset("mmdet")) is None


def test_true_boxes_join_the_proposals() -> None:
    sampled = sample_rois([torch.tensor([[40.0, 40.0, 50.0, 50.0]])], [truth()], Sampling(rois=8, roi_positive=0.5))[0]
    assert sampled.labels.tolist() == [3, 5, 0]
    assert torch.equal(sampled.boxes[:2], TRUTHS)
    assert sampled.truth.tolist() == [0, 1]


@pytest.mark.parametrize(("name", "counted"), [("hrnet_detection", 9), ("mmdet", 9), ("torchvision", 8)])
def test_the_rpns_divisor_counts_one_of_each_kind_per_picture(name: str, counted: int) -> None:
    """Four anchors of each picture are sampled; no anchor of the second reaches a truth."""
    anchors = torch.tensor([[0.0, 0, 10, 10], [20, 0, 30, 10], [40, 40, 50, 50], [40, 20, 50, 30]])
    far = truth(boxes=torch.tensor([[60.0, 60.0, 61.0, 61.0]]), labels=torch.tensor([1]))
    logits, codes = torch.zeros(2, 4), torch.full((2, 4, 4), 2.0)
    losses = proposal_losses([(logits, codes)], [anchors], [truth(), far], preset(name), Sampling())
    assert float(losses["loss_rpn_cls"]) == pytest.approx(8 * math.log(2) / counted)
    beta = preset(name).rpn_beta
    assert float(losses["loss_rpn_box"]) == pytest.approx(2 * 4 * (2 - beta / 2) / counted)


@pytest.mark.parametrize("beta", [0.0, 1 / 9, 1.0])
def test_smooth_l1_turns_linear_at_beta(beta: float) -> None:
    difference = torch.tensor([0.05, 0.5, 3.0])
    expected = torch.where(difference < beta, 0.5 * difference**2 / max(beta, 1e-9), difference - 0.5 * beta)
    assert smooth_l1(difference, torch.zeros(3), beta).item() == pytest.approx(expected.sum().item(), rel=1e-6)


@pytest.mark.parametrize("name", ["hrnet_detection", "mmdet"])
def test_mask_targets_see_the_mask_through_the_box(name: str) -> None:
    mask = torch.zeros(2, 64, 64, dtype=torch.bool)
    mask[1, 10:20, 10:40] = True
    boxes = torch.tensor([[10.0, 10.0, 40.0, 30.0], [12.0, 12.0, 20.0, 20.0]])
    made = mask_targets(truth(masks=mask), boxes, torch.tensor([1, 1]), 28, preset(name))
    assert made[0, :14].all()
    assert not made[0, 14:].any()
    assert made[1].all()
    assert (
        mask_targets(truth(masks=mask), boxes[:0], torch.tensor([], dtype=torch.long), 28, preset(name)).shape[0] == 0
    )


def test_mask_loss_reads_the_true_class() -> None:
    logits = torch.full((1, 81, 2, 2), -9.0)
    logits[0, 3] = 9.0
    target = torch.ones(1, 2, 2)
    assert mask_loss(logits, target, torch.tensor([3]), preset("hrnet_detection")).item() < 1e-3
    assert mask_loss(logits, target, torch.tensor([3]), preset("mmdet")).item() > 8
    assert mask_loss(logits[:0], target[:0], torch.tensor([]), preset("mmdet")).item() == 0


def test_schedules_are_the_papers() -> None:
    assert SCHEDULES == {"1x": (12, (8, 11)), "2x": (24, (20, 23)), "20e": (20, (16, 19))}
    recipe = full("hrnet_w32", "2x")
    assert (recipe.milestones, recipe.clip_grad_norm, recipe.warmup_iterations) == ((20, 23), 35.0, 500)
    assert sync_bn(recipe).batch_norm == "sync"
    assert multi_scale(recipe).augment.pad_wh == (1600, 1024)
    cropped = multi_scale(recipe, crop=True).augment
    assert (cropped.crop_wh, cropped.pad_wh) == ((1200, 800), (1216, 800))
    assert full("resnet50").extra == {"frozen_stages": 1}
    # Frozen statistics are those of ImageNet; a body that has none learns its own.
    assert (recipe.batch_norm, recipe.init_from) == ("frozen", "hrnetv2_w32_imagenet_pretrained.pth")
    assert (full("resnet50").batch_norm, full("resnet50").init_from) == ("frozen", "resnet50-19c8e357.pth")
    assert (full("timm:convnext_tiny").batch_norm, full("timm:convnext_tiny").init_from) == ("train", None)
    with pytest.raises(ValueError, match="2x"):
        full(schedule="3x")


def small_data(root: Path, **augment: object) -> DetectionTrainData:
    made = DetectionAugment(long_px=(128,), short_px=(96,), **augment)  # type: ignore[arg-type]
    return DetectionTrainData(root, "train2017", made, 0, DetectionProtocol(short_px=96, long_px=128))


def test_losses_fall_and_frozen_stages_stay(shapes_root: Path) -> None:
    task, data = get_task("detection"), small_data(shapes_root, masks=True)
    torch.manual_seed(0)
    model = build_model("detection", "resnet_micro", "coco", masks=True).train()
    before = {k: v.clone() for k, v in model.state_dict().items() if ".layer1." in k and "weight" in k}
    recipe = replace(smoke(), extra={"frozen_stages": 1})
    task.prepare(model, recipe)
    assert not any(p.requires_grad for p in model.body.layer1.parameters())  # type: ignore[union-attr, operator]
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3)
    totals = []
    for _ in range(8):
        losses = task.loss(model, data.collate([data[0, i] for i in range(4)]), recipe)
        assert {k for k in losses if k.startswith("loss")} == {
            "loss_rpn_cls", "loss_rpn_box", "loss_cls", "loss_box", "loss_mask"
        }  # fmt: skip
        total = sum(v for k, v in losses.items() if k.startswith("loss"))
        assert isinstance(total, torch.Tensor)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        totals.append(total.item())
    assert min(totals[-2:]) < 0.8 * totals[0]
    after = model.state_dict()
    assert before
    assert all(torch.equal(after[k], v) for k, v in before.items() if "bn" not in k and "running" not in k)


def test_a_mask_head_asks_for_masks(shapes_root: Path) -> None:
    data = small_data(shapes_root)
    model = build_model("detection", "resnet_micro", "coco", masks=True).train()
    with pytest.raises(ValueError, match=r"augment\.masks"):
        get_task("detection").loss(model, data.collate([data[0, 0]]), smoke())


def test_interrupted_and_resumed_equals_uninterrupted(shapes_root: Path, tmp_path: Path) -> None:
    task = get_task("detection")
    recipe = replace(smoke(), epochs=3, batch_size=3)
    protocol = DetectionProtocol(short_px=96, long_px=128)

    def run(folder: Path, stops: tuple[int | None, ...]) -> dict[str, torch.Tensor]:
        for stop in stops:
            torch.manual_seed(0)
            model = build_model("detection", "resnet_micro", "coco")
            folder.mkdir(exist_ok=True)
            engine.train(
                model, task, small_data(shapes_root), recipe, protocol, seed=0, workspace=folder,
                report=lambda _: None, stop_after_epoch=stop,
            )  # fmt: skip
        return model.state_dict()

    whole = run(tmp_path / "whole", (None,))
    resumed = run(tmp_path / "resumed", (1, None))
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)
