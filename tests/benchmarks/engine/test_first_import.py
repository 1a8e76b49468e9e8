"""The first import on a fresh account: processes that start together, and a cache that was cut short."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]


def _start(home: Path) -> subprocess.Popen:
    environment = {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "TMPDIR": str(home)}
    command = [sys.executable, "-c", "import benchmarks.engine.first_import, yapf"]
    return subprocess.Popen(command, cwd=REPOSITORY, env=environment, stderr=subprocess.PIPE, text=True)


@pytest.mark.skipif(sys.platform == "win32", reason="the cache folder is set through XDG_CACHE_HOME")
def test_processes_that_start_together_on_a_fresh_account(tmp_path):
    started = [_start(tmp_path) for _ in range(4)]
    errors = [process.communicate(timeout=120)[1] for process in started]
    assert [process.returncode for process in started] == [0] * 4, errors
    assert len(list((tmp_path / "cache").rglob("*.pickle"))) == 2
    assert not list(tmp_path.glob("*.lock"))  # nothing that others could take in the shared temporary folder


@pytest.mark.skipif(sys.platform == "win32", reason="the cache folder is set through XDG_CACHE_HOME")
@pytest.mark.parametrize("left", [0, 100], ids=["empty", "cut"])
def test_a_cache_that_was_cut_short_is_written_anew(tmp_path, left):
    _start(tmp_path).communicate(timeout=60)
    caches = list((tmp_path / "cache").rglob("*.pickle"))
    sizes = {cache: cache.stat().st_size for cache in caches}
    for cache in caches:
        cache.write_bytes(cache.read_bytes()[:left])
    process = _start(tmp_path)
    error = process.communicate(timeout=60)[1]
    assert process.returncode == 0, error
    assert {cache: cache.stat().st_size for cache in caches} == sizes
