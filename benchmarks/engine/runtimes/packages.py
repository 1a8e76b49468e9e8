"""Packages that kinds of file and runtimes need."""

from __future__ import annotations

import sys
from importlib.util import find_spec

EXTRAS = {
    "onnx": ("export", ("onnx", "onnxscript")),
    "openvino": ("openvino", ("openvino", "onnx", "onnxscript")),
    "torch": ("", ()),
    "onnxruntime": ("export", ("onnxruntime", "onnx", "onnxscript")),
}
"""Kind of file or runtime -> the extra that installs its packages, and the packages."""


def require(kind: str) -> None:
    """Raises ValueError where a package that a kind of file or a runtime needs is not installed; the extra is named.

    To be called before OpenVINO is imported: it then reports nothing.
    """
    extra, packages = EXTRAS[kind]
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise ValueError(
            f"{kind}: expected the package {missing[0]}, which is not installed: pip install 'hrnet-benchmark[{extra}]'"
        )
    if kind == "openvino":
        # It posts every import and conversion to its maker, from processes of its own, unless this package is not found.
        sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
