"""What a dataset is to the harness: its name, folder, splits, size and headline metric."""

from __future__ import annotations

from dataclasses import dataclass

from hrnet.names import nearest
from tasks.declarations.declaration import Declaration


@dataclass(frozen=True)
class DatasetInfo:
    """A dataset of a task.

    ``folder`` is its name below the data root; ``num_outputs`` joints, classes or points; ``headline`` the metric that
    ranks; ``embedded`` the writer's key in ``benchmarks.synthetic.WRITERS``; ``profile_hw`` the input size for its cost;
    ``declaration`` the content of its dataset.toml, None of a dataset that the task knows itself.
    """

    name: str
    title: str
    folder: str
    num_outputs: int
    train_split: str
    eval_split: str
    splits: tuple[str, ...]
    headline: str
    profile_hw: tuple[int, int]
    embedded: str | None = None
    declaration: Declaration | None = None

    def check_split(self, split: str) -> None:
        """Raises ValueError for a split that the dataset does not have; the nearest is named."""
        if split not in self.splits:
            raise ValueError(f"Unknown split {split!r} of {self.title}. {nearest(split, self.splits)}")


def declared_dataset(
    declaration: Declaration, *, num_outputs: int, headline: str, profile_hw: tuple[int, int]
) -> DatasetInfo:
    """The entry of a dataset that a file declares: trained on its split train where it has one, evaluated on val."""
    splits = tuple(declaration.splits)
    return DatasetInfo(
        declaration.name,
        declaration.shown_title,
        declaration.name,
        num_outputs,
        "train" if "train" in splits else "val",
        "val",
        splits,
        headline,
        profile_hw,
        None,
        declaration,
    )
