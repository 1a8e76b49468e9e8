"""What a checkpoint says about its own training, as defaults of ``eval`` and ``predict``; what was taken is said on stderr."""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.base import Task
from tasks.options import from_plain, to_plain

if TYPE_CHECKING:
    from hrnet.checkpoints import Description

OWN = "hrnet_benchmark"


def trained_tier(found: Description, tier: str | None, otherwise: str) -> str:
    """The tier asked for; else that of a file of ours, where ``otherwise`` (the call's default) is a small one too."""
    if tier is None and otherwise != "full" and found.tier not in (None, "full"):
        return str(found.tier)
    return tier or otherwise


def trained_protocol(
    task: Task, dataset: str, model: str, found: Description, path: Path, tier: str | None, otherwise: str
) -> Any:
    """The protocol that a checkpoint is evaluated under unless the caller says otherwise.

    The one that a file of ours was trained for; for other families, and under another tier than the file's, the task's.

    Args:
        tier: what the caller asked for. otherwise: the tier that counts without it.

    Raises:
        ValueError: the file's protocol has a field that the task does not know.
    """
    options = found.build_options(task.name, model, dataset)
    usual = task.protocol(dataset, model=task.named(model, options), family=found.family, tier=tier or otherwise)
    usual = task.protocol_with(usual, task.implied_protocol(model, options, dataset))
    if found.family != OWN or (found.task, found.dataset) != (task.name, dataset):
        return usual
    if found.protocol is None:
        if tier is None and otherwise == "full":
            print(
                f"{path.name} does not say under which protocol it was trained; the full tier's is taken. Weights of the "
                "embedded tier need their own: --tier embedded.",
                file=sys.stderr,
            )
        return usual
    if tier not in (None, found.tier):
        return usual
    try:
        made = from_plain(type(usual), found.protocol)
    except ValueError as error:
        raise ValueError(
            f"{path}: its protocol cannot be read ({error}); name a --tier to take that tier's."
        ) from error
    taken = [
        f"{field.name}={_shown(getattr(made, field.name))}"
        for field in fields(made)
        if getattr(made, field.name) != getattr(usual, field.name)
    ]
    if taken:
        print(f"{path.name}: protocol of its training taken, {' '.join(taken)}", file=sys.stderr)
    return made


def _shown(value: Any) -> str:
    plain = to_plain(value)
    return ",".join(map(str, plain)) if isinstance(plain, list) else str(plain)
