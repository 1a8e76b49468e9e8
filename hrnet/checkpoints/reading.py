"""From a file to named tensors: safe reading, wrappers and prefixes. Nothing here knows a network."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hrnet.checkpoints.report import CheckpointError

WRAPPERS = (
    "state_dict",
    "model_state_dict",
    "model",
    "best_state_dict",
    "network",
    "state_dict_ema",
    "model_ema",
    "ema",
)
"""Keys under which training scripts put the weights, most wanted first."""

PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.", "ema_model.")
"""What wrappers (DataParallel, torch.compile, a loss module) put before every key."""

LOSS = re.compile(r"^(?:module\.)*(?:loss|criterion)\.")

_SAFETENSORS = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}


@dataclass
class RawCheckpoint:
    """Named tensors of a file without wrappers and prefixes.

    Attributes:
        state: tensors by the file's own names, prefix removed. prefix: what was removed.
        extra: plain data beside them (epoch, build, ...). dropped: keys left out already, with the reason.
    """

    path: Path
    state: dict[str, Tensor]
    prefix: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    dropped: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_checkpoint(path: str | Path) -> RawCheckpoint:
    """Reads tensors and plain data, never code.

    Raises:
        CheckpointError: no such file, not a checkpoint, cut off, pickled code inside, or no tensors found.
    """
    path = Path(path)
    payload = _payload(path)
    extra: dict[str, Any] = {}
    notes: list[str] = []
    state: Any = payload
    for _ in range(4):
        if not isinstance(state, Mapping):
            break
        inner = next((key for key in WRAPPERS if _holds_tensors(state.get(key))), None)
        if inner is None:
            break
        others = [key for key in WRAPPERS if key != inner and _holds_tensors(state.get(key))]
        if others:
            notes.append(f"took {inner!r}, although the file also holds {', '.join(map(repr, others))}")
        extra |= {str(k): v for k, v in state.items() if k != inner and k not in others}
        state = state[inner]
    if not isinstance(state, Mapping):
        raise CheckpointError(f"{path} holds a {type(state).__name__}, expected a dictionary of tensors.")
    tensors = {str(k): v for k, v in state.items() if isinstance(v, Tensor)}
    if not tensors:
        keys = ", ".join(str(k) for k in list(state)[:8]) or "nothing"
        raise CheckpointError(f"{path} holds no network weights (found: {keys}). Expected a state dict of tensors.")
    extra |= {str(k): v for k, v in state.items() if not isinstance(v, Tensor)}
    raw = RawCheckpoint(path, tensors, extra=extra, notes=notes)
    _strip(raw)
    return raw


def _holds_tensors(value: Any, depth: int = 3) -> bool:
    if not isinstance(value, Mapping):
        return False
    if any(isinstance(v, Tensor) for v in value.values()):
        return True
    return depth > 0 and any(_holds_tensors(value.get(key), depth - 1) for key in WRAPPERS)


def _strip(raw: RawCheckpoint) -> None:
    for key in [k for k in raw.state if LOSS.match(k)]:
        del raw.state[key]
        raw.dropped[key] = "the loss's own buffers"
    while True:
        found = next((p for p in PREFIXES if raw.state and all(k.startswith(p) for k in raw.state)), None)
        if found is None:
            return
        raw.state = {k[len(found) :]: v for k, v in raw.state.items()}
        raw.prefix += found


def _payload(path: Path) -> Any:
    if path.is_dir():
        raise CheckpointError(f"{path} is a folder, expected a checkpoint file (.pth, .pt, .safetensors).")
    if not path.exists():
        near = (
            [p.name for p in sorted(path.parent.glob(f"*{path.suffix or '.pth'}"))[:5]] if path.parent.is_dir() else []
        )
        beside = f" Beside it: {', '.join(near)}." if near else ""
        raise CheckpointError(f"No checkpoint at {path}.{beside} Check the path, or put the file there.")
    with path.open("rb") as file:
        start = file.read(256)
    if not start:
        raise CheckpointError(f"{path} is empty. Download it again.")
    if path.suffix == ".safetensors" or start[8:9] == b"{":
        return _read_safetensors(path)
    if start[:2] != b"PK" and start[:1] != b"\x80" and start[:3] != b"\x8a\x0al":
        raise CheckpointError(
            f"{path} is not a checkpoint: {_looks_like(start)}. Expected a file written by torch.save."
        )
    try:
        with _numpy_scalars():
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "global" in str(error).lower():
            raise CheckpointError(_pickled_code(path, str(error))) from error
        raise CheckpointError(f"{path} cannot be read: it is cut off or damaged. Download or copy it again.") from error
    except (RuntimeError, EOFError, ValueError, KeyError, IndexError, AttributeError, TypeError, OSError) as error:
        reason = str(error).strip().splitlines()[0][:160] if str(error).strip() else type(error).__name__
        raise CheckpointError(
            f"{path} cannot be read as a checkpoint: it is cut off, damaged, or of another kind ({reason}). "
            "Download or copy it again."
        ) from error


def _numpy_scalars() -> AbstractContextManager[Any]:
    """Training scripts store accuracies as NumPy numbers; those are plain data, so they are let through."""
    try:
        import numpy as np
    except ImportError:
        return nullcontext()
    import _codecs

    core = np.float64(0).__reduce__()[0]
    kinds = {type(np.dtype(t)) for t in ("f2", "f4", "f8", "i4", "i8", "u1", "?")}
    array = np.zeros(1).__reduce__()[0]
    allowed: list[Any] = [np.dtype, np.ndarray, *kinds, _codecs.encode]
    for module in ("numpy.core.multiarray", "numpy._core.multiarray"):
        allowed += [(core, f"{module}.scalar"), (array, f"{module}._reconstruct")]
    return torch.serialization.safe_globals(allowed)


def _pickled_code(path: Path, message: str) -> str:
    named = re.search(
        r"GLOBAL ([\w.]+) was not an allowed|Unsupported (?:global|class|operand)[: ]*(?:GLOBAL )?([\w.]+)", message
    )
    what = next((g for g in named.groups() if g), "a class") if named else "a class"
    target = path.with_suffix(".weights.pth").name
    command = (
        'python -c "import torch; c = torch.load('
        f"'{path}', map_location='cpu', weights_only=False); "
        "s = c.get('state_dict', c) if isinstance(c, dict) else c; "
        "s = s.state_dict() if hasattr(s, 'state_dict') else s; "
        f"torch.save({{k: v for k, v in s.items() if hasattr(v, 'shape')}}, '{target}')\""
    )
    return (
        f"{path} contains pickled code ({what}), not tensors and plain data alone; loading it would run that code, so it is "
        "refused. If you trust the file, convert it once in the environment that wrote it (the face repository's own "
        f"training, for instance, pickles whole modules):\n  {command}\nthen load {target}."
    )


def _looks_like(start: bytes) -> str:
    text = start.lstrip()[:64].lower()
    if text.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "it is a web page, so the download went wrong"
    if text.startswith(b"version https://git-lfs"):
        return "it is a git-lfs pointer; fetch the real file with git lfs pull"
    if start[:3] == b"\xff\xd8\xff" or start[:4] == b"\x89PNG":
        return "it is a picture"
    if text.startswith((b"{", b"[")):
        return "it looks like json"
    return f"it starts with {start[:8]!r}"


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    data = bytearray(path.read_bytes())
    length = int.from_bytes(data[:8], "little")
    try:
        header = json.loads(bytes(data[8 : 8 + length]).decode("utf-8"))
        body, state = memoryview(data)[8 + length :], {}
        for key, entry in header.items():
            if key == "__metadata__":
                continue
            begin, end = entry["data_offsets"]
            kind, shape = _SAFETENSORS[entry["dtype"]], entry["shape"]
            if end > len(body):
                raise ValueError("shorter than its header says")
            flat = torch.frombuffer(body[begin:end], dtype=kind) if end > begin else torch.empty(0, dtype=kind)
            state[key] = flat.reshape(shape).clone()
    except (ValueError, KeyError, TypeError, RuntimeError, UnicodeDecodeError) as error:
        raise CheckpointError(
            f"{path} cannot be read as safetensors: it is cut off or damaged ({error}). Download it again."
        ) from error
    return state
