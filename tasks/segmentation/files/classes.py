"""Tables of classes: their names, the ids in label files, colours. See docs/protocols.md, sections 6 to 8."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IGNORE = 255
"""What every label map holds where nothing is scored; the datasets' own conventions (-1, 255) end at the loader."""


@dataclass(frozen=True)
class ClassTable:
    """The scored classes of a dataset, in the order of the network's outputs.

    Attributes:
        names: one per class.
        colours: (R, G, B) per class, for overlays.
        file_ids: what stands for each class in the dataset's own label pngs and in submissions.
        ignored_ids: what else may stand in a label png; becomes :data:`IGNORE`.
        flip_pairs: classes that swap when a picture is mirrored.
    """

    names: tuple[str, ...]
    colours: tuple[tuple[int, int, int], ...]
    file_ids: tuple[int, ...]
    ignored_ids: tuple[int, ...] = ()
    flip_pairs: tuple[tuple[int, int], ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def decode_table(self) -> NDArray[np.int16]:
        """(256,) file id -> class; :data:`IGNORE` for ignored ids, -1 for ids that may not occur."""
        table = np.full(256, -1, np.int16)
        table[list(self.ignored_ids)] = IGNORE
        table[list(self.file_ids)] = np.arange(len(self.names))
        return table

    def encode_table(self) -> NDArray[np.uint8]:
        """(K,) class -> file id, as submissions want it."""
        return np.asarray(self.file_ids, np.uint8)

    def mirror(self) -> NDArray[np.intp]:
        """(K,) class -> class after a horizontal flip: its own inverse."""
        order = np.arange(len(self.names))
        for a, b in self.flip_pairs:
            order[a], order[b] = b, a
        return order


def spread_colours(count: int) -> tuple[tuple[int, int, int], ...]:
    """(R, G, B) colours told apart by the bits of the index, spread over the three channels (the PASCAL VOC rule)."""
    made = []
    for index in range(count):
        channels = [0, 0, 0]
        for bit in range(8):
            for k in range(3):
                channels[k] |= ((index >> (3 * bit + k)) & 1) << (7 - bit)
        made.append((channels[0], channels[1], channels[2]))
    return tuple(made)
