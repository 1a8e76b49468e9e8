"""Why a cell failed, in words."""

from __future__ import annotations

import builtins
import re

import torch

_IN_LOADER = re.compile(r"Caught (\w+) in \w+ worker process \d+\.\n")


def explained(error: Exception) -> tuple[type[BaseException], str]:
    """The kind of an error and its reason in words; of one that a loader's process passed on, those of the original."""
    if isinstance(error, torch.cuda.OutOfMemoryError):
        text = "The accelerator's memory is full. Use a smaller --batch, fewer --cells-per-gpu or a smaller model."
        return type(error), text
    kind: type[BaseException] = type(error)
    bare = isinstance(error, OSError) and error.filename is None and len(error.args) == 2
    text = str(error.args[1]) if bare else str(error)
    found = _IN_LOADER.match(text)
    if found:
        known = getattr(builtins, found[1], None)
        kind = known if isinstance(known, type) and issubclass(known, BaseException) else kind
        text = re.split(rf"^(?:\w+\.)*{found[1]}: ", text, flags=re.MULTILINE)[-1]
        text = re.sub(r"^\[Errno \d+\] ", "", text)
    text = text.strip() or kind.__name__
    return kind, text if issubclass(kind, ValueError | OSError) else f"{kind.__name__}: {text}"
