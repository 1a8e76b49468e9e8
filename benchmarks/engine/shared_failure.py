"""One of several processes fails: all learn its reason and end, also where they would wait for each other for minutes.

The reason goes through a store of key and value that the processes share (the launcher's), beside the collective operations in
which the others wait. A thread of each process looks there.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from torch.distributed import Store, TCPStore  # type: ignore[attr-defined]

FAILURE, NOTED, DONE = "hrnet-benchmark/failure", "hrnet-benchmark/noted", "hrnet-benchmark/done"
LOOK_S = 0.5
GRACE_S = 1.0
"""For a process to end by itself: a broken connection often wakes it."""
NOTING_S = 6.0
"""For the first process to store the reason, before the one that failed ends: its end makes the launcher end all."""


@dataclass(frozen=True)
class Failure:
    """What the first process to fail says: its rank and reason, and whether data or call are at fault."""

    rank: int
    reason: str
    user_error: bool


class SharedFailure:
    """What a process knows of the others' failures.

    Args:
        rank: of this process. store: shared by all; by default a connection to the launcher's.
    """

    def __init__(self, rank: int, store: Store | None = None) -> None:
        self.rank = rank
        self.store = store or _launchers_store()
        self.handled, self.ended = threading.Event(), threading.Event()
        self._watching: threading.Thread | None = None
        self._one_at_a_time = threading.Lock()

    def tell(self, reason: str, user_error: bool) -> Failure:
        """Tells that this process failed; returns the failure that was told first, which is why the others fail."""
        self.handled.set()
        own = json.dumps([self.rank, reason, user_error])
        with self._one_at_a_time:
            first = self.store.compare_set(FAILURE, "", own)
        return Failure(*json.loads(first))

    def noted(self) -> None:
        """The first process has stored the reason."""
        with contextlib.suppress(RuntimeError), self._one_at_a_time:
            self.store.set(NOTED, "1")

    def wait_until_noted(self) -> None:
        """Waits for the first process to store the reason, for a few seconds."""
        deadline = time.monotonic() + NOTING_S
        while time.monotonic() < deadline and not self._has(NOTED):
            time.sleep(LOOK_S / 5)

    def done(self) -> None:
        """The first process has stored what all of them made."""
        with self._one_at_a_time:
            self.store.set(DONE, "1")

    def wait_until_done(self) -> None:
        """Waits for :meth:`done`. Of several nodes, the launcher of one whose processes have ended waits five minutes for the
        others, and then takes the rendezvous with it by which they live: scoring may take longer."""
        while True:
            try:
                with self._one_at_a_time:
                    if self.store.check([DONE]):
                        return
            except RuntimeError:  # the launcher has ended
                return
            time.sleep(LOOK_S)

    def watch(self, end: Callable[[Failure], None]) -> None:
        """Calls `end` in a thread of its own when another process has failed and this one does not notice in time."""
        self._watching = threading.Thread(target=self._look, args=(end,), name="failures", daemon=True)
        self._watching.start()

    def end_watch(self) -> None:
        """Ends the watch, before the process does: a thread that is in the store meanwhile would abort the interpreter."""
        self.ended.set()
        if self._watching is not None:
            self._watching.join(timeout=10)

    def _look(self, end: Callable[[Failure], None]) -> None:
        while not self._has(FAILURE):
            if self.ended.wait(LOOK_S):
                return
        if self.handled.wait(GRACE_S):
            return
        with self._one_at_a_time:
            found = Failure(*json.loads(self.store.get(FAILURE)))
        if not self.handled.is_set():
            end(found)

    def _has(self, key: str) -> bool:
        try:
            with self._one_at_a_time:
                return bool(self.store.check([key]))
        except RuntimeError:  # the launcher has ended
            return False


def end_at_once(failure: Failure) -> None:
    """What a process does that is not the first one."""
    time.sleep(NOTING_S / 2)
    os._exit(1)


def _launchers_store() -> Store:
    address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    return TCPStore(address, port, is_master=False, timeout=timedelta(seconds=10))
