"""timm's own weights onto a ``timm:<name>`` body, whose feature extractor flattens some names (``stages.0`` -> ``stages_0``)."""

from __future__ import annotations

from torch import nn

from hrnet.checkpoints.family import Canonical, Family
from hrnet.checkpoints.reading import RawCheckpoint

TIMM = Family("timm", "timm", lambda s: True, (), body_only=True)


def interpret_for_timm(body: nn.Module, raw: RawCheckpoint) -> Canonical:
    """The file in the names of this body. Strict on what the body has; the rest follows its last map and is dropped."""
    places = {_flat(name.removeprefix("net.")): name for name in body.state_dict()}
    made = Canonical(TIMM, {}, {}, dropped=dict(raw.dropped), notes=list(raw.notes), extra=raw.extra)
    for key, tensor in raw.state.items():
        name = places.get(_flat(key))
        if name is None:
            made.dropped[key] = "after the last map, which a feature extractor leaves out"
        else:
            made.state[f"body.{name}"], made.origin[f"body.{name}"] = tensor, key
    return made


def _flat(name: str) -> str:
    return name.replace(".", "_")
