"""The families in the order in which they are asked; the first whose keys match takes the file."""

from __future__ import annotations

from hrnet.checkpoints.families import detection, openmmlab, own, pose_rivals, reference, serial
from hrnet.checkpoints.family import Canonical, Family, State, to_canonical
from hrnet.checkpoints.reading import RawCheckpoint
from hrnet.checkpoints.report import CheckpointError, shortened

FAMILIES: tuple[Family, ...] = (
    own.OWN,
    detection.TORCHVISION_DETECTION,
    detection.HRNET_FCOS,
    detection.MASKRCNN_BENCHMARK,
    detection.MMDET,
    detection.MMDET_FCOS,
    detection.DETECTION,
    serial.MMSEG_PSPNET,
    serial.MMSEG_DEEPLAB,
    serial.MMSEG_DEEPLAB_PLUS,
    openmmlab.MMSEG_OCR,
    openmmlab.MMSEG,
    pose_rivals.VITPOSE,
    openmmlab.MMPOSE_0X,
    openmmlab.MMPOSE_1X,
    openmmlab.MMPRETRAIN,
    openmmlab.MM_BACKBONE,
    openmmlab.MM_VIT,
    serial.TORCHVISION_SEGMENTATION,
    reference.SEGMENTATION_OCR,
    reference.SEGMENTATION,
    reference.SEGMENTATION_MASTER,
    reference.CLASSIFICATION,
    reference.TIMM_FEATURES,
    reference.HOURGLASS,
    reference.SIMPLE_BASELINE,
    reference.FACE,
    reference.POSE_IMAGENET,
    pose_rivals.UDP_POSE,
    reference.POSE,
    reference.BODY,
    serial.RESNET,
)


def recognise(state: State) -> Family | None:
    """The family of these keys, or None."""
    return next((family for family in FAMILIES if family.matches(state)), None)


def interpret(raw: RawCheckpoint) -> Canonical:
    """The file in our names.

    Raises:
        CheckpointError: no family has such keys.
    """
    family = recognise(raw.state)
    if family is None:
        heads = sorted({key.split(".")[0] for key in raw.state})
        raise CheckpointError(
            f"{raw.path} is of no family known here: {len(raw.state)} tensors under {shortened(heads, 8)} "
            f"(first: {next(iter(raw.state))}). Known: {', '.join(f.name for f in FAMILIES)}."
        )
    family = pose_rivals.by_configuration(family, raw.extra)
    made = to_canonical(family, raw.state)
    made.extra, made.notes = raw.extra, [*raw.notes, *made.notes]
    made.dropped = raw.dropped | made.dropped
    if raw.prefix:
        made.notes.insert(0, f"prefix {raw.prefix!r} removed")
    if family is own.OWN:
        build = raw.extra.get("build")
        made.conventions = own.own_conventions(build if isinstance(build, dict) else {})
    return made
