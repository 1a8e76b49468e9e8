"""Fixtures of the fidelity tests: archives in $HRNET_GOLDEN, pictures in $HRNET_SAMPLES."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import detector_archives
import golden_archives
import pytest
import torch


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder of the golden archives."""
    if not golden_archives.GOLDEN.is_dir():
        pytest.skip(f"no golden archives at {golden_archives.GOLDEN}; set HRNET_GOLDEN")
    return golden_archives.GOLDEN


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of the real sample pictures."""
    if not golden_archives.SAMPLES.is_dir():
        pytest.skip(f"no sample pictures at {golden_archives.SAMPLES}; set HRNET_SAMPLES")
    return golden_archives.SAMPLES


@pytest.fixture(scope="session")
def seeded_tensor() -> Callable[[str, tuple[int, ...]], torch.Tensor]:
    return golden_archives.seeded_tensor


@pytest.fixture(scope="session")
def seeded_input() -> Callable[[str, tuple[int, ...]], torch.Tensor]:
    return golden_archives.seeded_input


@pytest.fixture
def seeded_checkpoint(golden: Path, tmp_path: Path) -> Callable[..., Path]:
    """``seeded_checkpoint(manifest, prefix="")`` writes a checkpoint in the source's own format and returns its path."""

    def write(manifest: str, prefix: str = "") -> Path:
        return golden_archives.write_seeded(tmp_path / f"{manifest}.pth", manifest, prefix)

    return write


@pytest.fixture(scope="module")
def case(request: pytest.FixtureRequest) -> detector_archives.Case:
    """One archive's detector; pytest runs all tests of an archive together, so that its network is built once."""
    return detector_archives.case(request.param)
