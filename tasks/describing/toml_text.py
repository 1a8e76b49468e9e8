"""A guess as the text of a dataset.toml."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tasks.declarations.declaration import TASK_OF
from tasks.describing.guess import Guess

_TITLE = "# Made by `describe`: look it over. Every field: docs/own_datasets.md\n"


def toml_text(guess: Guess, name: str) -> str:
    """The text of the file that declares what was guessed, under a name."""
    head = {"name": name, "title": guess.folder.resolve().name, "task": TASK_OF[guess.layout], "layout": guess.layout}
    parts = [_TITLE + _fields(head)]
    parts += [f"[splits.{split}]\n{_fields(fields)}" for split, fields in guess.splits.items()]
    parts += [f"[{table}]\n{_fields(fields)}" for table, fields in guess.tables.items()]
    return "\n".join(parts)


def _fields(fields: Mapping[str, Any]) -> str:
    # Texts, numbers and lists of them are written alike in json and toml.
    return "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in fields.items())
