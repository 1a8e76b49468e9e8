"""Sinks of curves and figures that may fail without stopping a run: what fails is said once and left out from there on.

Results never depend on them: the record of a cell holds every curve and figure on its own.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from mmengine.logging import MMLogger
from mmengine.registry import VISBACKENDS
from mmengine.visualization import Visualizer

PROJECT = "hrnet-benchmark"
LONGEST_PARAMETER = 400
"""Characters of a parameter's value; MLflow refuses longer ones."""


class Loggers(Visualizer):
    """mmengine's visualiser over backends that are left out once they fail.

    Args:
        backends: by name, what makes each. say: called with one line for each that fails.
    """

    def __init__(
        self, backends: Mapping[str, Callable[[], Any]], say: Callable[[str], None], name: str = "loggers"
    ) -> None:
        super().__init__(name=name, vis_backends=[])
        self.say = say
        self.open: dict[str, Any] = {}
        for name, make in backends.items():
            with self._tried(name):
                made = make()
                _ = made.experiment  # begins the run now, so that what is wrong is said at once
                self.open[name] = made

    def add_scalar(self, name: str, value: Any, step: int = 0, **kwargs: Any) -> None:
        """One number of a step."""
        self.add_scalars({name: value}, step)

    def add_scalars(self, scalar_dict: dict[str, Any], step: int = 0, file_path: str | None = None) -> None:
        """Numbers of a step by name."""
        numbers = {name: float(value) for name, value in scalar_dict.items()}
        for name in list(self.open):
            with self._tried(name):
                self.open[name].add_scalars(_as_taken(name, numbers, step), step)

    def close(self) -> None:
        """Ends every run; nothing is written after it."""
        for name in list(self.open):
            with self._tried(name):
                self.open.pop(name).close()

    @contextlib.contextmanager
    def _tried(self, name: str) -> Any:
        """Runs a block whose failure costs this sink alone; what it prints is kept from the terminal."""
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                yield
        except (Exception, SystemExit) as error:
            self.open.pop(name, None)
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            if isinstance(error, ImportError):
                reason = f"it is not installed: pip install '{PROJECT}[{name}]'"
            self.say(f"--log {name}: {reason}; the run goes on without it")


def _as_taken(sink: str, numbers: dict[str, float], step: int) -> dict[str, float]:
    """Numbers as a sink takes them: W&B counts calls, so the epoch is a number of its own; MLflow refuses brackets and @."""
    if sink == "mlflow":
        return {re.sub(r"[^\w\-. /]", "_", name).strip("_"): value for name, value in numbers.items()}
    return {**numbers, "epoch": float(step)} if sink == "wandb" and step else numbers


def open_loggers(
    names: Sequence[str],
    workspace: Path,
    shared: Path,
    cell: str,
    fields: Mapping[str, Any],
    say: Callable[[str], None],
) -> Loggers:
    """The sinks of ``--log``, begun.

    Args:
        workspace: of the cell, where TensorBoard's events go. shared: of all cells, for W&B's, MLflow's and Aim's folders.
        cell: its name. fields: what it is, as plain data.
    """
    makers: dict[str, Callable[[], Any]] = {
        "tensorboard": lambda: _build("TensorboardVisBackend", save_dir=str(workspace / "tensorboard")),
        "wandb": lambda: _wandb(shared, cell, fields, say),
        "mlflow": lambda: _mlflow(shared / "mlruns", workspace, cell, fields),
        "aim": lambda: _aim(shared, cell, fields),
    }
    workspace.mkdir(parents=True, exist_ok=True)
    return Loggers({name: makers[name] for name in names}, say)


def _build(kind: str, **options: Any) -> Any:
    return VISBACKENDS.build({"type": kind, **options})


def _wandb(shared: Path, cell: str, fields: Mapping[str, Any], say: Callable[[str], None]) -> Any:
    import wandb

    mode = os.environ.get("WANDB_MODE")
    if not mode and not _wandb_key():
        mode = "offline"
        say(
            f"--log wandb: no key of wandb.ai found, so nothing is sent; `wandb sync {shared}/wandb/offline-run-*` does later"
        )
    options = {
        "project": os.environ.get("WANDB_PROJECT", PROJECT),
        "name": cell,
        "config": dict(fields),
        "settings": wandb.Settings(silent=True, console="off"),
    }
    shared.mkdir(parents=True, exist_ok=True)
    return _build("WandbVisBackend", save_dir=str(shared), init_kwargs={**options, **({"mode": mode} if mode else {})})


def _wandb_key() -> bool:
    """Whether W&B could log in without asking the terminal."""
    import netrc

    if os.environ.get("WANDB_API_KEY"):
        return True
    try:
        return netrc.netrc().authenticators("api.wandb.ai") is not None
    except (OSError, netrc.NetrcParseError):
        return False


def _mlflow(folder: Path, workspace: Path, cell: str, fields: Mapping[str, Any]) -> Any:
    import mlflow  # noqa: F401  told apart from what fails later

    # MLflow keeps files for those who ask for them, and would rather have a database.
    os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
    _open_streams()
    made = _build(
        "MLflowVisBackend",
        save_dir=str(folder),
        exp_name=os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT),
        run_name=cell,
        params={name: str(value)[:LONGEST_PARAMETER] for name, value in fields.items()},
        tracking_uri=os.environ.get("MLFLOW_TRACKING_URI"),
        artifact_suffix=(),  # results are stored whole elsewhere
    )
    made.cfg = SimpleNamespace(work_dir=str(workspace))  # where it looks for artifacts at its end
    return made


def _open_streams() -> None:
    """Gives mmengine's log another stream where its own was closed: the backend takes every closed one for a file's."""
    for handler in MMLogger.get_current_instance().handlers:
        if isinstance(handler, logging.StreamHandler) and getattr(handler.stream, "closed", True):
            handler.stream = sys.stderr  # setStream would flush what is closed


def _aim(shared: Path, cell: str, fields: Mapping[str, Any]) -> Any:
    made = _build(
        "AimVisBackend",
        save_dir=str(shared),
        init_kwargs={"repo": str(shared), "experiment": PROJECT, "log_system_params": False},
    )
    made.experiment.name = cell
    made.experiment["cell"] = {name: str(value) for name, value in fields.items()}
    return made
