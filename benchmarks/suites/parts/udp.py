"""Cells of the small tiers with UDP's crop, target, decoding and flip."""

from __future__ import annotations

from benchmarks.experiment.cell import Cell, make_cell

UDP = {"crop": "udp", "target": "udp", "decoder": "udp", "shift": False}


def udp_cell(model: str, tier: str) -> Cell:
    """A body on the embedded COCO people under UDP."""
    return make_cell("pose", "coco", model, tier=tier, protocol=UDP, label="UDP")
