"""What a task is to the rest of the harness. A task's methods import torch where they run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from benchmarks.baselines import check_body_name
from tasks.declarations.dataset_info import DatasetInfo as DatasetInfo
from tasks.declarations.dataset_info import declared_dataset as declared_dataset
from tasks.declarations.declared import OwnDatasets
from tasks.direction import Direction
from tasks.options import converted, nearest, override, to_plain
from tasks.recipe import EXTRAS, Recipe
from tasks.results.on_pictures import OnPictures
from tasks.samples import EvalData as EvalData
from tasks.samples import TrainData as TrainData

if TYPE_CHECKING:
    from torch import Tensor, nn


Stats = dict[str, np.ndarray]
"""Sufficient statistics of an evaluation. ``image`` (N,) names each image; every array whose first axis has length N is
per image; ragged data use ``<name>_start`` (N + 1,) offsets. Saved as one npz, merged by concatenation over images."""


@dataclass(frozen=True)
class MetricInfo:
    """A figure's unit, direction and how it is printed."""

    name: str
    unit: str
    direction: Direction
    decimals: int = 1
    bounds: tuple[float, float] | None = None
    description: str = ""


class Evaluation(ABC):
    """Collects predictions of one evaluation; sums only, so that shards merge exactly.

    Attributes:
        per_sample: names of the attributes that hold what :meth:`add` keeps, a row or an entry for each sample: arrays
            (samples, ...) or dictionaries. With them shards are merged; without any, predictions are brought together first.
    """

    per_sample: tuple[str, ...] = ()

    def __init__(self, data: EvalData, protocol: Any) -> None:
        self.data, self.protocol = data, protocol

    @abstractmethod
    def add(self, indices: Sequence[int], predictions: Sequence[Any]) -> None:
        """Takes predictions (plain NumPy structures) of the samples ``indices``, in any order."""

    def shard(self, indices: Sequence[int]) -> dict[str, Any]:
        """What was kept of the samples ``indices``, for :meth:`merge` of another process."""
        rows = list(indices)
        held = {name: getattr(self, name) for name in self.per_sample}
        return {k: v[rows] if isinstance(v, np.ndarray) else [v[index] for index in rows] for k, v in held.items()}

    def merge(self, indices: Sequence[int], shard: Mapping[str, Any]) -> None:
        """Takes what another evaluation of the same data kept of the samples ``indices``."""
        for name in self.per_sample:
            held = getattr(self, name)
            for index, value in zip(indices, shard[name], strict=True):
                held[index] = value
        self.add((), ())  # what was derived before is not any more

    @abstractmethod
    def stats(self) -> Stats:
        """Per-image sufficient statistics; raises ValueError if samples are missing."""

    @abstractmethod
    def write_predictions(self, path: Path) -> None:
        """Writes the benchmark's own submission format to ``path`` (a file, or a folder for label maps)."""

    def write_submission(self, folder: Path) -> str:
        """For a split whose truth its server keeps: the archive that the server takes, made of the predictions in ``folder``.

        Returns:
            what a user has to do with it; "" where the figures are known here.
        """
        return ""

    @abstractmethod
    def sample_scores(self) -> np.ndarray:
        """(samples,) a quality per sample, higher is better, for choosing best and worst pictures; NaN where undefined."""

    @abstractmethod
    def picture(self, index: int, what: Literal["truth", "prediction"]) -> np.ndarray:
        """(H, W, 3) uint8 RGB: sample ``index`` with its ground truth or its prediction drawn."""

    def counts(self) -> dict[str, int]:
        """Figure -> number of samples that it was computed from, where that is not every image (a subset's, faces of one
        picture); figures that are not named count the images. None named by default."""
        return {}

    def curves(self) -> dict[str, list[list[float]]]:
        """Named curves [[x, y], ...] worth plotting (cumulative errors, precision over recall); none by default."""
        return {}


class Task(OwnDatasets, OnPictures, ABC):
    """One folder below ``tasks/``; ``task.py`` holds the instance ``TASK``.

    Attributes:
        name: the folder.
        version: raised by hand when an evaluation's meaning changes; part of every result's key.
        input_fields: protocol fields that say what a network expects of its input (colour order), not how it is scored;
            cells that differ in them alone are comparable.
        figures_by_name: whether ``figures`` takes ``wanted``, the names of the figures that are needed.
        graph_varies: whether it depends on the data which parameters have a part in the training loss.
        reads_submissions: whether ``submission_stats`` is there, for the ``score`` verb.
        metrics: by name. datasets: likewise, of its own and declared.
        recipe_variants: published variants of the full recipes by name, for ``--set recipe.variant=NAME``.
        recipe_extras: name and type of what recipes of this task may have in ``extra``, beside :data:`tasks.recipe.EXTRAS`.
    """

    name: str
    version: int = 1
    input_fields: tuple[str, ...] = ()
    reads_submissions: bool = False
    graph_varies: bool = False
    figures_by_name: bool = False
    metrics: Mapping[str, MetricInfo]
    recipe_variants: Mapping[str, Callable[[Recipe], Recipe]] = {}
    recipe_extras: Mapping[str, Any] = {}

    def body_name(self, model: str) -> str:
        """The body of one of this task's models: the name itself, without what a task adds to it ("_ocr" in segmentation)."""
        return model

    def check_model(self, model: str) -> None:
        """Raises ValueError naming the nearest model if this task cannot build ``model``."""
        check_body_name(self.body_name(model))

    def model_names(self, bodies: Sequence[str]) -> list[str]:
        """Every model of this task: all bodies, and what a task has beside them (dilated networks in segmentation)."""
        return list(bodies)

    def named(self, model: str, options: Mapping[str, Any]) -> str:
        """``model`` with what the network's ``options`` add to its name ("_ocr" in segmentation): what representation,
        protocol and recipe go by."""
        return model

    def implied_protocol(self, model: str, options: Mapping[str, Any], dataset: str) -> dict[str, Any]:
        """Fields of the protocol that a network built with ``options`` implies (its number of classes); what the user states
        comes after them."""
        return {}

    # -- networks ------------------------------------------------------------------------------------------------
    @abstractmethod
    def default_representation(self, model: str, dataset: str) -> str: ...

    @abstractmethod
    def build_model(self, model: str, dataset: str, representation: str | None = None, **changes: Any) -> nn.Module: ...

    # -- protocol and recipe -------------------------------------------------------------------------------------
    @abstractmethod
    def protocol(self, dataset: str, *, model: str = "", family: str | None = None, tier: str = "full") -> Any:
        """The frozen protocol of this dataset, with what the model's or the checkpoint's family implies (colour order,
        shift, crop rule, ...)."""

    @abstractmethod
    def recipe(self, dataset: str, model: str, tier: str) -> Recipe:
        """The recipe of a tier: "full" is the paper's own, "embedded" and "smoke" fit a laptop."""

    def protocol_with(self, protocol: Any, changes: Mapping[str, Any]) -> Any:
        """``protocol`` with ``--protocol k=v`` applied; an unknown key names the nearest."""
        return override(protocol, changes, f"protocol field of {self.name}")

    def recipe_with(self, recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
        """``recipe`` with ``--set recipe.k=v`` applied: the published variants that ``variant`` names (one, or several between
        commas, in their order), then the other fields.

        Raises:
            ValueError: an unknown variant or key, or a value that does not fit; the nearest name is given.
        """
        fields = dict(changes)
        for variant in filter(None, str(fields.pop("variant", "")).split(",")):
            if variant not in self.recipe_variants:
                hint = nearest(variant, self.recipe_variants)
                raise ValueError(f"Unknown recipe variant {variant!r} of {self.name}. {hint}")
            recipe = self.recipe_variants[variant](recipe)
        known: dict[str, Any] = {**EXTRAS, **self.recipe_extras}
        if "extra" in fields:
            raise ValueError(
                f"recipe field 'extra' is changed by extra.NAME, got all of it. Known: {', '.join(known)}."
            )
        asked = {key.removeprefix("extra."): fields.pop(key) for key in list(fields) if key.startswith("extra.")}
        extra = converted(asked, known, "recipe field extra.")
        recipe = override(recipe, fields, "recipe field")
        return replace(recipe, extra={**recipe.extra, **extra}) if extra else recipe

    def protocol_header(self, protocol: Any) -> str:
        """A short text for a table's header: what moves the score."""
        return ", ".join(f"{k}={v}" for k, v in to_plain(protocol).items())

    def input_facts(self, protocol: Any) -> dict[str, Any]:
        """What a picture's numbers have to be at the network's input, as plain data for exported files."""
        from tasks.images import IMAGENET_MEAN, IMAGENET_STD

        return {"channels": "rgb", "range": "0 to 1", "mean": list(IMAGENET_MEAN), "std": list(IMAGENET_STD)}

    # -- data ----------------------------------------------------------------------------------------------------
    @abstractmethod
    def eval_data(self, dataset: str, root: Path, split: str, protocol: Any) -> EvalData:
        """Opens the dataset at its own folder ``root``; raises ValueError or FileNotFoundError naming file and fix."""

    @abstractmethod
    def train_data(
        self, dataset: str, root: Path, split: str, recipe: Recipe, protocol: Any, seed: int
    ) -> TrainData: ...

    @abstractmethod
    def data_files(self, dataset: str, root: Path, split: str, protocol: Any) -> list[Path]:
        """The files (annotations, lists) whose content identifies the data; hashed into the data fingerprint."""

    def prepare(self, model: nn.Module, recipe: Recipe) -> None:
        """Changes a network before its training, and before the optimiser sees its parameters (frozen parts)."""
        return

    def options_of_data(self, dataset: str, root: Path, split: str) -> dict[str, Any]:
        """Options of ``build_model`` that a split to train on implies (``num_outputs`` of a set of one's own classes)."""
        return {}

    def meet(self, model: nn.Module, data: EvalData | TrainData) -> None:
        """Tells data and network of each other before the one runs on the other: which class an output is.

        Raises:
            ValueError: the network's outputs are not the data's classes or joints.
        """
        return

    # -- computation ---------------------------------------------------------------------------------------------
    @abstractmethod
    def loss(self, model: nn.Module, batch: dict[str, Any], recipe: Recipe) -> dict[str, Tensor]:
        """Scalars; keys that start with "loss" are summed and minimised, the others are shown (a quick accuracy)."""

    @abstractmethod
    def predict(self, model: nn.Module, batch: dict[str, Any], protocol: Any) -> list[Any]:
        """One plain NumPy prediction per sample, under inference mode; includes flip, scales and decoding."""

    @abstractmethod
    def evaluation(self, data: EvalData, protocol: Any) -> Evaluation: ...

    @abstractmethod
    def figures(
        self, dataset: str, stats: Stats, protocol: Mapping[str, Any], counts: np.ndarray | None = None
    ) -> dict[str, float]:
        """All figures from per-image statistics. ``protocol`` is plain data as stored in the cell.

        ``counts`` (N,) says how often each image counts (a bootstrap draw); None counts each once. A task whose figures are
        slow says ``figures_by_name`` and takes ``wanted``, the names of those that are needed, which the bootstrap gives it.
        """

    def class_figures(self, dataset: str, stats: Stats) -> Mapping[str, Any]:
        """Figures by class for the report's bars, where they are not among `figures`; none by default."""
        return {}

    def submission_stats(
        self, dataset: str, root: Path, split: str, path: Path, protocol: Any
    ) -> tuple[Stats, tuple[str, ...]]:
        """Per-image statistics of a submission file, whoever made it, in the form that ``write_predictions`` writes; and what a
        reader of its figures must know. Of tasks that say ``reads_submissions``.

        Raises:
            ValueError: the file is missing, broken or of another split.
        """
        raise NotImplementedError

    def headline(self, dataset: str) -> str:
        return self.dataset(dataset).headline
