"""Threads of a cell do not depend on how many run beside it, where the same bits are promised."""

from __future__ import annotations

import pytest

from benchmarks.running import cores
from benchmarks.running.cores import threads_of


def test_tiers_that_promise_bits_have_one_thread_however_many_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "available_cores", lambda: 8)
    assert {threads_of(tier, None, count) for tier in ("smoke", "embedded") for count in (1, 2, 8)} == {1}
    assert [threads_of("full", None, count) for count in (1, 3, 16)] == [8, 2, 1]
    assert threads_of("smoke", 4) == 4 and threads_of("full", 3, 2) == 3
