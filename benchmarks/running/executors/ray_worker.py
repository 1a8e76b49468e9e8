"""What happens on a machine of a Ray cluster: the task around a job, and the mailbox through which its progress travels."""

from __future__ import annotations

import getpass
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.experiment.provenance import git_state
from benchmarks.running.executors.parcels import pack, unpack
from benchmarks.running.worker import serve


class Mailbox:
    """An actor beside the driver: keeps what tasks send until the driver asks."""

    def __init__(self) -> None:
        self.held: list[tuple[str, int, tuple[Any, ...]]] = []

    def put(self, name: str, attempt: int, message: tuple[Any, ...]) -> None:
        self.held.append((name, attempt, message))

    def take(self) -> list[tuple[str, int, tuple[Any, ...]]]:
        held, self.held = self.held, []
        return held


def nothing() -> None:
    """Shows that the machine on which it runs is there."""


def task(
    name: str,
    attempt: int,
    message: tuple[Any, ...],
    mailbox: Any,
    mark: Path | None,
    boxes: Sequence[Any],
    commit: Any,
) -> tuple[tuple[Any, ...], bytes | None]:
    """Does a job; returns its last word, and where this machine does not see the results folder the packed result.

    Args:
        mark: a file in the results folder; None to take it for unseen.
        boxes: references to packed results of cells whose boxes the cell reads.
        commit: of the driver's code; results of other code would be stale at once.
    """
    import ray

    node = ray.get_runtime_context().get_node_id()
    ray.get(mailbox.put.remote(name, attempt, ("started", node)))
    own = git_state()
    if None not in (commit["commit"], own["commit"]) and commit != own:
        text = f"Expected the driver's code ({commit}) on machine {node[:8]}, found other ({own}); install the same."
        return ("error", text), None
    common = mark is not None and mark.exists()
    last: list[tuple[Any, ...]] = []

    def send(answer: tuple[Any, ...]) -> None:
        if answer[0] == "progress":
            mailbox.put.remote(name, attempt, answer)
        else:
            last.append(answer)

    if common or message[0] == "look":
        serve(message, send)
        return last[-1], None
    if message[0] == "data":
        serve((*message[:3], _own_data() / message[2]), send)
        return last[-1], None
    with tempfile.TemporaryDirectory(prefix="hrnet-benchmark-") as made:
        runs = Path(made)
        for reference in boxes:
            unpack(ray.get(reference), runs)
        kind, identity, label, places, _, threads = message
        serve((kind, identity, label, replace(places, out=runs, embedded=_own_data()), "", threads), send)
        folder = runs / identity["task"] / name
        return last[-1], pack(folder) if (folder / "cell.json").exists() else None


def _own_data() -> Path:
    """Where a machine without the driver's folders keeps embedded data."""
    return Path(tempfile.gettempdir()) / f"hrnet-benchmark-{getpass.getuser()}" / "embedded"
