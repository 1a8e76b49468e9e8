"""MATLAB files (level 5) whose bytes depend on their content alone."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasks.files.writing import write_bytes

_HEADER = b"MATLAB 5.0 MAT-file, written by hrnet-benchmark".ljust(116)
"""The descriptive text that opens a file; SciPy writes the date of writing into it."""


def write_mat(path: Path, variables: Mapping[str, Any]) -> None:
    """Writes arrays, structures and text as scipy.io.savemat does, without the date of writing.

    Raises:
        OSError: the disk refused.
    """
    from scipy.io import savemat

    buffer = io.BytesIO()
    savemat(buffer, dict(variables))
    write_bytes(path, _HEADER + buffer.getvalue()[len(_HEADER) :])
