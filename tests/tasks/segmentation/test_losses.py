"""Losses against their definitions written plainly."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from tasks import get_task
from tasks.options import override
from tasks.segmentation import losses as losses_module
from tasks.segmentation.entries import ENTRIES
from tasks.segmentation.files.class_tables.cityscapes import CITYSCAPES_WEIGHTS
from tasks.segmentation.losses import (
    class_weights,
    cross_entropy,
    hard_example_cross_entropy,
    ohem_kept,
    pixel_accuracy,
    segmentation_loss,
)


def batch(seed: int = 0, size: int = 24) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(2, 19, size, size, generator=generator)
    labels = torch.randint(0, 19, (2, size, size), generator=generator)
    labels[0, :5] = 255
    return logits.requires_grad_(), labels


@pytest.mark.parametrize(("threshold", "kept"), [(0.9, 100), (0.05, 300), (0.0, 10**6), (0.9, 10**6)])
def test_hard_examples_equal_the_sorted_definition(threshold: float, kept: int) -> None:
    logits, labels = batch()
    weights = torch.tensor(CITYSCAPES_WEIGHTS)
    losses = functional.cross_entropy(logits, labels, weights, ignore_index=255, reduction="none").flatten()
    valid = (labels != 255).flatten()
    truth = labels.clone()
    truth[truth == 255] = 0
    probability = logits.detach().softmax(1).gather(1, truth[:, None]).flatten()[valid]
    ordered, places = probability.sort()
    limit = max(float(ordered[min(kept, len(ordered) - 1)]), threshold)
    expected = losses[valid][places][ordered < limit].mean()
    found = hard_example_cross_entropy(logits, labels, weights, threshold, kept)
    assert torch.allclose(found, expected)
    found.backward()
    assert logits.grad is not None and logits.grad[0, :, :5].abs().sum() == 0


def test_weighted_mean_divides_by_the_weights() -> None:
    logits, labels = batch(1)
    weights = class_weights("weighted_cross_entropy", 19, logits, own=CITYSCAPES_WEIGHTS)
    assert weights is not None
    valid = labels != 255
    per_pixel = functional.cross_entropy(logits, labels, reduction="none", ignore_index=255)[valid]
    w = weights[labels[valid]]
    assert torch.allclose(cross_entropy(logits, labels, weights), (per_pixel * w).sum() / w.sum())


@pytest.mark.parametrize("loss", ["cross_entropy", "balanced_cross_entropy", "ohem", "weighted_ohem"])
def test_a_batch_without_labels_gives_zero_not_nan(loss: str) -> None:
    logits, labels = batch(2)
    made = segmentation_loss(
        [logits, logits], torch.full_like(labels, 255), loss, align_corners=False, own_weights=CITYSCAPES_WEIGHTS
    )
    total = sum(made.values())
    assert isinstance(total, Tensor) and float(total.detach()) == 0
    total.backward()
    assert logits.grad is not None and torch.isfinite(logits.grad).all()


def test_auxiliary_term_is_weighted() -> None:
    logits, labels = batch(3)
    made = segmentation_loss([logits, logits], labels, "cross_entropy", align_corners=False)
    assert set(made) == {"loss", "loss_aux"}
    assert torch.allclose(made["loss_aux"], 0.4 * functional.cross_entropy(logits, labels, ignore_index=255))
    assert torch.allclose(made["loss"], functional.cross_entropy(logits, labels, ignore_index=255))


@pytest.mark.parametrize("loss", ["ohem", "weighted_ohem"])
def test_beside_hard_examples_the_auxiliary_term_is_the_mean_over_all_pixels(loss: str) -> None:
    """The reference adds the unreduced map to the hard pixels' mean, and takes the mean of the sum."""
    logits, labels = batch(3)
    weights = torch.tensor(CITYSCAPES_WEIGHTS) if loss == "weighted_ohem" else None
    made = segmentation_loss(
        [logits, logits], labels, loss, align_corners=False, kept=50, own_weights=CITYSCAPES_WEIGHTS
    )
    losses = functional.cross_entropy(logits, labels, weights, ignore_index=255, reduction="none")
    main = hard_example_cross_entropy(logits, labels, weights, kept=50)
    assert torch.allclose(made["loss"] + made["loss_aux"], (0.4 * losses + main).mean())


def test_hard_examples_keep_the_references_share_of_a_batch() -> None:
    """131072 pixels are one process's of three crops; who has all twelve in one process keeps four times as many."""
    assert [ohem_kept(crops, ENTRIES["cityscapes"].ohem_crops) for crops in (3, 12, 1)] == [
        131072,
        4 * 131072,
        131072 // 3,
    ]
    assert (ohem_kept(16, ENTRIES["pascal_context"].ohem_crops), ohem_kept(40, ENTRIES["lip"].ohem_crops)) == (
        4 * 131072,
        4 * 131072,
    )


@pytest.mark.parametrize("crops", [2, 6])
def test_the_tasks_loss_scales_the_kept_pixels_by_its_batch(crops: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(losses_module, "OHEM_KEPT", 300)
    logits = torch.cat([batch(seed)[0] for seed in range(3)])[:crops]
    labels = torch.cat([batch(seed)[1] for seed in range(3)])[:crops]
    task = get_task("segmentation")
    recipe = override(task.recipe("cityscapes", "hrnet_w48", "full"), {"loss": "ohem", "extra": {"ohem_threshold": 0}})

    def kept(count: int) -> Tensor:
        return hard_example_cross_entropy(logits, labels, None, 0.0, count)

    found = task.loss(Fixed(logits), {"images": logits, "labels": labels}, recipe)["loss"]
    assert torch.equal(found, kept(100 * crops)) and not torch.equal(found, kept(300))
    stated = override(recipe, {"extra": {"ohem_threshold": 0, "ohem_kept": 200}})
    found = task.loss(Fixed(logits), {"images": logits, "labels": labels}, stated)["loss"]
    assert torch.equal(found, kept(200))


class Fixed(torch.nn.Module):
    """A network that predicts the same whatever it sees."""

    dataset, align_corners = "cityscapes", False

    def __init__(self, logits: Tensor) -> None:
        super().__init__()
        self.logits = logits

    def outputs(self, images: Tensor) -> list[Tensor]:
        return [self.logits]


def test_logits_are_enlarged_to_the_labels_or_to_every_second_one() -> None:
    logits, labels = batch(4)
    coarse = functional.interpolate(logits.detach(), size=(6, 6), mode="bilinear")
    full = segmentation_loss([coarse], labels, "cross_entropy", align_corners=False)["loss"]
    by_hand = functional.interpolate(coarse, size=(24, 24), mode="bilinear")
    assert torch.allclose(full, functional.cross_entropy(by_hand, labels, ignore_index=255))
    half = segmentation_loss([coarse], labels, "cross_entropy", align_corners=False, label_stride=2)["loss"]
    by_hand = functional.interpolate(coarse, size=(12, 12), mode="bilinear")
    assert torch.allclose(half, functional.cross_entropy(by_hand, labels[:, 1::2, 1::2], ignore_index=255))


def test_balanced_weights_favour_rare_classes() -> None:
    labels = torch.zeros(1, 10, 10, dtype=torch.long)
    labels[0, 0, :2] = 3
    weights = class_weights("balanced_cross_entropy", 5, torch.zeros(1), labels)
    assert weights is not None and weights[3] > 5 * weights[0] and weights[1] == weights[2] >= weights[3]


def test_unknown_losses_and_foreign_weights_are_errors() -> None:
    logits, labels = batch()
    with pytest.raises(ValueError, match="Did you mean 'ohem'"):
        segmentation_loss([logits], labels, "ohen", align_corners=False)
    with pytest.raises(
        ValueError, match="Expected 20 class weights of the dataset for weighted_cross_entropy, which has 19"
    ):
        class_weights("weighted_cross_entropy", 20, logits, own=CITYSCAPES_WEIGHTS)


def test_quick_accuracy_is_one_for_perfect_logits() -> None:
    labels = torch.arange(4).repeat_interleave(16).reshape(1, 8, 8)
    logits = functional.one_hot(labels, 19).permute(0, 3, 1, 2).float()
    labels[0, 0] = 255
    assert float(pixel_accuracy(logits, labels)) == 1
