"""How classification networks are trained. Torch-free."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tasks.recipe import Recipe, check_odds


@dataclass(frozen=True)
class CropAugment:
    """A random part of the picture, resized to the input: share of its area, ratio of its sides; and a mirror."""

    area: tuple[float, float] = (0.08, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    flip_prob: float = 0.5

    def __post_init__(self) -> None:
        check_odds(self, "flip_prob")


def imagenet(tier: str = "full") -> Recipe:
    """HRNet's ImageNet training (HRNet/HRNet-Image-Classification).

    Expected: top-1 error 23.2 (W18), 21.5 (W32) in the repository. Cost: days on four GPUs. Other tiers run one short epoch of
    whatever pictures there are; nothing embedded exists for this task.

        python run_all.py train --task classification --dataset imagenet --model hrnet_w18 --data-root D
    """
    recipe = Recipe(
        name="imagenet",
        epochs=100,
        batch_size=128,
        lr=0.05,
        optimizer="sgd",
        momentum=0.9,
        nesterov=True,
        weight_decay=1e-4,
        schedule="step",
        milestones=(30, 60, 90),
        drop_last=False,
        augment=CropAugment(),
        num_workers=8,
        source="HRNet/HRNet-Image-Classification f760c98",
    )
    return (
        recipe if tier == "full" else replace(recipe, name=f"imagenet-{tier}", epochs=1, batch_size=16, num_workers=0)
    )
