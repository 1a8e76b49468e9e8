"""Runs: side by side, failures kept apart, killed and started again, nothing done twice."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from benchmarks.experiment.cell import Cell, cell_from_identity, make_cell
from benchmarks.experiment.key import cell_key, key_parts
from benchmarks.experiment.paths import Places
from benchmarks.experiment.resolve import resolve
from benchmarks.experiment.suite import Suite
from benchmarks.running.executors.interface import Answer, Job
from benchmarks.running.failures import explained
from benchmarks.running.plan import DONE, FAILED, STALE, TO_RUN, plan, select
from benchmarks.running.scheduler import Event, keep_failure, run
from benchmarks.running.trial import run_cell
from benchmarks.store.store import Store, StoredCell
from benchmarks.tables.task_table import TaskTable

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    root = tmp_path_factory.mktemp("run")
    return Places(out=root / "runs", embedded=root / "embedded")


def _suite(*cells: Cell) -> Suite:
    return Suite("test", cells, (TaskTable("t", "T", "pose", "coco", tuple(c.id for c in cells), ("AP",)),))


def _good(**recipe: object) -> Cell:
    return make_cell("pose", "coco", "hrnet_micro_w8", tier="smoke", recipe=recipe)


def _bad() -> Cell:
    """Fails in its first epoch: the loss is not finite."""
    return make_cell(
        "pose", "coco", "simple_baseline_micro", tier="smoke", recipe={"lr": 1e38, "optimizer": "sgd"}, label="bad"
    )


def test_a_failed_cell_is_a_row_and_the_others_go_on(places: Places) -> None:
    suite, events = _suite(_bad(), _good()), list[Event]()
    planned = plan(suite, places)
    assert [p.status for p in planned] == [TO_RUN, TO_RUN]
    assert run(planned, places, 2, events.append) == 1
    after = {p.cell.id: p for p in plan(suite, places)}
    bad, good = after[_bad().id], after[_good().id]
    assert bad.status == FAILED and "learning rate" in bad.detail
    assert good.status == DONE and good.stored is not None
    record = good.stored.record
    assert record.n is not None and record.figures["AP"].n == record.n.images > 0
    assert record.key == cell_key(resolve(good.cell, places))
    made = record.provenance
    assert made.started <= made.ended and made.packages["torch"] and made.hardware.cpu and made.threads == 1
    assert (good.stored.folder / "weights.pt").exists()
    assert record.pictures and all((good.stored.folder / p.prediction).exists() for p in record.pictures)
    assert {e.kind for e in events} >= {"start", "progress", "done", "failed"}
    # Running again does what failed, and nothing else.
    assert [p.runs for p in plan(suite, places)] == [True, False]


def test_a_result_that_another_process_has_stored_meanwhile_is_taken(places: Places, tmp_path: Path) -> None:
    out = dataclasses.replace(places, out=tmp_path)
    made = run_cell(_good(), out, lambda p: None)
    # The plan of this run saw nothing there, or another result.
    for seen in ("", "another"):
        assert run_cell(_good(), out, lambda p: None, seen=seen).stamp == made.stamp
    assert not list(tmp_path.rglob("*.work"))
    # Asked to run again: the plan has seen this one.
    again = run_cell(_good(), out, lambda p: None, seen=made.stamp)
    assert again.stamp != made.stamp and again.record.figures == made.record.figures
    # Of other code it is not what this run would make.
    changed = msgspec.structs.replace(made.record, key="of other code", label="x")
    Store(tmp_path).save(changed, made.stats())
    assert run_cell(_good(), out, lambda p: None, seen="").record.key == made.record.key


def test_a_stale_cell_says_so(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = _suite(_good())
    run(plan(suite, places), places, 1, lambda e: None)
    assert plan(suite, places)[0].status == DONE
    monkeypatch.setattr("benchmarks.experiment.key.code_version", lambda *a: "another")
    assert plan(suite, places)[0].status == STALE


def test_a_killed_worker_costs_its_cell_only(places: Places) -> None:
    victim = _good(epochs=500)
    suite = _suite(victim)
    killed = []

    def watch(event: Event) -> None:
        if event.kind == "progress" and event.progress.phase == "train" and not killed:
            killed.append(event)
            children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
            for child in map(int, children):
                if "spawn_main" in Path(f"/proc/{child}/cmdline").read_text():
                    os.kill(child, signal.SIGKILL)

    if not Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").exists():
        pytest.skip("needs /proc to find the worker")
    assert run(plan(suite, places), places, 1, watch) == 1
    stored = Store(places.out).load("pose", victim.id)
    assert stored is not None and not stored.done and "signal 9" in stored.record.reason


def test_a_full_disk_costs_no_other_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, places: Places) -> None:
    """The worker dies and the disk refuses the failure as well: the row has its reason, the next cell is done."""
    out = dataclasses.replace(places, out=tmp_path / "runs")
    bad, good = _good(lr=1e-3), _good()
    (tmp_path / "runs" / "pose").mkdir(parents=True)
    (tmp_path / "runs" / "pose" / f"{bad.id}.work").write_text("where its workspace would be")
    save = Store.save

    def full(self: Store, record: Mapping[str, Any], *arguments: Any) -> StoredCell:
        if record["id"] == bad.id:
            raise OSError(28, "No space left on device")
        return save(self, record, *arguments)

    monkeypatch.setattr(Store, "save", full)
    store, events = Store(out.out), list[Event]()
    assert run(plan(_suite(bad, good), out), out, 1, events.append, store) == 1
    held, done = store.load("pose", bad.id), store.load("pose", good.id)
    assert held is not None and not held.done and f"{bad.id}.work" in held.record.reason
    assert done is not None and done.done
    assert not Store(out.out).folder("pose", bad.id).exists()


def test_a_failure_that_cannot_be_stored_is_returned(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> StoredCell:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Store, "save", full)
    stored = run_cell(_bad(), dataclasses.replace(places, out=tmp_path), lambda p: None)
    assert not stored.done and "learning rate" in stored.record.reason


def test_a_link_that_leads_out_costs_its_cell_only(tmp_path: Path) -> None:
    store, cell = Store(tmp_path / "runs"), _bad()
    (tmp_path / "runs" / cell.task).mkdir(parents=True)
    (tmp_path / "runs" / cell.task / f"{cell.id}.work").symlink_to(tmp_path)
    keep_failure(cell, "a link that leads out", store)
    held = store.load(cell.task, cell.id)
    assert held is not None and held.record.reason == "a link that leads out"


def test_a_failed_cell_with_nothing_to_resume_leaves_no_workspace(places: Places, tmp_path: Path) -> None:
    stored = run_cell(_bad(), dataclasses.replace(places, out=tmp_path), lambda p: None)
    assert not stored.done and (stored.folder / "traceback.txt").exists()
    assert list(tmp_path.glob("*/*.work")) == []


def test_a_result_holds_the_parts_of_its_key_its_batch_and_the_n_of_each_figure(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tasks.pose.evaluation import CocoEvaluation

    monkeypatch.setattr(CocoEvaluation, "counts", lambda self: {"APM": 2}, raising=False)
    out = dataclasses.replace(places, out=tmp_path)
    record = run_cell(_good(), out, lambda p: None).record
    assert record.provenance.key_parts == key_parts(resolve(_good(), out))
    assert record.provenance.evaluation_batch == record.batch_size == 32
    assert record.n is not None and record.figures["APM"].n == 2 and record.figures["AP"].n == record.n.images > 2


def test_the_batch_of_a_cpu_does_not_depend_on_free_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from benchmarks.running.steps.measuring import evaluation_batch

    activations = (10**6, 19_115_520, 57_157_056, 1_463_793_920)
    found = [evaluation_batch(number, torch.device("cpu")) for number in activations]
    monkeypatch.setattr("os.sysconf", lambda name: 1)
    assert found == [evaluation_batch(number, torch.device("cpu")) for number in activations] == [32, 8, 4, 1]


class _Broken:
    """Pictures of which one cannot be read."""

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> int:
        try:
            raise ValueError("an inner one: not this")
        except ValueError as error:
            raise ValueError("/data/a.jpg: expected a picture, got: 3 bytes; fetch it again") from error


def test_an_error_of_a_loaders_process_is_told_in_its_own_words() -> None:
    from torch.utils.data import DataLoader

    with pytest.raises(ValueError, match="Caught ValueError") as caught:
        list(DataLoader(_Broken(), num_workers=1))  # type: ignore[arg-type]
    assert explained(caught.value) == (ValueError, "/data/a.jpg: expected a picture, got: 3 bytes; fetch it again")
    assert explained(FileNotFoundError(2, "No such file or directory", "/a")) == (
        FileNotFoundError, "[Errno 2] No such file or directory: '/a'",
    )  # fmt: skip
    assert explained(KeyError("a")) == (KeyError, "KeyError: 'a'")


def test_identity_round_trip() -> None:
    for cell in (_good(), _bad(), dataclasses.replace(_good(), changes=(("upsample", "bilinear"),), seed=3)):
        again = cell_from_identity(cell.identity(), cell.label)
        assert again == cell and again.id == cell.id


def test_identity_tells_cells_apart() -> None:
    cells = [_good(), _bad(), dataclasses.replace(_good(), seed=1), _good(epochs=2)]
    assert len({c.id for c in cells}) == len(cells)
    assert dataclasses.replace(_good(), label="another name").id == _good().id


def test_only_names_cells() -> None:
    cells = [_good(), make_cell("pose", "mpii", "hrnet_micro_w8", tier="smoke")]
    assert select(cells, ["pose/mpii/*"]) == cells[1:]
    assert select(cells, [cells[0].id]) == cells[:1]
    with pytest.raises(ValueError, match="matches no cell"):
        select(cells, ["face/*"])


def test_killed_and_started_again_ends_like_uninterrupted(tmp_path: Path) -> None:
    """SIGKILL to the whole process group while a cell trains; the second call continues and gives the same figures."""
    base = [
        sys.executable,
        "run_all.py",
        "run",
        "--suite",
        "embedded_pose",
        "--only",
        "pose/coco/hrnet_micro_w8",
        "--no-report",
    ]
    base += ["--embedded-root", str(tmp_path / "data"), "--jobs", "1", "--tier", "smoke", "--set", "recipe.epochs=6"]
    values = []
    for name in ("whole", "parts"):
        command = [*base, "--out", str(tmp_path / name)]
        environment = dict(os.environ)
        if name == "parts":
            process = subprocess.Popen(
                command, cwd=REPOSITORY, env=environment, start_new_session=True, stderr=subprocess.DEVNULL
            )
            deadline = time.monotonic() + 120
            while not list((tmp_path / name).rglob("*.work")) and time.monotonic() < deadline:
                time.sleep(0.05)
            time.sleep(1.0)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        done = subprocess.run(
            command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, done.stderr
        (stored,) = Store(tmp_path / name / "runs").all()
        values.append({k: v.value for k, v in stored.record.figures.items()})
    assert values[0] == values[1]


class _Remembering:
    """An executor of one place that notes the order and ends every job at once."""

    retry_s, in_batches = 1.0, False

    def __init__(self) -> None:
        self.order: list[str] = []
        self.heard: list[Answer] = []

    def room(self, gpu: bool) -> int:
        return 0 if gpu else 1

    def submit(self, jobs: Sequence[Job]) -> None:
        self.order += [job.name for job in jobs]
        self.heard += [(job.name, ("cell_done" if job.cell else "data_done", "done", None)) for job in jobs]

    def poll(self, timeout_s: float) -> list[Answer]:
        heard, self.heard = self.heard, []
        return heard

    def end(self) -> None: ...


def test_first_cells_and_their_data_begin_before_longer_ones(places: Places) -> None:
    long, short, first = (make_cell(task, data, "hrnet_micro_w8", tier="embedded") for task, data in (
        ("detection", "coco"), ("landmarks", "300w"), ("segmentation", "lip"),
    ))  # fmt: skip
    planned, executor = plan(Suite("test", (short, long, first), ()), places), _Remembering()
    run(planned, places, 1, lambda event: None, executor=executor, first=(first.id,))
    data = ["data/embedded/lip", "data/embedded/300w", "data/embedded/coco_detection"]
    assert executor.order == [data[0], first.id, data[1], data[2], long.id, short.id]
