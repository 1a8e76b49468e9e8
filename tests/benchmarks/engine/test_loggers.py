"""Sinks of `--log`: W&B offline, a local MLflow file store, TensorBoard; what fails is said once and stops nothing."""

from __future__ import annotations

import importlib.util
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.cli import entry
from benchmarks.engine.loggers import Loggers, open_loggers

FIELDS = {"task": "pose", "model": "hrnet_micro_w8", "recipe": {"epochs": 2}}


@pytest.fixture(autouse=True)
def _no_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_PROJECT", "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_PYTHON_REFRESH", "quiet")
    yield
    logging.getLogger("mlflow").handlers.clear()


def _open(folder: Path, names: tuple[str, ...], said: list[str]) -> Loggers:
    return open_loggers(names, folder / "workspace", folder / "shared", "pose/coco/micro", FIELDS, said.append)


def _logged(folder: Path, name: str) -> list[str]:
    """Logs a curve of two steps and a figure; what was said meanwhile."""
    said: list[str] = []
    loggers = _open(folder, (name,), said)
    loggers.add_scalars({"train/loss": 2.0}, 1)
    loggers.add_scalars({"train/loss": 1.5}, 2)
    loggers.add_scalar("AP", 61.5)
    loggers.close()
    return said


def test_a_local_mlflow_store_holds_curves_figures_and_parameters(tmp_path: Path) -> None:
    mlflow = pytest.importorskip("mlflow")
    said = _logged(tmp_path, "mlflow")
    assert said == [] and mlflow.active_run() is None
    client = mlflow.MlflowClient(tracking_uri=(tmp_path / "shared" / "mlruns").as_uri())
    experiment = client.get_experiment_by_name("hrnet-benchmark")
    [run] = client.search_runs([experiment.experiment_id])
    assert [point.value for point in client.get_metric_history(run.info.run_id, "train/loss")] == [2.0, 1.5]
    assert run.data.metrics["AP"] == 61.5 and run.data.params["model"] == "hrnet_micro_w8"
    assert run.data.tags["mlflow.runName"] == "pose/coco/micro"


@pytest.mark.parametrize("stated", [True, False])
def test_wandb_writes_offline_where_asked_or_where_there_is_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stated: bool
) -> None:
    pytest.importorskip("wandb")
    if stated:
        monkeypatch.setenv("WANDB_MODE", "offline")
    said: list[str] = []
    loggers = _open(tmp_path, ("wandb",), said)
    loggers.add_scalars({"train/loss": 2.0}, 1)
    loggers.close()
    assert len(said) == (0 if stated else 1) and all("nothing is sent" in line for line in said)
    [written] = (tmp_path / "shared" / "wandb").glob("offline-run-*/run-*.wandb")
    content = _settled(written)
    assert b"train/loss" in content and b"pose/coco/micro" in content and b"hrnet_micro_w8" in content


def _settled(path: Path) -> bytes:
    """A file's content once W&B's own process has written it."""
    for _ in range(100):
        if b"train/loss" in path.read_bytes():
            break
        time.sleep(0.05)
    return path.read_bytes()


def test_an_aim_repository_holds_curves_figures_and_parameters(tmp_path: Path) -> None:
    aim = pytest.importorskip("aim")
    said = _logged(tmp_path, "aim")
    assert said == []
    repository = str(tmp_path / "shared")
    [name] = aim.Repo(repository).list_all_runs()
    run = aim.Run(name, repo=repository, system_tracking_interval=None)
    kept = {m.name: list(m.values.values_list()) for m in run.metrics() if not m.name.startswith("__system__")}
    assert run.name == "pose/coco/micro" and run["cell"]["model"] == "hrnet_micro_w8"
    assert kept == {"train/loss": [2.0, 1.5], "AP": [61.5]}
    run.close()


class _Backend:
    """A sink that breaks at its second step."""

    experiment = None

    def __init__(self) -> None:
        self.steps: list[int] = []

    def add_scalars(self, numbers: dict[str, float], step: int) -> None:
        self.steps.append(step)
        if len(self.steps) == 2:
            raise ConnectionError("the server has gone away")

    def close(self) -> None:
        raise AssertionError("left out before")


def test_a_sink_that_fails_is_left_out_and_the_others_go_on() -> None:
    def broken() -> Any:
        raise RuntimeError("no such server")

    class Fine(_Backend):
        def add_scalars(self, numbers: dict[str, float], step: int) -> None:
            self.steps.append(step)

        def close(self) -> None:
            self.steps.append(-1)

    said: list[str] = []
    breaks, fine = _Backend(), Fine()
    loggers = Loggers({"mlflow": broken, "aim": lambda: breaks, "tensorboard": lambda: fine}, said.append)
    for step in (1, 2, 3):
        loggers.add_scalars({"loss": 1.0}, step)
    loggers.close()
    assert breaks.steps == [1, 2] and fine.steps == [1, 2, 3, -1]
    assert said == [
        "--log mlflow: no such server; the run goes on without it",
        "--log aim: the server has gone away; the run goes on without it",
    ]


def test_a_run_logs_where_it_is_asked_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tensorboard")
    mlflow = pytest.importorskip("mlflow")
    words = ["train", "--task", "landmarks", "--dataset", "300w", "--model", "hrnet_micro_w8", "--tier", "smoke"]
    words += ["--embedded-root", str(tmp_path / "data"), "--out", str(tmp_path / "out")]
    assert entry([*words, "--log", "tensorboard,mlflow,aim"]) == 0
    told = capsys.readouterr().err
    missing = importlib.util.find_spec("aim") is None
    assert told.count("pip install 'hrnet-benchmark[aim]'; the run goes on without it") == int(missing)
    assert len(list((tmp_path / "out" / "runs").glob("*/*/tensorboard/events*"))) == 1
    client = mlflow.MlflowClient(tracking_uri=(tmp_path / "out" / "mlruns").as_uri())
    [run] = client.search_runs([client.get_experiment_by_name("hrnet-benchmark").experiment_id])
    assert run.data.metrics["NME_inter_ocular"] > 0  # MLflow takes no brackets
    assert client.get_metric_history(run.info.run_id, "train/loss")


def test_an_unknown_sink_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry(["run", "--suite", "smoke", "--log", "tensorbord"]) == 2
    assert "expected names of tensorboard, wandb, mlflow, aim, got 'tensorbord'" in capsys.readouterr().err


def test_a_closed_stream_of_the_log_does_not_end_mlflow(tmp_path: Path) -> None:
    import io
    import logging

    from mmengine.logging import MMLogger

    from benchmarks.engine.loggers.open import _open_streams

    closed = io.StringIO()
    handler = logging.StreamHandler(closed)
    closed.close()
    logger = MMLogger.get_current_instance()
    logger.addHandler(handler)
    try:
        _open_streams()
        assert not handler.stream.closed
    finally:
        logger.removeHandler(handler)
