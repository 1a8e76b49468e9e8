"""The cache of embedded data: keeps, replaces, refuses, and leaves nothing half-done."""

from __future__ import annotations

import json
import types
from pathlib import Path

import pytest

from benchmarks.synthetic import WRITERS, cache


@pytest.fixture
def writer(monkeypatch):
    """A small writer in the place of COCO's, which counts its calls and can be made to fail."""
    module = types.SimpleNamespace(
        VERSION=1, SIZES={"smoke": {"train": 2}, "embedded": {"train": 3}}, calls=[], fail=False
    )

    def write(root: Path, sizes: dict[str, int], seed: int) -> None:
        module.calls.append((dict(sizes), seed))
        (root / "data.txt").write_text(f"{sizes} {seed}")
        if module.fail:
            raise OSError("disk full")

    module.write = write
    real = cache.importlib.import_module
    monkeypatch.setattr(
        cache.importlib, "import_module", lambda name: module if name == WRITERS["coco"] else real(name)
    )
    return module


def test_written_once_and_kept(writer, tmp_path):
    folder = cache.ensure("coco", tmp_path, "smoke", seed=4)
    assert folder == tmp_path / "coco" and cache.ensure("coco", tmp_path, "smoke", seed=4) == folder
    assert writer.calls == [({"train": 2}, 4)]
    stamp = json.loads((folder / "embedded.json").read_text())
    assert (
        stamp["dataset"] == "coco"
        and stamp["tier"] == "smoke"
        and stamp["seed"] == 4
        and stamp["sizes"] == {"train": 2}
    )
    assert [path.name for path in tmp_path.iterdir()] == ["coco"]


def test_replaced_when_seed_sizes_or_sources_change(writer, tmp_path, monkeypatch):
    cache.ensure("coco", tmp_path, "smoke")
    cache.ensure("coco", tmp_path, "smoke", seed=1)
    cache.ensure("coco", tmp_path, "embedded", seed=1)
    assert len(writer.calls) == 3 and (tmp_path / "coco" / "data.txt").read_text() == "{'train': 3} 1"
    changed = tmp_path / "changed.py"
    changed.write_text("# another renderer\n")
    monkeypatch.setattr(cache, "source_files", lambda module: {module: changed})
    cache.ensure("coco", tmp_path, "embedded", seed=1)
    assert len(writer.calls) == 4


def test_a_folder_without_stamp_is_never_touched(writer, tmp_path):
    (tmp_path / "coco").mkdir()
    (tmp_path / "coco" / "mine.txt").write_text("real data")
    with pytest.raises(ValueError, match=r"embedded\.json"):
        cache.ensure("coco", tmp_path, "smoke")
    assert (tmp_path / "coco" / "mine.txt").read_text() == "real data" and not writer.calls


def test_a_failed_write_leaves_the_old_data(writer, tmp_path):
    cache.ensure("coco", tmp_path, "smoke")
    writer.fail = True
    with pytest.raises(OSError, match="disk full"):
        cache.ensure("coco", tmp_path, "smoke", seed=1)
    assert (tmp_path / "coco" / "data.txt").read_text() == "{'train': 2} 0"
    assert [path.name for path in tmp_path.iterdir()] == ["coco"]


def test_unknown_dataset_and_tier_are_named(tmp_path):
    with pytest.raises(ValueError, match="imagenet"):
        cache.ensure("imagenet", tmp_path, "smoke")
    with pytest.raises(ValueError, match="huge"):
        cache.ensure("coco", tmp_path, "huge")


def test_fingerprint_covers_the_figure():
    names = cache.source_files(WRITERS["coco"])
    assert {
        "benchmarks.synthetic.datasets.coco_people",
        "benchmarks.synthetic.people.people",
        "benchmarks.synthetic.raster.strokes",
    } <= set(names)
    assert cache.fingerprint("coco", {"train": 1}, 0) != cache.fingerprint("coco", {"train": 2}, 0)
    assert cache.fingerprint("coco", {"train": 1}, 0) != cache.fingerprint("coco", {"train": 1}, 1)
