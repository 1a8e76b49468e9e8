"""Networks of this task: body, representation and one of the heads below, with the SEG repository's conventions."""

from __future__ import annotations

from typing import Any

from torch import nn

from benchmarks.baselines import traits_of
from hrnet.backbone import HRNet, initialise
from hrnet.variants import MICRO, VARIANTS
from tasks.model import PredictionHead, build_parts
from tasks.segmentation.networks.model import SegmentationModel
from tasks.segmentation.networks.ocr import OCRHead


def reference_conventions(model: str, head: str) -> dict[str, Any]:
    """The spec fields in which SEG differs from the other repositories (docs/protocols.md, section 1.2).

    Its weights start from N(0, 0.001), the head's too, while biases keep PyTorch's own start. The micro sizes have no
    reference: they train for minutes, so their batch statistics must move ten times faster, and they keep the Kaiming
    initialisation.
    """
    micro = model in MICRO
    return {
        "upsample": "bilinear",
        "align_corners": head == "ocr",
        "bn_momentum": 0.1 if head == "ocr" or micro else 0.01,
        "init": "kaiming" if micro else "normal_0.001",
    }


def build_network(
    model: str, representation: str, num_classes: int, dataset: str, head: str, level: int, changes: dict[str, Any]
) -> SegmentationModel:
    """Assembles a network; ``changes`` are the fields of the body that the caller stated.

    Args:
        model: a body's name (without "_ocr"). head: "conv" or "ocr".
        level: which map V1 reads, 0 being the highest resolution.
    """
    traits, is_hrnet = traits_of(model), model in VARIANTS
    conventions = {**reference_conventions(model, head), **changes} if is_hrnet else dict(changes)
    momentum = conventions.get("bn_momentum", 0.1)
    align_corners = conventions.get("align_corners", False) if is_hrnet else False
    body, mixed = build_parts(
        model,
        representation,
        body_options=conventions,
        bn_momentum=momentum,
        align_corners=align_corners,
        representation_options={"level": level} if representation == "V1" else {},
    )
    init = conventions.get("init", "default")
    if isinstance(body, HRNet):
        # What this task's reference implies may be overruled by a checkpoint's family; what the caller said may not.
        body.stated = frozenset(changes)
        initialise(mixed, init, "zero" if traits.micro else "uniform")
    names: dict[str, Any] = {
        "task": "segmentation",
        "dataset": dataset,
        "name": model,
        "representation_name": representation,
        "num_outputs": num_classes,
    }
    if traits.structure == "dilated":
        from tasks.segmentation.networks.dilated import DilatedModel, dilated_head

        channels: tuple[int, ...] = body.out_channels  # type: ignore[assignment]
        return DilatedModel(body, mixed, dilated_head(model, num_classes, channels, traits.micro), **names)
    width = int(mixed.out_channels[0])  # type: ignore[index, arg-type]
    made: nn.Module
    if head == "ocr":
        made = OCRHead(width, num_classes, momentum=momentum)
    else:
        made = PredictionHead(width, num_classes, None if traits.micro else 0.001, "uniform")
    return SegmentationModel(body, mixed, made, **names)
