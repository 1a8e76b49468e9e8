"""What an adapter is: how a family's keys are recognised, renamed, and what they imply."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

State = Mapping[str, Tensor]

HRNET_BODY = r"^((?:conv[12]|bn[12]|layer1|transition[123]|stage[234])\..+)$"
RESNET_BODY = r"^((?:conv1|bn1|layer[1-4])\..+)$"
OPENMMLAB_BODY = (r"^backbone\.(.+)$", r"body.\1")
OPENMMLAB_DROPS = ((r"(?:^|\.)data_preprocessor\.", "normalisation constants, which are the protocol's"),)


@dataclass(frozen=True)
class Family:
    """One outside source of checkpoints.

    Attributes:
        name, title: for reports and for people.
        matches: whether a file's keys are this family's; families are asked in the order of the registry.
        rules: (pattern, template) pairs, the first that matches a key gives its canonical name.
        drops: (pattern, reason) pairs for keys that have no place in any of our models.
        task: what the network predicts, from the canonical state.
        conventions: spec fields that the family implies, from the file's state.
        renames: further (pattern, template) pairs over canonical names, chosen by the canonical state: bodies of one source
            whose parameters are called otherwise here.
        adapt: changes values or order in the canonical state, and returns a note for each rule that it applied.
        body_only: the file initialises a body and is no task's network.
        detector: name of the detection conventions (tasks/detection/boxes/conventions.py) that go with it.
    """

    name: str
    title: str
    matches: Callable[[State], bool]
    rules: tuple[tuple[str, str], ...]
    drops: tuple[tuple[str, str], ...] = ()
    task: Callable[[State], str | None] = lambda state: None
    conventions: Callable[[State], dict[str, Any]] = lambda state: {}
    renames: Callable[[State], tuple[tuple[str, str], ...]] = lambda state: ()
    adapt: Callable[[dict[str, Tensor]], list[str]] = lambda state: []
    body_only: bool = False
    detector: str | None = None


@dataclass
class Canonical:
    """A file in our names: ``state``; ``origin`` of each name in the file; what has no place and why."""

    family: Family
    state: dict[str, Tensor]
    origin: dict[str, str]
    unmapped: list[str] = field(default_factory=list)
    dropped: dict[str, str] = field(default_factory=dict)
    conventions: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)


def to_canonical(family: Family, state: State) -> Canonical:
    """Renames every key by the family's rules and applies its rule on values."""
    rules = [(re.compile(pattern), template) for pattern, template in family.rules]
    drops = [(re.compile(pattern), reason) for pattern, reason in family.drops]
    made = Canonical(family, {}, {})
    for key, tensor in state.items():
        reason = next((reason for pattern, reason in drops if pattern.search(key)), None)
        if reason is not None:
            made.dropped[key] = reason
            continue
        name = next((m.expand(template) for pattern, template in rules if (m := pattern.match(key))), None)
        if name is None or name in made.state:
            made.unmapped.append(key)
            continue
        made.state[name], made.origin[name] = tensor, key
    _rename(made, family.renames(made.state))
    made.notes += family.adapt(made.state)
    made.conventions = family.conventions(state)
    return made


def _rename(made: Canonical, rules: tuple[tuple[str, str], ...]) -> None:
    compiled = [(re.compile(pattern), template) for pattern, template in rules]
    renamed: dict[str, Tensor] = {}
    origin: dict[str, str] = {}
    for name, tensor in made.state.items() if rules else ():
        new = next((m.expand(template) for pattern, template in compiled if (m := pattern.match(name))), name)
        if new in renamed:
            made.unmapped.append(made.origin[name])
            continue
        renamed[new], origin[new] = tensor, made.origin[name]
    if rules:
        made.state, made.origin = renamed, origin


def has(keys: Iterable[str], *prefixes: str) -> bool:
    """Whether every prefix begins some key; `keys` can be a state dict."""
    return all(any(key.startswith(prefix) for key in keys) for prefix in prefixes)


def always(value: str | None) -> Callable[[State], str | None]:
    return lambda state: value


def implies(**fields: Any) -> Callable[[State], dict[str, Any]]:
    """The same conventions for every file of a family."""
    return lambda state: dict(fields)


def batch_norm_scales(state: State) -> list[str]:
    """Names of the scales (gamma) of batch normalisations."""
    return [key for key in state if key.endswith(".weight") and f"{key[:-6]}running_var" in state]
