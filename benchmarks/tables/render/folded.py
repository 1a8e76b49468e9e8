"""Lines of text for a terminal: broken between words at its width. Elsewhere a line stays one, for programs that read it."""

from __future__ import annotations

import shutil
import sys
import textwrap


def terminal_width() -> int | None:
    """Columns of the terminal behind the standard output; None where the output goes elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def folded(text: str, indent: int = 0) -> str:
    """A line as the terminal shows it: what does not fit goes on below, `indent` spaces in."""
    width = terminal_width()
    if width is None or len(text) <= width:
        return text
    lead = text[: len(text) - len(text.lstrip())]
    broken = textwrap.wrap(
        text.strip(), width, initial_indent=lead, subsequent_indent=" " * indent, break_on_hyphens=False
    )
    return "\n".join(broken)


def paragraphs(text: str) -> str:
    """A docstring's paragraphs filled to the width that argparse fills its options to; indented lines stay as they are."""
    width = max(40, shutil.get_terminal_size().columns - 2)
    parts = text.strip().split("\n\n")
    return "\n\n".join(
        part if part.startswith(" ") else textwrap.fill(" ".join(part.split()), width, break_on_hyphens=False)
        for part in parts
    )
