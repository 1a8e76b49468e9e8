"""Writes a network as a file of ONNX, OpenVINO or ``torch.export``, with what a user must know of its input inside."""

from __future__ import annotations

import json
import logging
import math
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.engine.runtimes.graph import GRID, Graph, dynamic_shapes, example, graph_of, on_grid
from benchmarks.engine.runtimes.packages import require
from benchmarks.engine.runtimes.sessions import open_file

TARGETS = {"onnx": (".onnx",), "openvino": (".xml",), "torch": (".pt2",)}
"""Kinds of file and how their names end."""
OPSET = 18
LIMIT = 1e-3
"""The largest difference, as a share of the largest output, that rounding explains; a file above it is not called good."""


@dataclass(frozen=True)
class Exported:
    """A written file.

    Attributes:
        any_size: whether it takes any multiple of 32 as height and width; else `size_hw` alone. The batch is free.
        graph: what was exported.
    """

    path: Path
    kind: str
    size_hw: tuple[int, int]
    any_size: bool
    graph: Graph


def export(
    network: nn.Module, kind: str, path: Path, size_hw: tuple[int, int], facts: Mapping[str, Any] | None = None
) -> Exported:
    """Writes a network, on the CPU and in float32, for any batch, and for any size where its graph allows one.

    Args:
        kind: "onnx", "openvino" or "torch".
        path: of the file; OpenVINO writes its weights beside it, as ``.bin``.
        size_hw: the size that is tried, and the one that a file of one size takes.
        facts: plain data that is written into the file: what the input has to be, and what the outputs are.

    Raises:
        ValueError: an unknown kind, a package that lacks, a name that ends otherwise, or a graph that cannot be exported.
    """
    if kind not in TARGETS:
        raise ValueError(f"Expected a kind of file out of {', '.join(TARGETS)}, got {kind!r}.")
    require(kind)
    if path.suffix not in TARGETS[kind]:
        raise ValueError(f"{path}: expected a name that ends in {TARGETS[kind][0]} for {kind}; change it.")
    graph = graph_of(network.cpu().float().eval())
    noted = {key: value if isinstance(value, str) else json.dumps(value) for key, value in (facts or {}).items()}
    reason = ""
    for any_size in (True, False) if on_grid(size_hw) else (False,):
        try:
            with quiet(), torch.no_grad():
                _WRITERS[kind](graph, path, size_hw, any_size, noted)
        except Exception as error:  # the exporter's own kinds are many: the next choice, then a reason in one line
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            continue
        made = Exported(path, kind, size_hw, any_size, graph)
        if not any_size or difference(made, 3, larger(size_hw)) <= LIMIT:
            return made
    path.unlink(missing_ok=True)
    raise ValueError(f"This network cannot be exported to {kind}: {reason}")


def larger(size_hw: tuple[int, int]) -> tuple[int, int]:
    """Another size of the grid, and of another shape."""
    return size_hw[0] + GRID, size_hw[1] + 2 * GRID


def difference(made: Exported, batch: int, size_hw: tuple[int, int]) -> float:
    """The largest difference between a file's outputs and the network's, as a share of the largest output.

    Infinite where the file does not take the size, or answers in another shape.
    """
    images = example(size_hw, batch, seed=batch)
    try:
        with torch.no_grad():
            found = made.graph(images)
        theirs = open_file(made.path)(images)
    except Exception:  # each runtime has its own kinds
        return math.inf
    own = [found] if isinstance(found, Tensor) else list(found)
    if [part.shape for part in own] != [part.shape for part in theirs]:
        return math.inf
    return max(float((a - b).abs().max() / a.abs().max().clamp(min=1e-12)) for a, b in zip(own, theirs, strict=True))


def _write_onnx(graph: Graph, path: Path, size_hw: tuple[int, int], any_size: bool, facts: Mapping[str, str]) -> None:
    import onnx

    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        part = Path(folder) / "network.onnx"
        torch.onnx.export(
            graph,
            (example(size_hw),),
            str(part),
            dynamo=True,
            opset_version=OPSET,
            dynamic_shapes=dynamic_shapes(any_size),
            input_names=["images"],
            external_data=False,
            verbose=False,
        )
        model = onnx.load(str(part))
        onnx.helper.set_model_props(model, dict(facts))
        onnx.save(model, str(part))
        part.replace(path)


def _write_openvino(
    graph: Graph, path: Path, size_hw: tuple[int, int], any_size: bool, facts: Mapping[str, str]
) -> None:
    import openvino

    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        part = Path(folder) / "network.onnx"
        _write_onnx(graph, part, size_hw, any_size, {})
        model = openvino.Core().read_model(part)  # what `convert_model` does, without a report of it
    for key, value in facts.items():
        model.set_rt_info(value, ["hrnet_benchmark", key])
    openvino.save_model(model, path, compress_to_fp16=False)


def _write_torch(graph: Graph, path: Path, size_hw: tuple[int, int], any_size: bool, facts: Mapping[str, str]) -> None:
    program = torch.export.export(graph, (example(size_hw),), dynamic_shapes=dynamic_shapes(any_size))
    torch.export.save(program, path, extra_files={"facts.json": json.dumps(dict(facts))})


_WRITERS = {"onnx": _write_onnx, "openvino": _write_openvino, "torch": _write_torch}


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps the exporters' progress and advice from the terminal."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
