"""ImageNet's thousand classes, for checking pretrained bodies. Torch-free."""

from __future__ import annotations

from dataclasses import replace

from tasks.base import DatasetInfo
from tasks.classification.entry import Entry
from tasks.classification.folders import ClassFolders
from tasks.classification.recipes import CropAugment
from tasks.recipe import Recipe


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


ENTRY = Entry(
    DatasetInfo("imagenet", "ImageNet-1k", "imagenet", 1000, "train", "val", ("train", "val"), "top1", (224, 224)),
    ClassFolders("ImageNet", 1000, {"train": "train", "val": "val"}),
    imagenet,
)
