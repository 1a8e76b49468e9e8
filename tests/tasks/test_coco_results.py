"""COCO results files read back: what is no such file is told in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.coco_results import read_records


@pytest.mark.parametrize("content", [b"[" * 100_000, b"\xff", b"{", b""])
def test_what_is_no_json_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "results.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"results\.json: expected JSON, got .*; write the results again"):
        read_records(path, [1])
