"""Bodies by name: HRNet widths and the serial rivals. A new body is one file here that defines ``NAMES`` and ``build``.

A body is a module with forward(images (B, 3, H, W)) -> list of maps, and the attributes ``out_channels`` and ``strides``,
one entry per map. ``NAMES`` is read without importing the file, so that planning needs no torch.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from importlib import import_module
from inspect import Parameter, signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrnet.variants import VARIANTS
from tasks.options import nearest

if TYPE_CHECKING:
    from torch import nn


@lru_cache
def _files() -> dict[str, str]:
    """Body name -> module of this folder."""
    found: dict[str, str] = {}
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.stem == "__init__":
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "NAMES" for t in node.targets):
                found.update(dict.fromkeys(ast.literal_eval(node.value), path.stem))
    return found


def body_names() -> list[str]:
    """Every body that can be built by name, ``timm:<name>`` aside."""
    return [*VARIANTS, *_files()]


def check_body_name(name: str) -> None:
    """Raises ValueError naming the nearest body if ``name`` is unknown; names of timm are checked when built."""
    if not name.startswith("timm:") and name not in body_names():
        raise ValueError(f"Unknown model {name!r}. {nearest(name, body_names())} Also timm:<name>.")


def file_of_body(name: str) -> Path | None:
    """The file that builds a serial body; None for HRNet's own."""
    if name.startswith("timm:"):
        return Path(__file__).parent / "timm_body.py"
    return Path(__file__).parent / f"{_files()[name]}.py" if name in _files() else None


def build_body(name: str, **options: Any) -> nn.Module:
    """Builds a body.

    Args:
        options: spec fields for an HRNet; what the file's ``build(name, **options)`` takes for the others.

    Raises:
        ValueError: unknown name or option; the nearest is given.
    """
    check_body_name(name)
    if name in VARIANTS:
        from hrnet.backbone import build_backbone

        return build_backbone(name, **options)
    file = "timm_body" if name.startswith("timm:") else _files()[name]
    build = import_module(f"benchmarks.baselines.{file}").build
    taken = signature(build).parameters
    known = [option for option in taken if option != "name"]
    unknown = [option for option in options if option not in known]
    if unknown and not any(parameter.kind is Parameter.VAR_KEYWORD for parameter in taken.values()):
        hint = nearest(unknown[0], known) if known else "It has none."
        raise ValueError(f"Unknown option {unknown[0]!r} of model {name!r}. {hint}")
    result: nn.Module = build(name, **options)
    return result
