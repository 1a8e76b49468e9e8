"""What a checkpoint says about its own training, as the protocol that it is evaluated or predicts under. Torch-free."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.base import Task
from tasks.options import from_plain, to_plain

if TYPE_CHECKING:
    from hrnet.checkpoints import Description

OWN = "hrnet_benchmark"
Say = Callable[[str], None]
"""Takes a line about what was taken from a file, for the user."""


def trained_protocol(
    task: Task, dataset: str, model: str, found: Description, path: Path, tier: str | None, otherwise: str, say: Say
) -> Any:
    """The protocol that a checkpoint is evaluated under unless the caller says otherwise.

    The one that a file of ours was trained for; for other families, and under another tier than the file's, the task's.

    Args:
        tier: what the caller asked for. otherwise: the tier that counts without it. say: is told what was taken.

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
            say(
                f"{path.name} does not say under which protocol it was trained; the full tier's is taken. Weights of the "
                "embedded tier need their own: --tier embedded."
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
        say(f"{path.name}: protocol of its training taken, {' '.join(taken)}")
    return made


def _shown(value: Any) -> str:
    plain = to_plain(value)
    return ",".join(map(str, plain)) if isinstance(plain, list) else str(plain)
