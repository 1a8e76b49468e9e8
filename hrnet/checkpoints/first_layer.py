"""Tells trained weights from random numbers by the first convolution's filters."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from hrnet.checkpoints.reading import read_checkpoint
from hrnet.checkpoints.report import CheckpointError

LEAST = 0.2
"""Least correlation, between colours or between neighbouring pixels, of trained filters.

The rule: a file is called random numbers if in its first convolution over three channels both red and green, and every pixel
and the next in its row, correlate less than this. Independent numbers stay below it: it is three and a half deviations of the
smallest released first layer (32 filters of 3x3; of 24 filters one file in two hundred passes). Filters that learnt from
photographs answer brightness and edges, and have far more of one or both: seven trained layers of 8 to 32 filters of 3x3
(detectors of faces, of objects and of text, released by others) have 0.36 to 0.83, twelve networks of the embedded data that
were trained for minutes 0.35 to 0.75. A false alarm would take a layer of colour-blind noise.
"""
DECLARED = "seeded"
"""A key of a checkpoint's plain data (or of its "meta") that says that its numbers are drawn, for tests."""


def problem_of(path: Path) -> str:
    """Why a file can not be a trained network's; "" where nothing speaks against it, or where it declares its numbers drawn."""
    try:
        raw = read_checkpoint(path)
    except CheckpointError as error:
        return str(error)
    meta = raw.extra.get("meta")
    if raw.extra.get(DECLARED) or (isinstance(meta, dict) and meta.get(DECLARED)):
        return ""
    found = structure(raw.state)
    if found is None or found >= LEAST:
        return ""
    return (
        f"random numbers: in its first convolution neither colours nor neighbouring pixels are alike ({found:.2f}; trained: "
        f"{LEAST} or more)"
    )


def structure(state: Mapping[str, Tensor]) -> float | None:
    """The greater correlation, of red with green or of each pixel with the next in its row, over the filters of the first
    convolution that reads three channels.

    None where there is none.
    """
    for weight in state.values():
        if weight.dim() == 4 and weight.shape[1] == 3 and weight.shape[0] >= 8 and weight.shape[2] > 1:
            filters = weight.float()
            pairs = ((filters[:, 0], filters[:, 1]), (filters[..., :-1], filters[..., 1:]))
            return max(
                float(torch.nan_to_num(torch.corrcoef(torch.stack([a.flatten(), b.flatten()])))[0, 1].abs())
                for a, b in pairs
            )
    return None
