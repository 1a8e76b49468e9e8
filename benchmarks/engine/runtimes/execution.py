"""Evaluates a network in a runtime: while a context is open, its forward pass is the runtime's."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.engine.runtimes.files import Exported, export
from benchmarks.engine.runtimes.graph import graph_of, on_grid
from benchmarks.engine.runtimes.graphs import Recorded
from benchmarks.engine.runtimes.packages import require
from benchmarks.engine.runtimes.sessions import Session, open_file
from tasks.precision import float32_products, reduced

RUNTIMES = ("eager", "compiled", "graphs", "onnxruntime", "openvino")


@contextmanager
def executed(
    network: nn.Module, runtime: str, precision: str, device: torch.device, same_shapes: bool = True
) -> Iterator[None]:
    """While it is open, the network computes in ``runtime`` and ``precision``; batches of ``same_shapes`` are worth a search for
    the fastest algorithms.

    Raises:
        ValueError: an unknown runtime, one that lacks a package, has not the precision, or does not run on the device.
    """
    with float32_products(precision == "tf32", device, same_shapes):
        if runtime == "eager":
            with reduced(network, precision, device):
                yield
            return
        _check(runtime, precision, device)
        if runtime in _IN_PLACE:
            with reduced(network, precision, device), _replaced(network, _IN_PLACE[runtime]):
                yield
            return
        with tempfile.TemporaryDirectory() as folder, reduced(network, precision, device):
            exported = _ByFile(network, runtime, precision, Path(folder))
            with _replaced(network, lambda call: exported):
                yield


@contextmanager
def compiled(network: nn.Module, active: bool) -> Iterator[None]:
    """While it is open and active, the network's forward pass is compiled by ``torch.compile``."""
    if not active:
        yield
        return
    with _replaced(network, _compiled):
        yield


def _check(runtime: str, precision: str, device: torch.device) -> None:
    if runtime not in RUNTIMES:
        raise ValueError(f"Expected a runtime out of {', '.join(RUNTIMES)}, got {runtime!r}.")
    if runtime == "compiled":
        return
    if runtime == "graphs":
        if device.type != "cuda":
            raise ValueError("--runtime graphs: expected a CUDA device, got a CPU. Use --runtime compiled or openvino.")
        return
    require(runtime)
    if device.type != "cpu":
        raise ValueError(f"--runtime {runtime}: expected the CPU, which it runs on here; add --device cpu.")
    if precision not in (("fp32", "bf16") if runtime == "openvino" else ("fp32",)):
        raise ValueError(f"--runtime {runtime}: it does not compute in {precision} here. Use --precision fp32.")


@contextmanager
def _replaced(network: nn.Module, made: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Iterator[None]:
    """Puts another call in the place of the one that :class:`Graph` exports."""
    graph = graph_of(network)
    owner, name = graph.owner, graph.name
    before = owner.__dict__.get(name)
    setattr(owner, name, made(getattr(owner, name)))
    try:
        yield
    finally:
        if before is None:
            delattr(owner, name)
        else:
            setattr(owner, name, before)


def _compiled(call: Callable[..., Any]) -> Callable[..., Any]:
    return torch.compile(call, dynamic=False)


_IN_PLACE: dict[str, Callable[[Callable[..., Any]], Callable[..., Any]]] = {"compiled": _compiled, "graphs": Recorded}


class _ByFile:
    """Exports at the first call; anew for another size where the file takes only one."""

    def __init__(self, network: nn.Module, runtime: str, precision: str, folder: Path) -> None:
        self.network, self.runtime, self.precision, self.folder = network, runtime, precision, folder
        self.any_size: tuple[Exported, Session] | None = None
        self.by_size: dict[tuple[int, int], tuple[Exported, Session]] = {}

    def __call__(self, images: Tensor) -> Tensor | list[Tensor]:
        size_hw = (images.shape[-2], images.shape[-1])
        exported, session = self._for(size_hw)
        return exported.graph.answer(session(images))

    def _for(self, size_hw: tuple[int, int]) -> tuple[Exported, Session]:
        if self.any_size is not None and on_grid(size_hw):
            return self.any_size
        if size_hw not in self.by_size:
            kind, ending = {"onnxruntime": ("onnx", "onnx"), "openvino": ("openvino", "xml")}[self.runtime]
            path = self.folder / f"{len(self.by_size)}.{ending}"
            exported = export(self.network, kind, path, size_hw)
            self.by_size[size_hw] = exported, open_file(path, self.precision)
            if exported.any_size:
                self.any_size = self.by_size[size_hw]
        return self.by_size[size_hw]
