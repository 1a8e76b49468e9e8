"""The HRNet backbone package: the network, its representations, its checkpoints and its cost. Needs torch alone.

Names are resolved on first use, so that reading ``hrnet.VARIANTS`` does not import torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hrnet.variants import VARIANTS, HRNetSpec, StageSpec
from hrnet.version import VERSION as __version__

if TYPE_CHECKING:
    from hrnet.backbone import HRNet, build_backbone
    from hrnet.checkpoints import CheckpointError, LoadReport, identify_checkpoint, load_backbone, load_checkpoint
    from hrnet.profile import Profile, profile
    from hrnet.representations import REPRESENTATIONS, build_representation

_WHERE = {
    "HRNet": "backbone",
    "build_backbone": "backbone",
    "CheckpointError": "checkpoints",
    "LoadReport": "checkpoints",
    "identify_checkpoint": "checkpoints",
    "load_backbone": "checkpoints",
    "load_checkpoint": "checkpoints",
    "Profile": "profile",
    "profile": "profile",
    "REPRESENTATIONS": "representations",
    "build_representation": "representations",
}

__all__ = [
    "REPRESENTATIONS",
    "VARIANTS",
    "CheckpointError",
    "HRNet",
    "HRNetSpec",
    "LoadReport",
    "Profile",
    "StageSpec",
    "__version__",
    "build_backbone",
    "build_representation",
    "identify_checkpoint",
    "load_backbone",
    "load_checkpoint",
    "profile",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'hrnet' has no attribute {name!r}")
    value = getattr(import_module(f"hrnet.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
