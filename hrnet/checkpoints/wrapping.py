"""Where the network's weights lie in a file: wrappers around them, prefixes before their names, what stands beside. No network is
known here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from hrnet.checkpoints.report import CheckpointError, shortened

WRAPPERS = (
    "state_dict",
    "model_state_dict",
    "model",
    "best_state_dict",
    "network",
    "net",
    "module",
    "weights",
    "params",
    "state_dict_ema",
    "ema_state_dict",
    "model_ema",
    "params_ema",
    "ema",
)
"""Keys under which training scripts put the weights, most wanted first."""

PREFIXES = (
    "module.",
    "_orig_mod.",
    "model.",
    "net.",
    "network.",
    "student.",
    "architecture.",
    "online_model.",
    "ema_model.",
    "teacher.",
)
"""What wrappers (DataParallel, torch.compile, a loss module, a teacher and its student) put before a key, most wanted first."""

LOSS = re.compile(r"^(?:module\.)*(?:loss|criterion)\.")
SHARE = 0.25
"""A prefix is a wrapper's if at least this share of the tensors has it; the others stand beside the network."""
_COMPILED = "_orig_mod."


@dataclass
class Unwrapped:
    """The tensors of a network by names without wrappers and prefixes.

    Attributes:
        state: the tensors. prefix: what was removed before every key. extra: plain data beside them.
        dropped: keys that were left out, with the reason. notes: what else was there to choose.
    """

    state: dict[str, Tensor]
    prefix: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    dropped: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def unwrap(payload: Any, chosen: str | None, where: str) -> Unwrapped:
    """The network's tensors in what a file holds.

    Args:
        chosen: a key of the file, with dots into what it holds ("ema_state_dict", "model.teacher"), or what begins the wanted
            names ("teacher"); None takes the most usual. where: names the file in error texts.

    Raises:
        CheckpointError: no tensors, or nothing of the chosen name; the text says what there is.
    """
    return _stripped(_without_wrappers(payload, where) if chosen is None else _choice(payload, chosen, where))


def _without_wrappers(payload: Any, where: str) -> Unwrapped:
    """The tensors under the most usual wrapper, by the file's own names."""
    made = Unwrapped({})
    state: Any = payload
    for _ in range(4):
        if not isinstance(state, Mapping):
            break
        inner = next((key for key in WRAPPERS if holds_tensors(state.get(key))), None)
        if inner is None or sum(isinstance(value, Tensor) for value in state.values()) > len(state) / 2:
            break
        others = [key for key in WRAPPERS if key != inner and holds_tensors(state.get(key))]
        if others:
            made.notes.append(f"took {inner!r}, although the file also holds {', '.join(map(repr, others))}")
        made.extra |= {str(k): v for k, v in state.items() if k != inner and k not in others}
        state = state[inner]
    if not isinstance(state, Mapping):
        raise CheckpointError(f"{where} holds a {type(state).__name__}, expected a dictionary of tensors.")
    made.state = {str(k): v for k, v in state.items() if isinstance(v, Tensor)}
    made.extra |= {str(k): v for k, v in state.items() if not isinstance(v, Tensor)}
    if not made.state:
        keys = ", ".join(str(k) for k in list(state)[:8]) or "nothing"
        nested = [str(key) for key, value in state.items() if holds_tensors(value)]
        advice = f" Choose with --state: {', '.join(nested)}." if nested else ""
        raise CheckpointError(
            f"{where} holds no network weights (found: {keys}). Expected a state dict of tensors.{advice}"
        )
    return made


def holds_tensors(value: Any, depth: int = 3) -> bool:
    """Whether a value is a dictionary of tensors, perhaps below further wrappers."""
    if not isinstance(value, Mapping):
        return False
    if any(isinstance(v, Tensor) for v in value.values()):
        return True
    return depth > 0 and any(holds_tensors(value.get(key), depth - 1) for key in WRAPPERS)


def _choice(payload: Any, chosen: str, where: str) -> Unwrapped:
    """What lies at a dotted key, or has names that begin with it."""
    value, rest = payload, chosen
    extra: dict[str, Any] = {}
    while rest and isinstance(value, Mapping):
        key = next(
            (k for k in sorted(map(str, value), key=len, reverse=True) if rest == k or rest.startswith(f"{k}.")), None
        )
        if key is None or isinstance(value.get(key), Tensor):
            break
        extra |= {str(k): v for k, v in value.items() if not isinstance(v, Tensor | Mapping)}
        value, rest = value.get(key), rest[len(key) :].lstrip(".")
    if isinstance(value, Mapping) and rest:
        inner = value if any(isinstance(v, Tensor) for v in value.values()) else _without_wrappers(value, where).state
        value = {str(k)[len(rest) + 1 :]: v for k, v in inner.items() if str(k).startswith(f"{rest}.")}
    tensors = {str(k): v for k, v in value.items() if isinstance(v, Tensor)} if isinstance(value, Mapping) else {}
    if tensors:
        return Unwrapped(tensors, extra=extra, notes=[f"took {chosen!r}, as asked for"])
    if holds_tensors(value):
        return _without_wrappers(value, where)
    names = payload if isinstance(payload, Mapping) else {}
    held = [str(key) for key, entry in names.items() if holds_tensors(entry)]
    begins = sorted({str(key).partition(".")[0] for key, entry in names.items() if isinstance(entry, Tensor)})
    raise CheckpointError(
        f"{where}: expected weights under {chosen!r} (--state), found none. The file holds "
        f"{shortened(held or begins, 8) or 'none'}."
    )


def _stripped(made: Unwrapped) -> Unwrapped:
    """Without losses, prefixes, what stands beside the network, and the marks of compiled inner modules."""
    for key in [k for k in made.state if LOSS.match(k)]:
        del made.state[key]
        made.dropped[key] = "the loss's own buffers"
    while made.state:
        counts = {p: sum(key.startswith(p) for key in made.state) for p in PREFIXES}
        found = next((p for p in PREFIXES if counts[p] and counts[p] >= SHARE * len(made.state)), None)
        if found is None:
            break
        others = [p for p in PREFIXES if p != found and counts[p] >= SHARE * len(made.state)]
        if others:
            made.notes.append(
                f"took the names that begin with {found!r}, although others begin with {', '.join(map(repr, others))}"
            )
        for key in [k for k in made.state if not k.startswith(found)]:
            del made.state[key]
            made.dropped[made.prefix + key] = f"beside the network, whose names begin with {made.prefix + found!r}"
        made.state = {key[len(found) :]: value for key, value in made.state.items()}
        made.prefix += found
    inner = [key for key in made.state if f".{_COMPILED}" in key]
    if inner:
        made.state = {key.replace(f".{_COMPILED}", "."): value for key, value in made.state.items()}
        made.notes.append(f"{len(inner)} names lost the mark of a compiled inner module")
    return made
