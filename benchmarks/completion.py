"""What a shell completes after ``hrnet-benchmark``: verbs, options, names and files (extra ``completion``)."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.baselines import body_names
from benchmarks.published.weights import load_weights
from benchmarks.suites import suite_names
from tasks import get_task, task_names

SHELLS = ("bash", "zsh", "tcsh")


def _datasets() -> list[str]:
    return sorted({name for task in task_names() for name in get_task(task).datasets})


CHOICES: dict[str, Callable[[], Sequence[str]]] = {
    "suite": suite_names,
    "task": task_names,
    "dataset": _datasets,
    "model": body_names,
}
"""Values of options by destination, which parsers check on their own and with better words."""


def completion(parser: argparse.ArgumentParser, shell: str) -> str:
    """The script that makes a shell complete the calls that a parser takes.

    Raises:
        ValueError: shtab is not installed.
    """
    try:
        import shtab
    except ImportError:
        raise ValueError(
            "completion is written by shtab, which is not installed: pip install 'hrnet-benchmark[completion]'"
        ) from None
    found = {name: list(values()) for name, values in CHOICES.items()}
    for action in _actions(parser):
        if action.type is Path:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif action.choices is None and action.dest in found and action.nargs is None:
            action.choices = found[action.dest]
        elif action.dest == "names" and action.choices is None:
            action.choices = [entry.file for entry in load_weights()]
    return str(shtab.complete(parser, shell))


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Every argument of a parser and of its sub-commands."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from _actions(below)
        else:
            yield action
