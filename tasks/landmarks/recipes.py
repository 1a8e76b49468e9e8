"""How landmark networks are trained: the reference's recipe, and that of the embedded faces."""

from __future__ import annotations

from dataclasses import replace

from tasks.landmarks.crops.augment import FaceAugment
from tasks.recipe import Recipe

# What the reference initialises from; others start from nothing unless --set recipe.init_from=FILE says so.
IMAGENET_FILES = {"hrnet_w18": "hrnetv2_w18_imagenet_pretrained.pth"}


def landmark_recipe(dataset: str, model: str, tier: str, lr: float, epochs: int) -> Recipe:
    """The recipe of a tier; see the functions below for what each costs and should reach.

    Args:
        lr: of the reference's training. epochs: of the embedded tier.
    """
    if tier == "full":
        return reference(dataset, model, lr)
    made = embedded(dataset, epochs)
    return replace(made, name="landmarks-smoke", epochs=1, batch_size=6) if tier == "smoke" else made


def reference(dataset: str, model: str, lr: float) -> Recipe:
    """HRNet's own face training (HRNet-Facial-Landmark-Detection f776dbe, experiments/*/face_alignment_*_hrnet_w18.yaml).

    Expected, HRNetV2-W18, NME in percent: 300W common 2.87 / challenge 5.15 / full 3.32, test 3.85; AFLW full 1.57 /
    frontal 1.46 (by box size); COFW 3.45; WFLW 4.60 (arXiv 1908.07919, Tables 20 to 24). Cost: hours on one GPU of 2019.

        python run_all.py train --task landmarks --dataset 300w --model hrnet_w18 --data-root D --weights W
    """
    return Recipe(
        name=f"face-{dataset}",
        epochs=60,
        batch_size=16,
        lr=lr,
        optimizer="adam",
        schedule="step",
        milestones=(30, 50),
        init_from=IMAGENET_FILES.get(model),
        drop_last=False,
        augment=FaceAugment(),
        num_workers=8,
        source="HRNet-Facial-Landmark-Detection f776dbe, experiments",
    )


def embedded(dataset: str, epochs: int) -> Recipe:
    """Micro networks on the embedded faces, from nothing, at 64 px with unrounded targets.

    Expected: micro HRNetV2 NME[inter_ocular] <= 6 % on 300W (full; measured 5.5 after ten epochs, three seeds), <= 6.5 % on
    COFW (measured 6.1 after eight, three seeds).
    Cost: 5 to 30 s a cell on one core that does nothing else.

        python run_all.py train --task landmarks --dataset 300w --model hrnet_micro_w8
    """
    augment = FaceAugment(scale_factor=0.12, rotation_factor=15.0, rotation_prob=0.5, sigma=1.0, target_rule="exact")
    return Recipe(
        name=f"embedded-{dataset}",
        epochs=epochs,
        batch_size=16,
        lr=8e-3,
        optimizer="adam",
        schedule="cosine",
        lr_min=8e-5,
        warmup_iterations=30,
        loss="mse_softmax",
        augment=augment,
        source="this project",
    )
