"""MATLAB files (level 5) whose bytes depend on their content alone."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasks.files.writing import write_bytes

_HEADER = b"MATLAB 5.0 MAT-file, written by hrnet-benchmark".ljust(116)
"""The descriptive text that opens a file; SciPy writes the date of writing into it."""


def mat_bytes(variables: Mapping[str, Any]) -> bytes:
    """Arrays, structures and text as scipy.io.savemat writes them, without the date of writing."""
    from scipy.io import savemat

    buffer = io.BytesIO()
    savemat(buffer, dict(variables))
    return _HEADER + buffer.getvalue()[len(_HEADER) :]


def write_mat(path: Path, variables: Mapping[str, Any]) -> None:
    """Writes `mat_bytes` as a file.

    Raises:
        OSError: the disk refused.
    """
    write_bytes(path, mat_bytes(variables))
