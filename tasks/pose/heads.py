"""Pose networks: heat maps, with the conventions of HRNet's pose code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.baselines import traits_of
from tasks.heatmaps import heads
from tasks.heatmaps.flip import COMBINED
from tasks.heatmaps.simcc_network import SimccHead, SimccModel
from tasks.model import PredictionHead
from tasks.pose.protocol import body_of, coding_of


def build(
    model: str,
    dataset: str,
    representation: str,
    num_joints: int,
    level: int = 0,
    offsets: bool | None = None,
    input_wh: Sequence[int] | str = (192, 256),
    split: float | str = 2.0,
    **options: Any,
) -> heads.HeatmapModel:
    """The pose network of a body; see `tasks.heatmaps.heads.build`.

    HRNet computes the last exchange for the highest resolution only where nothing else reads it, and starts from N(0, 0.001).

    Args:
        model: a body's name, or one that ends in "_udp", "_udp_regress", "_simcc" or "_simcc_gaussian".
        offsets: whether three maps a joint are predicted, UDP's disc and offsets; None: as the model's name or body says.
        input_wh, split: of SimCC, which reads inputs of one size in px (also "192,256"), and its classes a pixel.
    """
    body, coding = body_of(model), coding_of(model)
    conventions = {
        # The micro sizes start from nothing: N(0, 0.001) suits weights that ImageNet overwrites.
        "init": "kaiming" if traits_of(body).micro else "normal_0.001",
        "fuse_last": "one" if representation == "V1" and level == 0 else "all",
    }
    combined = coding == "udp_combined" if offsets is None else offsets
    made = heads.build(
        "pose",
        body,
        dataset,
        representation,
        num_joints,
        conventions=conventions,
        level=level,
        maps_per_point=COMBINED if combined else 1,
        name=model,
        **options,
    )
    if coding.startswith("simcc"):
        return simcc(made, coding == "simcc_gaussian", size_of(input_wh), float(split))
    return made


def size_of(input_wh: Sequence[int] | str) -> tuple[int, int]:
    """Width and height in px; raises ValueError for anything else than two numbers divisible by 4."""
    parts = input_wh.strip("()[] ").split(",") if isinstance(input_wh, str) else list(input_wh)
    try:
        width, height = (int(part) for part in parts)
    except ValueError:
        width = height = 1
    if width < 32 or height < 32 or width % 4 or height % 4:
        raise ValueError(f"Expected model.input_wh as width,height in px, both divisible by 4, got {input_wh!r}.")
    return width, height


def simcc(plain: heads.HeatmapModel, gaussian: bool, input_wh: tuple[int, int], split: float) -> SimccModel:
    """The network of heat maps with SimCC's head instead.

    Raises:
        ValueError: it predicts in every stack, or on maps of another stride than 4.
    """
    strides = getattr(plain.representation, "strides", (None,))
    if not isinstance(plain.head, PredictionHead) or strides[0] != 4:
        raise ValueError(f"Expected a body that predicts once, at stride 4, for SimCC, got {plain.name}.")
    classes = [int(side * split) for side in input_wh]
    predict = plain.head.predict
    head = SimccHead(predict.in_channels, predict.out_channels, [side // 4 for side in input_wh], classes)
    names = {"task": plain.task, "dataset": plain.dataset, "name": plain.name}
    names["representation_name"] = plain.representation_name
    made = SimccModel(plain.body, plain.representation, head, num_outputs=plain.num_outputs, **names)
    made.gaussian, made.columns = gaussian, classes[0]
    return made
