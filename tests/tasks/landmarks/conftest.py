"""A few embedded faces in each dataset's official layout."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from benchmarks.synthetic import WRITERS

SIZES = {
    "300w": {"train": 4, "valid_common": 3, "valid_challenge": 2, "test": 2},
    "aflw": {"train": 3, "test": 6},
    "cofw": {"train": 6, "test": 5},
    "wflw": {"train": 3, "test": 6},
}


@pytest.fixture(scope="session")
def faces_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with the four datasets; tests must not write to it."""
    root = tmp_path_factory.mktemp("faces")
    for dataset, sizes in SIZES.items():
        (root / dataset).mkdir()
        import_module(WRITERS[dataset]).write(root / dataset, sizes, 0)
    return root
