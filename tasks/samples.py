"""The samples of an evaluation and of a training, as the engine takes them. Torch-free at import."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tasks.files.picture_entry import PictureEntry, Survey


class Samples:
    """How the pictures of samples reach the network.

    Attributes:
        far: whether the network is on an accelerator. Then ``images`` may be bytes (..., H, W, 3) uint8, which are normalised
            there by ``byte_values``; else they are (..., 3, H, W) float32, normalised. The engine sets it.
        sizes_vary: whether pictures reach the network in many sizes: then no time goes into the fastest algorithm for each.
        keeps: whether predictions are wanted beside what they are scored by; not where a training is only validated.
    """

    far: bool = False
    keeps: bool = True
    sizes_vary: bool = False

    def byte_values(self) -> NDArray[np.float32]:
        """(3, 256): what a byte of each channel stands for, normalised; ImageNet's by default."""
        from tasks.images import byte_values

        return byte_values()

    def pixels(self, picture: NDArray[np.uint8]) -> NDArray[Any]:
        """The network's input of a picture (..., H, W, 3), as bytes or normalised."""
        if self.far:
            return np.require(picture, requirements=["C", "W"])  # a copy of what a cache holds: PyTorch wants to own it
        from tasks.images import look_up

        return look_up(picture, self.byte_values())


class EvalData(Samples, ABC):
    """The samples of one evaluation: a map-style dataset whose items are dictionaries with an integer ``index``.

    Attributes:
        notes: what a reader of its figures must know (another file than the benchmark's was read, records were left out);
            stored with the result, printed, and a footnote in tables.
        surveyed: what the headers of its pictures told; None where nobody looked.
    """

    notes: tuple[str, ...] = ()
    surveyed: Survey | None = None

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, index: int) -> dict[str, Any]: ...

    @abstractmethod
    def image_ids(self) -> list[str]:
        """Name of the image of every sample; samples may share one."""

    def entries(self) -> Sequence[PictureEntry]:
        """The pictures of the samples as the annotations speak of them; none where they are no files."""
        return []

    def collate(self, samples: list[dict[str, Any]]) -> dict[str, Any]:
        """A batch; the default stacks with torch's own rule."""
        from torch.utils.data import default_collate

        return default_collate(samples)


class TrainData(Samples, ABC):
    """Training samples. Every random draw of an item comes from ``np.random.default_rng([seed, epoch, index])``.

    Attributes:
        notes: what was derived or left out of the files; stored with the result beside the evaluation's.
    """

    notes: tuple[str, ...] = ()

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, key: tuple[int, int]) -> dict[str, Any]:
        """The sample of (epoch, index): the engine's sampler yields such pairs."""

    def entries(self) -> Sequence[PictureEntry]:
        """The pictures of the samples as the annotations speak of them; none where they are no files."""
        return []

    def collate(self, samples: list[dict[str, Any]]) -> dict[str, Any]:
        from torch.utils.data import default_collate

        return default_collate(samples)

    def groups(self) -> np.ndarray | None:
        """(N,) integers; a batch holds samples of one group only (aspect-ratio groups in detection). None: no groups."""
        return None
