"""How pose networks are trained: the papers' recipes, and those of the embedded data."""

from __future__ import annotations

from dataclasses import dataclass, replace

from benchmarks.baselines import traits_of
from tasks.pose.crops.augment import PoseAugment
from tasks.pose.protocol import body_of, coding_of
from tasks.recipe import Recipe

# Initialisations that the reference releases name; others start from nothing unless --set recipe.init_from=FILE says so.
IMAGENET_FILES = {
    "hrnet_w32": "hrnet_w32-36af842e.pth",
    "hrnet_w48": "hrnet_w48-8ef0771d.pth",
    "simple_baseline_r50": "resnet50-19c8e357.pth",
    "simple_baseline_r101": "resnet101-5d3b4d8f.pth",
    "simple_baseline_r152": "resnet152-b121ed2d.pth",
    # What mmpose's configurations name by "mmcls://", under the names of the present files.
    "simple_baseline_r50d": "resnetv1d50_b32x8_imagenet_20210531-db14775a.pth",
    "simple_baseline_r101d": "resnetv1d101_b32x8_imagenet_20210531-6e13bcd3.pth",
    "simple_baseline_r152d": "resnetv1d152_b32x8_imagenet_20210531-278cf22a.pth",
    "simple_baseline_resnext50": "resnext50_32x4d_b32x8_imagenet_20210429-56066e27.pth",
    "simple_baseline_resnext101": "resnext101_32x4d_b32x8_imagenet_20210506-e0fa3dd5.pth",
    "simple_baseline_resnext152": "resnext152_32x4d_b32x8_imagenet_20210524-927787be.pth",
    "simple_baseline_seresnet50": "se-resnet50_batch256_imagenet_20200804-ae206104.pth",
    "simple_baseline_seresnet101": "se-resnet101_batch256_imagenet_20200804-ba5b51d4.pth",
    "simple_baseline_mobilenetv2": "mobilenet_v2_batch256_imagenet_20200708-3b2dc3af.pth",
    "simple_baseline_shufflenetv1": "shufflenet_v1_batch1024_imagenet_20200804-5d6cec73.pth",
    "simple_baseline_shufflenetv2": "shufflenet_v2_batch1024_imagenet_20200812-5bf4721e.pth",
    **{
        f"vitpose_{size[0]}{head}": f"mae_pretrain_vit_{size}_20230913.pth"
        for size in ("small", "base", "large", "huge")
        for head in ("", "_simple")
    },
}


@dataclass(frozen=True)
class SetUp:
    """What trainings on a dataset have of their own.

    Attributes:
        hrnet, simple_baseline: the repositories' augmentation. half_body_prob, shift_factor: mmpose's.
        epochs: of the embedded tier.
    """

    hrnet: PoseAugment
    simple_baseline: PoseAugment
    half_body_prob: float
    shift_factor: float
    epochs: int


def pose_recipe(dataset: str, set_up: SetUp, model: str, tier: str) -> Recipe:
    """The recipe of a tier; see the functions below for what each costs and should reach."""
    if tier != "full":
        made = embedded(dataset, set_up.epochs)
        return replace(made, name="pose-smoke", epochs=1, batch_size=8) if tier == "smoke" else made
    origin, coding = traits_of(body_of(model)).origin, coding_of(model)
    if origin == "vitpose":
        return vitpose(dataset, set_up, model)
    if coding.startswith("simcc"):
        return simcc(dataset, set_up, model)
    if origin == "mmpose" or (coding and origin != "udp_pose"):
        return mmpose(dataset, set_up, model)
    if origin == "pytorch_pose":
        return hourglass()
    if origin == "simple_baseline":
        return simple_baseline(dataset, set_up, model)
    return hrnet(dataset, set_up, model)


def hrnet(dataset: str, set_up: SetUp, model: str) -> Recipe:
    """HRNet's own training (leoxiaobin/deep-high-resolution-net.pytorch, experiments/*/hrnet).

    Expected: COCO val2017 with detector boxes and flip, AP 74.4 (W32, 256x192) and 76.3 (W48, 384x288); MPII val PCKh@0.5 90.3
    (W32; others often reproduce 90.1). Cost: about two days on four GPUs of 2018. Weight decay stands in its files, but is
    never passed to Adam. The batch is 4 GPUs' of 32 persons; of W48 at 384x288 it is 96 (--set recipe.variant=w48_384x288
    with --protocol input_wh=288,384). Targets widen with the input (sigma 3 from 384 px).

        python run_all.py train --task pose --dataset coco --model hrnet_w32 --data-root D --weights W
    """
    return Recipe(
        name=f"hrnet-{dataset}",
        epochs=210,
        batch_size=128,
        lr=1e-3,
        optimizer="adam",
        schedule="step",
        milestones=(170, 200),
        init_from=IMAGENET_FILES.get(body_of(model)),
        drop_last=False,
        augment=set_up.hrnet,
        num_workers=8,
        source="leoxiaobin/deep-high-resolution-net.pytorch 6f69e46, experiments",
    )


def simcc(dataset: str, set_up: SetUp, model: str) -> Recipe:
    """SimCC's training on HRNet (leeyegy/SimCC, experiments/coco/hrnet): HRNet's recipe, Gaussians of 4 classes (MPII: 6).

    Expected: COCO val2017 with detector boxes and flip, AP 75.9 (W48, 256x192, two classes a pixel), 72.0 at 128x128 and 59.7 at
    64x64 (three classes: --set model.split=3 model.input_wh=64,64). Cost: HRNet's.

        python run_all.py train --task pose --dataset coco --model hrnet_w48_simcc --data-root D --weights W
    """
    plain = hrnet(dataset, set_up, model)
    augment = replace(plain.augment, sigma=6.0 if dataset == "mpii" else 4.0)
    return replace(plain, name=f"simcc-{dataset}", augment=augment, source="leeyegy/SimCC, experiments/coco/hrnet")


def simple_baseline(dataset: str, set_up: SetUp, model: str) -> Recipe:
    """SimpleBaseline's training (microsoft/human-pose-estimation.pytorch).

    Expected: COCO val2017 with detector boxes and flip, AP 70.4 (R50), 71.4 (R101), 72.0 (R152) at 256x192; MPII val PCKh@0.5
    88.5, 89.1, 89.6. Cost: some days on one GPU of 2018. Its files train on one GPU with 32 persons, R152 on MPII at 384x384
    with 24 (--set recipe.variant=r152_384x384 with --protocol input_wh=384,384); HRNet's repository, which trains these networks
    again, takes 128 (--set recipe.batch_size=128).

        python run_all.py train --task pose --dataset coco --model simple_baseline_r50 --data-root D --weights W
    """
    return replace(
        hrnet(dataset, set_up, model),
        name=f"simple-baseline-{dataset}",
        epochs=140,
        batch_size=32,
        milestones=(90, 120),
        augment=set_up.simple_baseline,
        source="microsoft/human-pose-estimation.pytorch 49f3f44, experiments",
    )


def with_batch(recipe: Recipe, batch_size: int, name: str, variant: str) -> Recipe:
    """A published variant of the recipe ``name`` at another batch size; raises ValueError for other recipes."""
    if recipe.name != name:
        raise ValueError(
            f"Expected the recipe {name} for recipe.variant={variant}, got {recipe.name}; set its batch_size."
        )
    return replace(recipe, name=f"{name}-{variant}", batch_size=batch_size)


def mmpose(dataset: str, set_up: SetUp, model: str) -> Recipe:
    """mmpose 1.x's training of its zoo: plain and UDP HRNet, Lite-HRNet, SimpleBaseline on other encoders.

    Expected: COCO val2017 with detector boxes and flip, at 256x192: AP 76.2 (HRNet-W32 with UDP), 64.2 and 67.6 (Lite-HRNet-18
    and -30, which start from nothing, as SE-ResNet-152 does). Cost: two days on eight GPUs of 2018, 64 persons each. The others
    start from ImageNet weights of the encoder (:data:`IMAGENET_FILES`).

        python run_all.py train --task pose --dataset coco --model hrnet_w32_udp --data-root D --weights W
    """
    lite = traits_of(body_of(model)).structure == "parallel" and traits_of(body_of(model)).origin == "mmpose"
    augment = PoseAugment(
        spread="truncated",
        scale_factor=0.25 if lite else 0.5,
        rotation_factor=60 if lite else 80,
        half_body_prob=set_up.half_body_prob,
        shift_factor=set_up.shift_factor,
    )
    return replace(
        hrnet(dataset, set_up, model),
        name=f"mmpose-{dataset}",
        batch_size=512,
        lr=5e-4,
        warmup_iterations=500,
        warmup_factor=1e-3,
        augment=augment,
        source="mmpose 1.x 759b39c, configs/body_2d_keypoint/topdown_heatmap",
    )


LAYER_DECAY = {"s": 0.8, "b": 0.75, "l": 0.8, "h": 0.85}


def vitpose(dataset: str, set_up: SetUp, model: str) -> Recipe:
    """ViTPose's training as mmpose 1.x configures it: AdamW, rates that fall from layer to layer, gradients of norm 1 at most.

    Expected: COCO val2017 with detector boxes and flip, at 256x192: AP 73.9 (S), 75.7 (B); with the simple head 73.6, 75.6.
    Cost: about a day on eight A100. It starts from mmpose's weights of masked auto-encoding. Drop path is an option of the body,
    at its published value.

        python run_all.py train --task pose --dataset coco --model vitpose_s --data-root D --weights W
    """
    size = body_of(model).removeprefix("vitpose_").removesuffix("_simple")
    if size not in LAYER_DECAY:
        raise ValueError(
            f"Expected a published size of ViTPose ({', '.join(LAYER_DECAY)}) at the full tier, got {model!r}."
        )
    return replace(
        mmpose(dataset, set_up, model),
        name=f"vitpose-{dataset}",
        optimizer="adamw",
        weight_decay=0.1,
        clip_grad_norm=1.0,
        extra={"layer_decay": LAYER_DECAY[size]},
    )


def hourglass() -> Recipe:
    """pytorch-pose's training of stacked hourglasses (bearpaw/pytorch-pose), losses summed over stacks.

    Expected: MPII val, unweighted PCKh@0.5, 86.95 (two stacks), 88.78 (eight). Cost: days on one GPU of 2017. Its
    mirror maps x to W - x and its crop rounds to whole pixels; training here uses HRNet's mirror and affine crop. Its own
    annotation file gives occluded joints no weight, HRNet's json, which is read here, does (T22).

        python run_all.py train --task pose --dataset mpii --model hourglass_s2 --data-root D
    """
    augment = PoseAugment(
        scale_factor=0.25, rotation_factor=30, colour=0.2, sigma=1.0, target_rule="hourglass", half_body_prob=0.0
    )
    return Recipe(
        name="hourglass",
        epochs=100,
        batch_size=6,
        drop_last=False,
        lr=2.5e-4,
        optimizer="rmsprop",
        schedule="step",
        milestones=(60, 90),
        augment=augment,
        num_workers=4,
        source="bearpaw/pytorch-pose edc7aec",
    )


def embedded(dataset: str, epochs: int) -> Recipe:
    """Micro networks on the embedded people, from nothing.

    Aim: HRNet AP >= 60 (COCO, ground-truth boxes), PCKh@0.5 >= 80 (MPII). Measured for HRNet, one seed: COCO AP 61.0 after 12
    epochs (60.3 to 62.6 after 13, three seeds), PCKh 82.7 after five. In batches of 8 a person costs a third more time.

        python run_all.py train --task pose --dataset coco --model hrnet_micro_w8 --tier embedded
    """
    augment = PoseAugment(scale_factor=0.1, rotation_factor=0, rotation_prob=0.0, sigma=1.0, target_rule="unbiased")
    return Recipe(
        name=f"embedded-{dataset}",
        epochs=epochs,
        batch_size=16,
        lr=1.8e-2,
        optimizer="adam",
        schedule="cosine",
        lr_min=1e-4,
        warmup_iterations=60,
        loss="mse_softmax",
        augment=augment,
        source="this project",
    )
