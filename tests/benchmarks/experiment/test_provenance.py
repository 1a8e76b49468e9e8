"""What a result says of its machine, and digests of files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.experiment import provenance


def test_a_system_without_sysconf_names_its_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    assert provenance.hardware.__wrapped__()["memory_gib"] > 0
    monkeypatch.delattr(os, "sysconf_names")  # Windows has none
    facts = provenance.hardware.__wrapped__()
    assert "memory_gib" not in facts and facts["cores"] and facts["system"]


def test_of_many_files_each_is_read_once(tmp_path: Path) -> None:
    """More than 4096, in one order: every cell of a dataset asks for all of its files."""
    files = [tmp_path / f"{number}.png" for number in range(4200)]
    for number, path in enumerate(files):
        path.write_bytes(number.to_bytes(2, "big"))
    before = provenance.files_digest(files)
    for path in files:
        status = path.stat()
        path.write_bytes(b"??")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert provenance.files_digest(files) == before  # size and time say that nothing has changed
    files[0].write_bytes(b"longer")
    assert provenance.files_digest(files) != before
