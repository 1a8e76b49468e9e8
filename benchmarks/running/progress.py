"""What a person sees while cells run: a live bar per cell in a terminal, a line per event elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from benchmarks.experiment.cell import Cell
from benchmarks.printing import console
from benchmarks.running.scheduler import Event


class Watcher:
    """Context manager; call it with the events of :func:`benchmarks.running.scheduler.run`.

    ``figure_of`` gives a finished cell's headline figure as text, which its line ends with.
    """

    def __init__(self, cells: Sequence[Cell], figure_of: Callable[[Cell], str] = lambda _: "") -> None:
        self.figure_of = figure_of
        self.console = console(sys.stderr)
        self.live = self.console.is_terminal
        self.names = {cell.id: cell.name for cell in cells}
        self.total, self.count, self.failed = len(cells), 0, 0
        self.said: set[str] = set()
        self.bars: dict[str, TaskID] = {}
        self.started: dict[str, float] = {}
        self.phases: dict[str, tuple[str, float]] = {}
        self.progress_bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[note]}", markup=False),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
        )

    def __enter__(self) -> Watcher:
        if self.live:
            self.progress_bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.live:
            self.progress_bar.stop()

    def __call__(self, event: Event) -> None:
        name = self.names.get(event.name, event.name)
        if event.kind == "start":
            self._begin(event.name, name)
        elif event.kind == "progress":
            self._advance(event.name, name, event.progress)
        elif event.kind == "waits":
            self.console.print(f"{name}  waits: {event.reason}", markup=False)
        else:
            self._end(event.name, name, event.reason, event.seconds, event.cell)

    def start(self, cell: Cell) -> None:
        self._begin(cell.id, cell.name)

    def progress(self, cell: Cell, progress: Any) -> None:
        self._advance(cell.id, cell.name, progress)

    def finish(self, cell: Cell, reason: str | None, seconds: float) -> None:
        self._end(cell.id, cell.name, reason, seconds, cell)

    def _begin(self, key: str, name: str) -> None:
        self.started[key] = time.monotonic()
        if self.live:
            self.bars[key] = self.progress_bar.add_task(name, total=None, note="starting")

    def _advance(self, key: str, name: str, progress: Any) -> None:
        if progress.note and not (progress.note.startswith("--log ") and progress.note in self.said):
            self.said.add(progress.note)
            self.console.print(f"{name}  {progress.note}", markup=False)
        if not self.live or key not in self.bars:
            return
        phase, began = self.phases.get(key, ("", 0.0))
        if progress.phase != phase:
            began = time.monotonic()
            self.phases[key] = (progress.phase, began)
        note = progress.phase
        if progress.phase == "train":
            note = f"epoch {progress.epoch}/{progress.epochs}"
            if progress.loss is not None:
                note += f"  loss {progress.loss:.4g}"
            note += "".join(f"  {k} {v:.3g}" for k, v in progress.metrics.items() if not k.startswith("loss"))
        if progress.total and progress.done:
            left = (time.monotonic() - began) / progress.done * (progress.total - progress.done)
            note += f"  {left:.0f} s left"
        self.progress_bar.update(
            self.bars[key], total=progress.total or None, completed=progress.done, note=note, description=name
        )

    def _end(self, key: str, name: str, reason: str | None, seconds: float, cell: Cell | None) -> None:
        if self.live and key in self.bars:
            self.progress_bar.remove_task(self.bars.pop(key))
        if cell is not None:
            self.count += 1
            self.failed += reason is not None
        counter = f"[{self.count}/{self.total}]" if cell is not None else ""
        word = "done" if reason is None else f"FAILED: {reason}"
        if reason is None and cell is not None and (figure := self.figure_of(cell)):
            word += f"  {figure}"
        self.console.print(f"{counter:8}{name}  {word}  ({seconds:.1f} s)", markup=False)
