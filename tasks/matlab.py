"""MATLAB files (level 5) whose bytes depend on their content alone."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasks.files.opening import read_bytes
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


def read_mat(path: Path, what: str, advice: str = "", fix: str = "fetch it again") -> dict[str, Any]:
    """The variables of a MATLAB file of level 5 (or 4).

    Args:
        what: what it should hold, with its article. advice: what to do where it is missing. fix: where it is broken.

    Raises:
        ValueError: no such file, no regular file, HDF5 (v7.3), or no MATLAB file.
    """
    from scipy.io import loadmat

    data = read_bytes(path, what, advice)
    if data.startswith(b"\x89HDF") or data[512:516] == b"\x89HDF":
        raise ValueError(
            f"Expected a MATLAB file at {path} but it cannot be read (HDF5, v7.3); save it with MATLAB's '-v7'"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found: dict[str, Any] = loadmat(io.BytesIO(data))
    except Exception as error:  # scipy raises whatever the bytes lead it to
        reason = " ".join(str(error).split())[:80] or "it is damaged"
        raise ValueError(f"Expected a MATLAB file at {path} but it cannot be read ({reason}); {fix}") from None
    return {name: value for name, value in found.items() if not name.startswith("__")}
