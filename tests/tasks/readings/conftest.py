"""A cache of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from read_twice import refuse

from tasks.coco import keypoints as keypoint_files
from tasks.coco import objects as object_files
from tasks.readings import kept


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, for files of any size."""
    monkeypatch.setenv(kept.VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(kept, "LEAST_BYTES", 0)
    monkeypatch.setattr(kept, "SPARE_BYTES", 0)
    return tmp_path / "cache" / "annotations"


@pytest.fixture
def no_reading(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Once called, to read a file itself is an error."""

    def from_here() -> None:
        for module in (object_files, keypoint_files):
            monkeypatch.setattr(module, "_read", refuse)

    return from_here
