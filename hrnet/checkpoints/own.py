"""Our own files: {"format": "hrnet-benchmark", "build": {...}, "state_dict": ...} with the model's own names.

``build`` holds task, model, dataset, representation, changes and conventions, and the protocol and tier of the training.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from torch import nn

from hrnet.backbone import CONVENTIONS, HRNet
from hrnet.checkpoints.family import Family, has

FORMAT = "hrnet-benchmark"

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


def own_conventions(build: dict[str, Any]) -> dict[str, Any]:
    """What a file of ours says about its conventions; older ones say only what their builder changed."""
    changes = build.get("changes")
    stated = {k: v for k, v in changes.items() if k in CONVENTIONS} if isinstance(changes, dict) else {}
    recorded = build.get("conventions")
    return stated | (recorded if isinstance(recorded, dict) else {})
