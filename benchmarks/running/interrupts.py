"""Ends the call at Ctrl-C and SIGTERM: children first, then one line and the exit status that a shell expects.

The store survives a kill at any moment (see `benchmarks.store`), so nothing has to be wound up: a call ends at once, whatever it
is doing, and cannot be kept from it by code that catches exceptions.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from types import FrameType

LINES = {
    signal.SIGINT: "Interrupted. Finished cells are kept; the same command goes on from here.",
    signal.SIGTERM: "Terminated. Finished cells are kept; the same command goes on from here.",
}
SHOW_CURSOR = "\x1b[?25h"
"""A progress bar hides it."""


_ENDINGS: list[Callable[[], None]] = []


def at_end(ending: Callable[[], None]) -> None:
    """Has ``ending`` called, too, when a signal ends this process: for work on other machines, which no signal reaches."""
    _ENDINGS.append(ending)


def not_at_end(ending: Callable[[], None]) -> None:
    """Takes :func:`at_end` back."""
    if ending in _ENDINGS:
        _ENDINGS.remove(ending)


def install() -> None:
    """Sets the handlers of this process. A signal that the caller has ignored (nohup) stays ignored."""
    if threading.current_thread() is not threading.main_thread():
        return
    own = os.getpid()

    def end(number: int, frame: FrameType | None) -> None:
        if os.getpid() != own:  # a child that was forked: its parent speaks
            os._exit(128 + number)
        for each in LINES:
            signal.signal(each, signal.SIG_IGN)
        end_descendants()
        for ending in _ENDINGS:
            with contextlib.suppress(Exception):  # the process ends in any case
                ending()
        _say(LINES[signal.Signals(number)])
        os._exit(128 + number)

    for number in LINES:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, end)
    _ignore_signals_at_exit()


@lru_cache
def _ignore_signals_at_exit() -> None:
    """Once all is done and the exit status is known, a signal would end the interpreter's last moments by a traceback."""

    def ignore() -> None:
        for number in LINES:
            signal.signal(number, signal.SIG_IGN)

    atexit.register(ignore)  # what is registered later, as the wait for worker processes, is called before


@contextlib.contextmanager
def ending_at_signals(stays: bool = False) -> Iterator[None]:
    """`install` for the length of a block; where it ``stays``, until the process ends."""
    before = {number: signal.getsignal(number) for number in LINES}
    install()
    try:
        yield
    finally:
        if not stays and threading.current_thread() is threading.main_thread():
            for number, handler in before.items():
                signal.signal(number, signal.SIG_DFL if handler is None else handler)


@contextlib.contextmanager
def children_without_interrupts() -> Iterator[None]:
    """Processes that are started in the block never see Ctrl-C, not even while they start: their parent ends them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # its start would lift the mask
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def end_descendants() -> None:
    """Kills all processes below this one; they are halted first, so that none starts another meanwhile."""
    if not hasattr(signal, "SIGKILL"):
        import multiprocessing

        for child in multiprocessing.active_children():
            child.kill()
        return
    halted: set[int] = set()
    while new := descendants(os.getpid()) - halted:
        _send(new, signal.SIGSTOP)
        halted |= new
    _send(halted, signal.SIGKILL)


def descendants(pid: int) -> set[int]:
    """Processes below `pid`, as far as the system lists them: on Linux all, elsewhere those that multiprocessing started."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    if not parents:
        import multiprocessing

        return {child.pid for child in multiprocessing.active_children() if child.pid}
    found: set[int] = set()
    level = {pid}
    while level:
        level = {child for child, parent in parents.items() if parent in level}
        found |= level
    return found


def _send(pids: set[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(OSError):
            os.kill(pid, number)


def _say(line: str) -> None:
    with contextlib.suppress(Exception):  # a buffer may be in use at this very moment
        sys.stdout.flush()
    begin = f"{SHOW_CURSOR}\n" if os.isatty(2) else ""
    with contextlib.suppress(OSError):
        os.write(2, f"{begin}{line}\n".encode())
