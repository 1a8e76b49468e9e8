"""What tests of pose share."""

from __future__ import annotations

from pathlib import Path

import pytest
from mpii_on_disk import write_small_mpii


@pytest.fixture
def mpii_root(tmp_path: Path) -> Path:
    return write_small_mpii(tmp_path / "mpii")
