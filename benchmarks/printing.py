r"""What is printed: the one place where text from files (names, labels, reasons) is made fit for a terminal.

An escape sequence in a checkpoint's label or a class's name could retitle a terminal, move its cursor or hide what was printed
before. It is printed as text, as ``\x1b[2J``; what rich adds for colours and bars is carried out.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TextIO, cast

from tasks.predictor.printable import printable

if TYPE_CHECKING:
    from rich.console import Console


class PrintableStream:
    """A text stream that takes everything as text; `bare` is the stream itself."""

    def __init__(self, bare: TextIO) -> None:
        self.bare = bare

    def write(self, text: str) -> int:
        return self.bare.write(printable(text))

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.bare, name)


@contextlib.contextmanager
def printable_streams(stays: bool = False) -> Iterator[None]:
    """The standard streams take everything as text for the length of a block; where it ``stays``, until the process ends."""
    before = sys.stdout, sys.stderr
    guard_streams()
    try:
        yield
    finally:
        if not stays:
            sys.stdout, sys.stderr = before


def guard_streams() -> None:
    """The standard streams of this process take everything as text from now on."""
    sys.stdout, sys.stderr = _guarded(sys.stdout), _guarded(sys.stderr)


def _guarded(stream: TextIO) -> TextIO:
    return cast(TextIO, stream if stream is None or isinstance(stream, PrintableStream) else PrintableStream(stream))


def console(stream: TextIO, soft_wrap: bool = True) -> Console:
    """A console of rich on a stream: its styles and bars are carried out, the texts in them are not."""
    from rich.console import Console
    from rich.segment import Segment

    class Printable(Console):
        """Texts go through :func:`printable` on their way."""

        def render(self, renderable: Any, options: Any = None) -> Iterator[Segment]:
            for segment in super().render(renderable, options):
                yield segment if segment.control else Segment(printable(segment.text), segment.style)

    bare = getattr(stream, "bare", stream)
    return Printable(file=bare, highlight=False, soft_wrap=soft_wrap)
