"""What a cell stores, as a typed tree; the one place that reads and writes ``cell.json``.

The written form is that of version 0.1.0: files of that version are read, and what it lacks has the defaults below.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np

from benchmarks.store.digests import plain_digest
from tasks.base import MetricInfo
from tasks.declarations.declaration import Declaration
from tasks.direction import Direction
from tasks.files.json_file import decode_json
from tasks.files.opening import read_bytes

SCHEMA = 1
FIX = "delete its folder and run again"

# Numbers of a file may have any number of digits: those that are read can be reckoned with and drawn.
LARGEST, LARGEST_REAL = 2**63 - 1, 1e50
Whole = Annotated[int, msgspec.Meta(ge=-LARGEST, le=LARGEST)]
Natural = Annotated[int, msgspec.Meta(ge=0, le=LARGEST)]
Decimals = Annotated[int, msgspec.Meta(ge=0, le=15)]
Real = Annotated[float, msgspec.Meta(ge=-LARGEST_REAL, le=LARGEST_REAL)]
Number = Whole | Real | None
"""A number of a curve; null where it was not finite."""
# Ids, tasks and pictures become parts of paths: what they may be is checked here, on reading.
CellId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{12}\Z")]
TaskName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_]+\Z")]
PicturePath = Annotated[str, msgspec.Meta(pattern=r"^pictures/[\w-]+\.(jpg|jpeg|png)\Z")]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the tree. Fields that are not known are passed over on reading."""


class Identity(Part, frozen=True, kw_only=True):
    """Which cell it is: the fields of :class:`benchmarks.experiment.cell.Cell` without its label, as plain data."""

    task: TaskName
    dataset: str
    split: str
    model: str
    representation: str = ""
    protocol: dict[str, Any]
    recipe: dict[str, Any] | None = None
    checkpoint: str | None = None
    changes: list[tuple[str, Any]] = []
    seed: Natural
    tier: str
    data: str | None = None
    boxes_from: CellId | None = None
    train_split: str | None = None
    reduced_precision: str | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="precision")
    other_runtime: str | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="runtime")
    chosen_state: str | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="state")

    @property
    def precision(self) -> str:
        """Of the network's products; written only where it is reduced, as in :meth:`Cell.identity`."""
        return self.reduced_precision if isinstance(self.reduced_precision, str) else "fp32"

    @property
    def runtime(self) -> str:
        """What computed the network's forward pass; written only where it is another than PyTorch's eager mode."""
        return self.other_runtime if isinstance(self.other_runtime, str) else "eager"


class Figure(Part, frozen=True, kw_only=True):
    """The value of a metric over ``n`` images (faces, objects); None where it is not defined."""

    value: Real | None
    unit: str
    higher_is_better: bool
    decimals: Decimals = 1
    n: Natural | None = None

    @staticmethod
    def of(value: float, metric: MetricInfo, n: int) -> Figure:
        """A figure with the metric's unit, direction and decimals; not-a-number becomes None."""
        kept = float(value) if np.isfinite(value) else None
        return Figure(
            value=kept,
            unit=metric.unit,
            higher_is_better=metric.direction.higher_is_better,
            decimals=metric.decimals,
            n=n,
        )

    @property
    def direction(self) -> Direction:
        return Direction.of(self.higher_is_better)


class ModelCost(Part, frozen=True, kw_only=True):
    """Parameters and multiply-adds (``macs``; ``macs_as_published`` in 10^9, as the papers count) at an input size (H, W)."""

    params: Whole
    macs: Whole
    macs_as_published: Real
    input_hw: tuple[Whole, Whole]


class TrainedOn(Part, frozen=True, kw_only=True):
    """The training split, its number of samples, and what a reader must know about it."""

    split: str
    samples: Natural
    note: str | None = None


class Counted(Part, frozen=True, kw_only=True):
    """How many images and samples (persons, faces) were evaluated."""

    images: Natural
    samples: Natural


class Curves(Part, frozen=True, kw_only=True):
    """Per epoch {epoch, lr, loss, ...}, and named curves [[x, y], ...] of the evaluation."""

    training: list[dict[str, Number]] = []
    evaluation: dict[str, list[tuple[Number, Number]]] = {}


class Picture(Part, frozen=True, kw_only=True):
    """A sample drawn with its truth and its prediction: two files, named from the cell's folder."""

    kind: str
    index: Natural
    image: str
    score: Real | None
    truth: PicturePath
    prediction: PicturePath


class Git(Part, frozen=True, kw_only=True):
    """The commit, and a hash of what was not committed; nulls outside a checkout."""

    commit: str | None = None
    dirty: str | None = None


class Hardware(Part, frozen=True, kw_only=True):
    """Processor, cores, memory and accelerator of the run."""

    cpu: str | None = None
    cores: Whole | None = None
    system: str | None = None
    memory_gib: Real | None = None
    accelerator: str | None = None


class WeightsFile(Part, frozen=True, kw_only=True):
    """A checkpoint that the run read."""

    file: str
    sha256: str


class Provenance(Part, frozen=True, kw_only=True):
    """Where the figures come from: times (UTC, ISO 8601), code, packages, hardware, threads, parts of the key, weights,
    plug-ins whose code made them."""

    started: str = ""
    ended: str = ""
    git: Git = Git()
    packages: dict[str, str] = {}
    hardware: Hardware = Hardware()
    threads: Whole | None = None
    key_parts: dict[str, Any] = {}
    evaluation_batch: Whole | None = None
    weights: WeightsFile | None = None
    initialised_from: WeightsFile | None = None
    plugins: list[str] | None = None


class CheckpointReport(Part, frozen=True, kw_only=True):
    """What loading the checkpoint did; the fields of :class:`hrnet.checkpoints.LoadReport`, ``loaded`` as a number."""

    family: str
    loaded: Whole
    missing: list[str] = []
    unexpected: list[str] = []
    mismatched: list[str] = []
    ignored: list[str] = []
    dropped: dict[str, str] = {}
    conventions: dict[str, Any] = {}
    notes: list[str] = []
    description: dict[str, Any] | None = None


class Record(Part, frozen=True, kw_only=True):
    """A finished or failed cell.

    Attributes:
        key: what a run would have to match to count as done; None where it failed before that was known.
        reason, error_type, user_error: of a failure; the last one where data or call are at fault.
        headline: the metric that ranks; None only of failures.
        notes: what a reader of the figures must know.
        latency_ms: median of one picture through the network; `latency_quiet`: nothing else ran on the machine meanwhile.
        images_per_s: of the network alone at the evaluation's batch; measured where trained weights are evaluated.
        peak_memory_gib: meanwhile, of the accelerator's memory, or on a CPU of the whole process.
        durations_s: seconds by phase; ``eval_model`` is the network's share of the evaluation, decoding included.
        seal: of the figures as they were written (:func:`seal_of`). whole_seal: of the whole record. statistics: the SHA-256
            of `stats.npz`. Older versions wrote none of them.
        declaration: of a dataset that a dataset.toml declares, with everything stated that its figures need.
    """

    schema: int = SCHEMA
    id: CellId
    name: str
    label: str = ""
    cell: Identity
    key: str | None = None
    protocol_header: str = ""
    status: Literal["done", "failed"]
    reason: str | None = None
    error_type: str | None = None
    user_error: bool = False
    model: ModelCost | None = None
    trained_on: TrainedOn | None = None
    figures: dict[str, Figure] = {}
    headline: str | None = None
    notes: list[str] = []
    n: Counted | None = None
    curves: Curves = Curves()
    pictures: list[Picture] = []
    batch_size: Whole | None = None
    latency_ms: Real | None = None
    latency_quiet: bool = False
    images_per_s: Real | None = None
    peak_memory_gib: Real | None = None
    durations_s: dict[str, Real] = {}
    provenance: Provenance = Provenance()
    report: CheckpointReport | None = None
    seal: str | None = None
    whole_seal: str | msgspec.UnsetType = msgspec.UNSET
    statistics: str | msgspec.UnsetType = msgspec.UNSET
    declaration: Declaration | None = None

    @property
    def done(self) -> bool:
        return self.status == "done"

    @property
    def quiet_latency_ms(self) -> float | None:
        """The latency where it was measured with nothing else running; None otherwise: it is not to be shown."""
        return self.latency_ms if self.latency_quiet else None

    def to_plain(self) -> dict[str, Any]:
        """The written form, as dictionaries, lists, numbers and text."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain


class NewerError(ValueError):
    """A newer version wrote the file."""


class _Head(msgspec.Struct):
    """What tells whether the rest can be read."""

    schema: int | None = None
    status: str = ""
    figures: msgspec.Raw = msgspec.Raw()
    headline: msgspec.Raw = msgspec.Raw()


def record_of(plain: Mapping[str, Any]) -> Record:
    """A record from plain data in the written form; NumPy's numbers become Python's, not-a-number becomes null.

    Raises:
        ValueError: a field is missing or of another type: a fault of the caller's code.
    """
    return msgspec.convert(without_nan(plain), Record)


def damaged(task: str, cell_id: str, reason: str) -> Record:
    """A failed cell in the place of one whose file cannot be used: of its identity no more than the path is known."""
    cell = Identity(task=task, dataset="", split="", model="", protocol={}, seed=0, tier="")
    return Record(id=cell_id, name=f"{task}/{cell_id}", cell=cell, status="failed", reason=reason, user_error=True)


def seal_of(record: Record) -> str:
    """A digest of a record's figures, which a change by hand breaks."""
    return hashlib.sha256(msgspec.json.encode([record.figures, record.headline, record.n])).hexdigest()[:32]


def sealed(record: Record) -> Record:
    """The record with the seals of its figures and of the whole."""
    record = msgspec.structs.replace(record, seal=seal_of(record))
    return msgspec.structs.replace(record, whole_seal=_whole_seal_of(record.to_plain()))


def _whole_seal_of(plain: Mapping[str, Any]) -> str:
    return plain_digest({name: value for name, value in plain.items() if name != "whole_seal"})


def encode(record: Record) -> bytes:
    """The content of ``cell.json``."""
    return msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n"


def read(path: Path) -> Record:
    """Reads a ``cell.json``; raises as :func:`read_sealed` does."""
    return read_sealed(path)[0]


def read_sealed(path: Path) -> tuple[Record, bool]:
    """Reads a ``cell.json``; also whether it is as it was written: True of files without a `whole_seal`.

    Raises:
        ValueError: it is not readable, lacks a field, holds a value of another type, or is of a newer schema; the text names
            file, place and what to do.
    """
    data = read_bytes(path, "a result", FIX)
    head = decode_json(data, _Head, str(path), "a result", fix=FIX)
    if head.schema != SCHEMA:
        kind = NewerError if (head.schema or 0) > SCHEMA else ValueError
        raise kind(f"{path}: expected schema {SCHEMA}, got {head.schema}. Update, or run again.")
    lacking = [name for name in ("figures", "headline") if not bytes(getattr(head, name))]
    if head.status == "done" and lacking:
        raise ValueError(f"{path}: expected the field {lacking[0]!r} of a finished cell but it is missing; {FIX}")
    record = decode_json(data, Record, str(path), "a result", fix=FIX)
    if isinstance(record.whole_seal, msgspec.UnsetType):
        return record, True
    return record, record.whole_seal == _whole_seal_of(msgspec.json.decode(data))


def without_nan(value: Any) -> Any:
    """Plain data with not-a-number, infinities and what comes near them as None, NumPy's arrays and scalars as Python's."""
    if isinstance(value, Mapping):
        return {str(k): without_nan(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(v) for v in value]
    if isinstance(value, np.ndarray):
        return without_nan(value.tolist())
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not abs(value) <= LARGEST_REAL:
        return None
    return value
