"""What every test gets: the number of threads that it began with, whatever the one before it set."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    """Sums over several threads differ in the last digits, so a test that sets threads must not reach the next."""
    torch = sys.modules.get("torch")
    before = None if torch is None else torch.get_num_threads()
    yield
    if before is not None:
        sys.modules["torch"].set_num_threads(before)
