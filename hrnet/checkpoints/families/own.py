"""Our own files: {"format": "hrnet-benchmark", "build": {...}, "state_dict": ...} with the model's own names.

``build`` holds task, model, dataset, representation, changes and conventions, the protocol and tier of the training, and the
declaration of a dataset of one's own.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from torch import nn

from hrnet.backbone import CONVENTIONS, HRNet
from hrnet.checkpoints.family import Family, has
from hrnet.checkpoints.report import CheckpointError

FORMAT = "hrnet-benchmark"

FETCHING = ("pretrained", "pretrained_cfg", "pretrained_cfg_overlay", "checkpoint_path", "cache_dir")
"""Options of timm's builder that fetch or read other files: never taken from a file."""

OWN = Family("hrnet_benchmark", "this benchmark", lambda s: has(s, "body."), ((r"^(.+)$", r"\1"),))


def conventions_of(model: nn.Module) -> dict[str, Any]:
    """The conventions under which a network was trained, for ``build["conventions"]`` of our own format.

    ``upsample``, ``align_corners`` and ``bn_momentum`` of an HRNet body; ``detector``, all detection conventions and the
    number of classes, where the model has them.
    """
    found: dict[str, Any] = {}
    body = getattr(model, "body", model)
    if isinstance(body, HRNet):
        found |= {name: getattr(body.spec, name) for name in CONVENTIONS}
    detector = getattr(model, "conventions", None)
    if dataclasses.is_dataclass(detector) and not isinstance(detector, type):
        found["detector"] = dataclasses.asdict(detector) | {"num_classes": getattr(model, "num_outputs", None)}
    return found


def own_changes(build: dict[str, Any]) -> dict[str, Any]:
    """The options that a network of ours was built with.

    Raises:
        CheckpointError: one of them would fetch or read other files.
    """
    changes = build.get("changes")
    if not isinstance(changes, dict):
        return {}
    refused = [name for name in FETCHING if changes.get(name)]
    if refused:
        raise CheckpointError(
            f"The file says that its network is built with {refused[0]}={str(changes[refused[0]])[:60]!r}, which would fetch or "
            "read other files, so it is refused. Expected options of the network alone: write the file again without it."
        )
    return {name: value for name, value in changes.items() if name not in FETCHING}


def own_conventions(build: dict[str, Any]) -> dict[str, Any]:
    """What a file of ours says about its conventions; older ones say only what their builder changed."""
    changes = build.get("changes")
    stated = {k: v for k, v in changes.items() if k in CONVENTIONS} if isinstance(changes, dict) else {}
    recorded = build.get("conventions")
    return stated | (recorded if isinstance(recorded, dict) else {})
