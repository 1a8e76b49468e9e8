"""Cells: what would be run, as plain frozen data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from typing import Any

from tasks import get_task
from tasks.options import from_plain, nearest, to_plain
from tasks.recipe import Recipe

TIERS = ("smoke", "embedded", "full")
OF_CELL = "cell:"
"""What begins a checkpoint that is the trained weights of another cell; its id follows."""
RUNTIMES = ("eager", "compiled", "graphs", "onnxruntime", "openvino")
PRECISIONS = ("fp32", "tf32", "bf16", "fp16")


@dataclass(frozen=True)
class Cell:
    """One row's worth of numbers: a body trained by a recipe, or a checkpoint, evaluated under one protocol.

    Attributes:
        changes: keyword arguments of ``tasks.build_model``, as sorted (name, value) pairs.
        recipe: what trains it; None for a checkpoint.
        checkpoint: file name of released weights, looked for below ``--weights``; None for a trained cell.
        protocol: the task's frozen protocol.
        label: a short name for tables where the model's does not tell it apart ("V1h", "without exchange").
        data: the embedded writer's key where the data are embedded; None for a dataset below ``--data-root``.
        boxes_from: id of another cell whose predictions feed this one (detector boxes for pose).
        train_split: where it is trained, if not on the dataset's usual training split.
        precision: of the network's products at evaluation: "fp32", "tf32" (CUDA), "bf16" or "fp16"; a training's is its recipe's.
        state: which weights of a checkpoint that holds several; None for the usual ones.
    """

    task: str
    dataset: str
    split: str
    model: str
    representation: str
    protocol: Any
    recipe: Recipe | None = None
    checkpoint: str | None = None
    changes: tuple[tuple[str, Any], ...] = ()
    seed: int = 0
    tier: str = "full"
    label: str = ""
    data: str | None = None
    boxes_from: str | None = None
    train_split: str | None = None
    precision: str = "fp32"
    state: str | None = None
    runtime: str = "eager"

    def identity(self) -> dict[str, Any]:
        """Everything that says which cell this is, as plain data; not the state of data, weights or code."""
        plain = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "label"}
        shared = {name: _plain_of(_Same(plain.pop(name))) for name in ("protocol", "recipe")}
        plain = to_plain(plain) | {name: None if value is None else dict(value) for name, value in shared.items()}
        if self.precision == "fp32":
            plain.pop("precision")  # so that cells have the ids that they had before there was a choice
        if self.runtime == "eager":
            plain.pop("runtime")
        if self.state is None:
            plain.pop("state")
        result: dict[str, Any] = plain
        return result

    @property
    def weights_from(self) -> str | None:
        """Id of the cell whose trained weights this one evaluates or starts from: checkpoint or ``init_from`` is ``cell:ID``."""
        named = self.checkpoint if self.recipe is None else self.recipe.init_from
        return named.removeprefix(OF_CELL) if named and named.startswith(OF_CELL) else None

    @property
    def sources(self) -> tuple[str, ...]:
        """Ids of the cells that must be done before this one."""
        return tuple(identity for identity in (self.boxes_from, self.weights_from) if identity is not None)

    def with_sources(self, ids: Mapping[str, str]) -> Cell:
        """The cell that reads from other cells: each id in ``ids`` gives way to the one named for it."""
        boxes, weights = ids.get(self.boxes_from or ""), ids.get(self.weights_from or "")
        made = self if boxes is None else replace(self, boxes_from=boxes)
        if weights is None:
            return made
        if made.recipe is None:
            return replace(made, checkpoint=f"{OF_CELL}{weights}")
        return replace(made, recipe=replace(made.recipe, init_from=f"{OF_CELL}{weights}"))

    @property
    def protocol_header(self) -> str:
        """The protocol in short, for headings; names precision and runtime where they are not the usual ones."""
        header = get_task(self.task).protocol_header(self.protocol)
        return ", ".join([header, *self.unusual.values()])

    @property
    def unusual(self) -> dict[str, str]:
        """Precision and runtime, where they are others than fp32 and eager."""
        return {
            name: value
            for name, value, usual in (("precision", self.precision, "fp32"), ("runtime", self.runtime, "eager"))
            if value != usual
        }

    def fingerprint(self) -> str:
        """Hash of the identity without what cannot change a number: the recipe's loader processes count as none."""
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        plain = self.identity()
        if plain["recipe"] is not None:
            plain["recipe"]["num_workers"] = 0
        return digest(plain)

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits of the fingerprint; stable across machines."""
        return self.fingerprint()[:12]

    @property
    def name(self) -> str:
        """``task/dataset/model[+label][@seed]``: what ``--only`` patterns match."""
        label = f"+{self.label}" if self.label else ""
        return f"{self.task}/{self.dataset}/{self.model}{label}" + (f"@{self.seed}" if self.seed else "")


def family_of(identity: Mapping[str, Any]) -> str:
    """What cells that differ in their seed alone share, as text: all of their identity but the seed, and the ids of the cells
    that each reads boxes or first weights from, which have the same seed as it."""
    plain = {name: value for name, value in identity.items() if name != "seed"}
    if plain.get("boxes_from") is not None:
        plain["boxes_from"] = OF_CELL
    recipe = plain.get("recipe")
    if recipe is not None and str(recipe.get("init_from")).startswith(OF_CELL):
        plain["recipe"] = {**recipe, "init_from": OF_CELL}
    return json.dumps(plain, sort_keys=True)


def make_cell(
    task: str,
    dataset: str,
    model: str,
    *,
    tier: str = "full",
    representation: str | None = None,
    split: str | None = None,
    checkpoint: str | None = None,
    family: str | None = None,
    protocol: Mapping[str, Any] | None = None,
    recipe: Mapping[str, Any] | None = None,
    seed: int = 0,
    label: str = "",
    embedded: bool | None = None,
    boxes_from: str | None = None,
    train_split: str | None = None,
    precision: str = "fp32",
    **changes: Any,
) -> Cell:
    """A cell with the task's defaults for its tier, and the given fields of protocol and recipe changed.

    Raises:
        ValueError: an unknown task, dataset, tier, split or field; the nearest name is given.
    """
    if tier not in TIERS:
        raise ValueError(f"Unknown tier {tier!r}. {nearest(tier, TIERS)}")
    the_task = get_task(task)
    info = the_task.dataset(dataset)
    the_task.check_model(model)
    chosen = split or info.eval_split
    if chosen not in info.splits:
        raise ValueError(f"Unknown split {chosen!r} of {dataset}. {nearest(chosen, info.splits)}")
    if train_split is not None and train_split not in info.splits:
        raise ValueError(f"Unknown training split {train_split!r} of {dataset}. {nearest(train_split, info.splits)}")
    name = the_task.named(model, changes)
    made_protocol = the_task.protocol(dataset, model=name, family=family, tier=tier)
    implied = the_task.implied_protocol(model, changes, dataset)
    made_protocol = the_task.protocol_with(made_protocol, {**implied, **(protocol or {})})
    made_recipe: Recipe | None = None
    if checkpoint is None:
        made_recipe = the_task.recipe_with(the_task.recipe(dataset, name, tier), recipe or {})
    use_embedded = tier != "full" if embedded is None else embedded
    return Cell(
        task,
        dataset,
        chosen,
        model,
        representation or the_task.default_representation(name, dataset),
        made_protocol,
        made_recipe,
        checkpoint,
        tuple(sorted(changes.items())),
        seed,
        tier,
        label,
        info.embedded if use_embedded else None,
        boxes_from,
        train_split if made_recipe is not None else None,
        precision,
    )


def with_precision(cell: Cell, precision: str) -> Cell:
    """The cell trained and evaluated in ``precision``; another cell, with an id of its own, unless that is its own already."""
    if precision not in PRECISIONS:
        raise ValueError(f"Unknown precision {precision!r}. {nearest(precision, PRECISIONS)}")
    recipe = None if cell.recipe is None else replace(cell.recipe, precision=precision)  # type: ignore[arg-type]
    return replace(cell, precision=precision, recipe=recipe)


def with_runtime(cell: Cell, runtime: str) -> Cell:
    """The cell evaluated in ``runtime``; another cell, with an id of its own, unless that is its own already."""
    if runtime not in RUNTIMES:
        raise ValueError(f"Unknown runtime {runtime!r}. {nearest(runtime, RUNTIMES)}")
    return replace(cell, runtime=runtime)


def evaluation_of(trained: Cell, label: str = "", precision: str = "fp32", runtime: str = "eager") -> Cell:
    """A cell that evaluates another cell's trained weights once more, in another precision or runtime."""
    return replace(
        trained,
        checkpoint=f"{OF_CELL}{trained.id}",
        recipe=None,
        train_split=None,
        label=label,
        precision=precision,
        runtime=runtime,
    )


def cell_from_identity(plain: Mapping[str, Any], label: str = "") -> Cell:
    """The inverse of :meth:`Cell.identity`, for workers and for reading the store."""
    data = dict(plain)
    task = get_task(data["task"])
    prototype = task.protocol(data["dataset"], model=data["model"], tier=data["tier"])
    data["protocol"] = from_plain(type(prototype), data["protocol"])
    if data["recipe"] is not None:
        default = task.recipe(data["dataset"], data["model"], data["tier"])
        recipe = dict(data["recipe"])
        augment = recipe.pop("augment", None)
        made = from_plain(Recipe, recipe)
        if augment is not None and default.augment is not None:
            augment = from_plain(type(default.augment), augment)
        data["recipe"] = replace(made, augment=augment)
    data["changes"] = tuple((k, _tuples(v)) for k, v in data["changes"])
    return Cell(**data, label=label)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value


class _Same:
    """An object that equals itself alone: what seeds of a cell share is made plain once."""

    __slots__ = ("held",)

    def __init__(self, held: Any) -> None:
        self.held = held

    def __hash__(self) -> int:
        return id(self.held)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.held is other.held


@lru_cache(maxsize=512)
def _plain_of(part: _Same) -> Any:
    return to_plain(part.held)


def digest(plain: Any) -> str:
    """SHA-256 of plain data in canonical JSON; 2 and 2.0 are the same number."""
    return hashlib.sha256(json.dumps(_canonical(plain), sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _canonical(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(v) for v in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
