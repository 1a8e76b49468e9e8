"""Heat-map losses against their formulas."""

from __future__ import annotations

import pytest
import torch

from tasks.heatmaps.losses import (
    LOSSES,
    combined_error,
    hard_squared_error,
    heatmap_loss,
    peak_accuracy,
    peak_error_cells,
    softmax_term,
    squared_error,
)


def maps(seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    weight = (torch.rand(3, 17, generator=generator) > 0.3).float()
    return torch.rand(3, 17, 8, 6, generator=generator), torch.rand(3, 17, 8, 6, generator=generator), weight


def test_squared_error_with_weights_is_the_reference_formula() -> None:
    predicted, target, weight = maps(0)
    total = 0.0
    for joint in range(17):
        difference = (predicted[:, joint] - target[:, joint]) * weight[:, joint, None, None]
        total += 0.5 * float(difference.square().mean())
    assert float(0.5 * squared_error(predicted, target, weight)) == pytest.approx(total / 17, rel=1e-5)
    assert float(heatmap_loss([predicted], target, weight, factor=0.5)) == pytest.approx(total / 17, rel=1e-5)


def test_squared_error_without_weights_is_the_mean_over_everything() -> None:
    predicted, target, _ = maps(3)
    expected = ((predicted - target) ** 2).sum() / predicted.numel()
    torch.testing.assert_close(heatmap_loss([predicted], target), expected)
    torch.testing.assert_close(heatmap_loss([predicted, target], target), expected)
    assert heatmap_loss([predicted], target, kind="mse_softmax") > expected


def test_hard_joints_are_the_eight_worst() -> None:
    predicted, target, weight = maps(1)
    each = ((predicted - target) * weight[..., None, None]).square().mean((2, 3))
    expected = each.sort(1, descending=True).values[:, :8].sum(1).div(8).mean()
    torch.testing.assert_close(hard_squared_error(predicted, target, weight), expected)


@pytest.mark.parametrize("kind", [kind for kind in LOSSES if kind != "udp_combined"])
def test_losses_are_least_at_the_target_and_sum_over_stacks(kind: str) -> None:
    _, target, weight = maps(2)
    sharp = (target > 0.95).float()
    one = heatmap_loss([sharp], sharp, weight, kind)
    assert one < heatmap_loss([1 - sharp], sharp, weight, kind)
    torch.testing.assert_close(heatmap_loss([sharp, sharp], sharp, weight, kind), 2 * one)


def test_combined_loss_counts_offsets_within_the_disc_alone() -> None:
    generator = torch.Generator().manual_seed(6)
    target = torch.rand(2, 6, 4, 5, generator=generator)
    target[:, ::3] = (target[:, ::3] > 0.5).float()
    weight = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    assert combined_error(target, target, weight) == 0
    outside = target.clone()
    outside[:, 1::3] += (target[:, ::3] == 0) * 3.0
    outside[0, 3:] += 7.0  # the joint without weight
    assert combined_error(outside, target, weight) == 0
    inside = target.clone()
    inside[1, 2] += target[1, 0] * 2.0
    expected = 0.5 * 4 * target[1, 0].sum() / (2 * 2 * 4 * 5)
    torch.testing.assert_close(combined_error(inside, target, weight), expected)


def test_joints_without_weight_or_map_do_not_count_in_the_softmax_term() -> None:
    predicted, target, weight = maps(4)
    weight[:, 0] = 0
    changed = predicted.clone()
    changed[:, 0] += torch.rand(3, 8, 6)
    torch.testing.assert_close(softmax_term(changed, target, weight), softmax_term(predicted, target, weight))
    assert not torch.isclose(softmax_term(changed, target), softmax_term(predicted, target))
    assert softmax_term(predicted, torch.zeros_like(target)) == 0


def test_sharper_loss_falls_towards_the_target() -> None:
    target = torch.zeros(1, 1, 8, 8)
    target[0, 0, 3, 5] = 1
    wrong = target.flip(-1)
    losses = [heatmap_loss([map_], target, kind="mse_softmax") for map_ in (wrong, torch.zeros_like(target), target)]
    assert losses[0] > losses[1] > losses[2]
    assert peak_error_cells(wrong, target) == 3 and peak_error_cells(target, target) == 0
    assert peak_accuracy(wrong, target) == 0 and peak_accuracy(target, target) == 1


def test_loss_refuses_other_shapes_and_names() -> None:
    with pytest.raises(ValueError, match="share one set of points"):
        heatmap_loss([torch.zeros(1, 68, 4, 4)], torch.zeros(1, 98, 4, 4))
    with pytest.raises(ValueError, match=r"augment\.stride"):
        heatmap_loss([torch.zeros(1, 17, 4, 3)], torch.zeros(1, 17, 4, 4))
    with pytest.raises(ValueError, match=r"recipe\.loss 'mes'. Did you mean 'mse'"):
        heatmap_loss([torch.zeros(1, 1, 4, 4)], torch.zeros(1, 1, 4, 4), kind="mes")
