"""Runs exported files: pictures in, maps out, on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmarks.engine.runtimes.packages import require

Session = Callable[[Tensor], list[Tensor]]
"""images (B, 3, H, W) float32 on the CPU -> the outputs, float32."""


def open_file(path: Path, precision: str = "fp32") -> Session:
    """A session for a file, by the end of its name; threads as PyTorch has them.

    Args:
        precision: of OpenVINO's products; the others compute in float32.

    Raises:
        ValueError: the name ends otherwise, or a package lacks.
    """
    kinds = {".onnx": _onnxruntime, ".xml": _openvino, ".pt2": _torch}
    if path.suffix not in kinds:
        raise ValueError(f"{path}: expected a name that ends in {', '.join(kinds)}.")
    return kinds[path.suffix](path, precision)


def _onnxruntime(path: Path, precision: str) -> Session:
    require("onnxruntime")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run(images: Tensor) -> list[Tensor]:
        return [torch.from_numpy(part) for part in session.run(None, {name: _array(images)})]

    return run


def _openvino(path: Path, precision: str) -> Session:
    require("openvino")
    import openvino

    core = openvino.Core()
    options = {
        "INFERENCE_PRECISION_HINT": {"bf16": "bf16", "fp16": "f16"}.get(precision, "f32"),
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "PERFORMANCE_HINT": "LATENCY",
    }
    compiled = core.compile_model(path, "CPU", options)
    request = compiled.create_infer_request()

    def run(images: Tensor) -> list[Tensor]:
        request.infer({0: _array(images)})
        # the request's own memory is written anew by the next call
        return [torch.from_numpy(np.array(part.data)) for part in request.output_tensors]

    return run


def _torch(path: Path, precision: str) -> Session:
    module = torch.export.load(path).module()

    def run(images: Tensor) -> list[Tensor]:
        with torch.no_grad():
            found = module(images)
        return [found] if isinstance(found, Tensor) else list(found)

    return run


def _array(images: Tensor) -> np.ndarray:
    return np.ascontiguousarray(images.float().numpy())
