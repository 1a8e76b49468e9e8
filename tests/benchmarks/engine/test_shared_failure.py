"""What a process hears of the others' failures, and that its watch ends before the process does."""

from __future__ import annotations

import queue
import threading

from torch.distributed import HashStore

from benchmarks.engine.shared_failure import Failure, SharedFailure


def test_a_watch_calls_when_another_has_failed_first() -> None:
    store, heard = HashStore(), queue.Queue[Failure]()
    first, second, third = (SharedFailure(rank, store) for rank in range(3))
    first.watch(heard.put)
    assert second.tell("its picture is spoilt", True) == Failure(1, "its picture is spoilt", True)
    assert third.tell("the connection broke", False) == Failure(1, "its picture is spoilt", True)  # a consequence
    assert heard.get(timeout=20) == Failure(1, "its picture is spoilt", True)


def test_a_watch_ends_when_it_is_told() -> None:
    shared = SharedFailure(0, HashStore())
    shared.watch(lambda failure: None)
    assert any(thread.name == "failures" for thread in threading.enumerate())
    shared.end_watch()
    assert shared._watching is not None and not shared._watching.is_alive()


def test_a_process_stays_until_the_first_has_stored_what_all_have_made() -> None:
    store = HashStore()
    first, second = (SharedFailure(rank, store) for rank in range(2))
    waiting = threading.Thread(target=second.wait_until_done, daemon=True)
    waiting.start()
    waiting.join(0.3)
    assert waiting.is_alive()
    first.done()
    waiting.join(20)
    assert not waiting.is_alive()
