"""From a file to named tensors: safe reading, wrappers and prefixes. Nothing here knows a network."""

from __future__ import annotations

import json
import pickle
import re
import shlex
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hrnet.checkpoints.archive import damaged_entry
from hrnet.checkpoints.report import CheckpointError, shortened
from hrnet.checkpoints.wrapping import unwrap

_SAFETENSORS = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U16": torch.uint16,
    "U32": torch.uint32,
    "U64": torch.uint64,
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


def read_checkpoint(path: str | Path, chosen: str | None = None) -> RawCheckpoint:
    """Reads tensors and plain data, never code.

    Args:
        chosen: which weights of a file that holds several, see :func:`hrnet.checkpoints.wrapping.unwrap`.

    Raises:
        CheckpointError: no such file, not a checkpoint, cut off, pickled code inside, no tensors found, or values that are no
            plain numbers.
    """
    path = Path(path)
    found = unwrap(_payload(path), chosen, str(path))
    _refuse_quantised(found.state, path)
    return RawCheckpoint(path, found.state, found.prefix, found.extra, found.dropped, found.notes)


def _refuse_quantised(state: dict[str, Tensor], path: Path) -> None:
    """Values of 8 bits and less need scales that no network here has."""
    odd: dict[str, list[str]] = {}
    for key, value in state.items():
        if value.is_quantized or value.dtype.is_complex or (value.dtype.is_floating_point and value.dtype.itemsize < 2):
            odd.setdefault(str(value.dtype).removeprefix("torch."), []).append(key)
    if odd:
        kinds = "; ".join(f"{kind}: {shortened(keys, 2)}" for kind, keys in odd.items())
        raise CheckpointError(
            f"{path} holds quantised or complex weights ({kinds}), which need scales of their own. Expected floating-point "
            "numbers of 16 bits and more: save the network before its quantisation."
        )


def _payload(path: Path) -> Any:
    if path.exists() and not path.is_dir() and not path.is_file():
        raise CheckpointError(f"{path} is a pipe or a device, expected a checkpoint file (.pth, .pt, .safetensors).")
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
    entry = damaged_entry(path)
    if entry is not None:
        raise CheckpointError(
            f"{path} is damaged: {entry} is not what was written. Download or copy it again, or train anew."
        )
    try:
        with _numpy_scalars():
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "global" in str(error).lower():
            raise CheckpointError(_pickled_code(path, str(error))) from error
        raise CheckpointError(f"{path} cannot be read: it is cut off or damaged. Download or copy it again.") from error
    except (RuntimeError, EOFError, ValueError, KeyError, IndexError, AttributeError, TypeError, OSError) as error:
        raise CheckpointError(
            f"{path} cannot be read as a checkpoint: it is cut off, damaged, or of another kind{_told(error)}. "
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
    # Every kind of number, text and bytes; no objects.
    kinds = {
        type(np.dtype(t))
        for t in ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "g", "F", "D")
    }
    kinds |= {type(np.dtype(t)) for t in ("U1", "S1", "M8[s]", "m8[s]", "p", "P", "q", "Q")}
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
    return (
        f"{path} contains pickled code ({what}), not tensors and plain data alone; loading it would run that code, so it is "
        "refused. If you trust the file, convert it once in the environment that wrote it (the face repository's own "
        f"training, for instance, pickles whole modules):\n  python -c {shlex.quote(_conversion(path, target))}\nthen load "
        f"{target}."
    )


def _conversion(path: Path, target: str) -> str:
    """Python that writes the largest set of named tensors in a file, wherever it lies there, or says that there is none."""
    file, made = json.dumps(str(path)), json.dumps(target)
    return (
        f'import sys, torch; c = torch.load({file}, map_location="cpu", weights_only=False); '
        'p = lambda o: o.state_dict() if hasattr(o, "state_dict") and not isinstance(o, type) else o; '
        'w = lambda o: [o] + [d for k, v in o.items() if "optim" not in str(k) for d in w(p(v))] if isinstance(o, dict) else []; '
        "t = [{k: v for k, v in d.items() if isinstance(k, str) and torch.is_tensor(v)} for d in w(p(c))]; "
        f's = max(t, key=len, default={{}}) or sys.exit("no named tensors in " + {file}); '
        f'torch.save(s, {made}); print(len(s), "tensors written to", {made})'
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


def _told(error: Exception) -> str:
    """torch's or our own words about a damaged file, in brackets; Python's, which are about code, are left out."""
    text = str(error).strip().partition("\n")[0]
    return f" ({text[:160]})" if text and type(error) in (RuntimeError, ValueError) else ""


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
            if entry["dtype"] not in _SAFETENSORS:
                raise CheckpointError(
                    f"{path} holds values of the kind {entry['dtype']} ({key}): weights of 8 bits and less need scales of their "
                    f"own. Expected one of {', '.join(_SAFETENSORS)}: save the network before its quantisation."
                )
            kind, shape = _SAFETENSORS[entry["dtype"]], entry["shape"]
            if not 0 <= begin <= end <= len(body):
                raise ValueError("shorter than its header says")
            flat = torch.frombuffer(body[begin:end], dtype=kind) if end > begin else torch.empty(0, dtype=kind)
            state[key] = flat.reshape(shape).clone()
    except CheckpointError:
        raise
    except (ValueError, KeyError, TypeError, RuntimeError, AttributeError, RecursionError, MemoryError) as error:
        raise CheckpointError(
            f"{path} cannot be read as safetensors: it is cut off or damaged{_told(error)}. Download it again."
        ) from error
    return state
