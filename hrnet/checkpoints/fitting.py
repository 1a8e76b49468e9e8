"""Fitting canonical weights to a model: strict by rule, all or nothing."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import Tensor, nn

from hrnet.backbone import CONVENTIONS, HRNet
from hrnet.checkpoints.family import Canonical
from hrnet.checkpoints.report import OTHER_DETECTORS, CheckpointError, Description, LoadReport, shortened


@dataclasses.dataclass
class Fit:
    """Which of the file's tensors goes where, and what is left over on either side."""

    values: dict[str, Tensor]
    report: LoadReport

    @property
    def complete(self) -> bool:
        return not (self.report.missing or self.report.unexpected or self.report.mismatched)


def match(
    model: nn.Module, canonical: Canonical, description: Description, ignore: Sequence[str], *, initialise_only: bool
) -> Fit:
    """Compares the file's names and shapes with the model's and applies the rules on what may be missing or left over.

    A model without ``body.*`` parameters is itself a body: everything else in the file is dropped.
    """
    current = {**dict(model.named_parameters()), **dict(_persistent_buffers(model))}
    report = LoadReport(
        canonical.family.name, dropped=dict(canonical.dropped), notes=list(canonical.notes), description=description
    )
    source: dict[str, Tensor] = {}
    bare = not any(key.startswith("body.") for key in current)
    body = model if bare else getattr(model, "body", None)
    origin: dict[str, str] = {}
    for name, tensor in canonical.state.items():
        target = name.removeprefix("body.") if bare else name
        if bare and not name.startswith("body."):
            report.dropped[canonical.origin.get(name, name)] = "only the body is loaded"
            continue
        if bare and target not in current:
            # Some bodies hold a library's network under a name of their own.
            target = next(
                (f"{held}.{target}" for held in ("resnet", "encoder") if f"{held}.{target}" in current), target
            )
        source[target], origin[target] = tensor, canonical.origin.get(name, name)
    for key in canonical.unmapped:
        if bare and not _belongs_to_a_body(key):
            report.dropped[key] = "only the body is loaded"
        else:
            source[key], origin[key] = canonical_placeholder, key

    values: dict[str, Tensor] = {}
    untouched = 0
    for name, present in current.items():
        if _ignored(name, origin.get(name), ignore):
            report.ignored.append(name)
            continue
        if name not in source:
            if name.endswith("num_batches_tracked"):
                untouched += 1
            elif initialise_only and _stays_initialised(name):
                report.notes.append(f"{name} keeps its initialisation")
            else:
                report.missing.append(name)
        elif tuple(source[name].shape) != tuple(present.shape):
            report.mismatched.append(f"{name}: file {_size(source[name])}, model {_size(present)}")
        else:
            values[name] = source[name]
            report.loaded.append(name)
    if untouched:
        report.notes.append(f"{untouched} counters num_batches_tracked are not in the file and stay")
    for name in source:
        if name in current:
            continue
        if _ignored(name, origin[name], ignore):
            report.ignored.append(name)
            continue
        reason = _leave_out(name, current, body, initialise_only)
        if reason is not None:
            report.dropped[origin[name]] = reason
        else:
            report.unexpected.append(name)
    return Fit(values, report)


canonical_placeholder = torch.empty(0)
"""Stands for a key that no rule of its family names."""

_EXTRA_ROW = re.compile(r"^(?:body\.)?stage4\.(\d+)\.fuse_layers\.[1-9]\d*\.")
_ADDED = re.compile(r"^(?:body\.)?(?:deconv_layers|score_?)\.")
_BODY_KEY = re.compile(r"^(?:conv\d|bn\d|layer\d|stage\d|transition\d|hg|res|fc_?|score_?)\.")


def _persistent_buffers(model: nn.Module) -> list[tuple[str, Tensor]]:
    names = set(model.state_dict())
    return [(name, buffer) for name, buffer in model.named_buffers() if name in names]


def _belongs_to_a_body(key: str) -> bool:
    return bool(_BODY_KEY.match(key))


def _stays_initialised(name: str) -> bool:
    """What an ImageNet file cannot have: SimpleBaseline's transposed convolutions, an hourglass's heat maps."""
    return bool(_ADDED.match(name))


def _leave_out(name: str, current: dict[str, Any], body: Any, initialise_only: bool) -> str | None:
    """The reason why a tensor without a place may be left out, or None."""
    if name.endswith("num_batches_tracked") and f"{name[:-19]}running_var" in current:
        return "counters that a frozen normalisation does not have"
    row = _EXTRA_ROW.match(name)
    computes_one = isinstance(body, HRNet) and body.spec.fuse_last == "one"
    if row and computes_one and int(row.group(1)) == body.spec.stage4.num_modules - 1:
        return "the last exchange's lower resolutions, which this body (fuse_last='one') does not compute"
    if initialise_only and _ADDED.match(name):
        return "transposed convolutions or heat maps, which this body does not have"
    return None


def _ignored(name: str, origin: str | None, patterns: Sequence[str]) -> bool:
    for pattern in patterns:
        for candidate in (name, origin):
            if candidate is None:
                continue
            if any(c in pattern for c in "*?["):
                if fnmatchcase(candidate, pattern):
                    return True
            elif candidate == pattern or candidate.startswith(pattern.rstrip(".") + "."):
                return True
    return False


def _size(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "scalar"


def copy_values(model: nn.Module, values: dict[str, Tensor]) -> list[str]:
    """Writes the tensors into the model (on the meta device: replaces them); returns a note if some are not finite."""
    on_meta = any(t.is_meta for t in (*model.parameters(), *model.buffers()))
    with torch.no_grad():
        if on_meta:
            model.load_state_dict(values, strict=False, assign=True)
            return []
        current = model.state_dict()
        for name, tensor in values.items():
            current[name].copy_(tensor)
        broken = [name for name, tensor in values.items() if not bool(torch.isfinite(tensor).all())]
    return [f"NaN or infinite values in {shortened(broken)}"] if broken else []


def contradictions(model: nn.Module, conventions: dict[str, Any]) -> list[str]:
    """Fields that the caller stated when building and that the file's family sets otherwise."""
    body = getattr(model, "body", model)
    if not isinstance(body, HRNet):
        return []
    return [
        f"{name}: stated {getattr(body.spec, name)!r}, the file implies {value!r}"
        for name, value in conventions.items()
        if name in body.stated and getattr(body.spec, name) != value
    ]


def set_conventions(model: nn.Module, conventions: dict[str, Any]) -> dict[str, Any]:
    """Sets them where the model has them, and returns those."""
    setter = getattr(model, "set_conventions", None)
    if setter is None or not conventions:
        return {}
    setter(**conventions)
    if isinstance(model, HRNet):
        return {k: v for k, v in conventions.items() if k in CONVENTIONS}
    return dict(conventions)


def misfit(path: Any, model: nn.Module, fit: Fit) -> CheckpointError:
    """The error for whatever no rule covers: both lists, what the file is, what would fit."""
    report, description = fit.report, fit.report.description
    assert description is not None
    lists = [
        f"  {title} ({len(names)}): {shortened(names)}"
        for title, names in (
            ("missing in the file", report.missing),
            ("not in the model", report.unexpected),
            ("of another shape", report.mismatched),
        )
        if names
    ]
    asked = _asked_for(model)
    return CheckpointError(
        "\n".join(
            [
                f"{path} does not fit {asked}. The file is {description}.",
                *lists,
                f"  {_advice(model, report, description)}",
            ]
        ),
        report,
    )


def _asked_for(model: nn.Module) -> str:
    named = [getattr(model, field, None) for field in ("task", "dataset", "name", "representation_name")]
    words = [str(word) for word in named if isinstance(word, str)]
    if words:
        outputs = getattr(model, "num_outputs", None)
        return f"the {' '.join(words)} network" + (f" with {outputs} outputs" if isinstance(outputs, int) else "")
    if isinstance(model, HRNet):
        return f"the body {model.spec.name} (fuse_last={model.spec.fuse_last!r})"
    return f"this {type(model).__name__}"


def _advice(model: nn.Module, report: LoadReport, description: Description) -> str:
    if report.missing and not report.mismatched and all(_EXTRA_ROW.match(name) for name in report.missing):
        return (
            "The file computes the last exchange at one resolution only, as pose networks do: build the body with "
            "fuse_last='one', or let these rows keep their initialisation with ignore=('*stage4.*.fuse_layers.[1-3].*',)."
        )
    task, name = getattr(model, "task", None), getattr(model, "name", None)
    if description.model is None:
        return "No model here has this layout; name what shall stay as it is in ignore=(...)."
    if description.task is None:
        return f"It initialises the body {description.model} (recipe.init_from, or load_backbone)."
    advice = f"Nearest fitting model: {description.arguments}"
    if description.representation in ("V1h", "FPN"):
        advice += f" with representation {description.representation}"
    if (task, name) == (description.task, description.model) and getattr(
        model, "num_outputs", None
    ) != description.num_outputs:
        advice += f", built for its {description.num_outputs} outputs"
    if description.head == "mask_rcnn" and getattr(model, "mask_head", True) is None:
        advice += ", built with masks=true"
    if task == "detection" and description.head in OTHER_DETECTORS:
        advice += f", built with detector={description.head}"
    if task is not None and task != description.task:
        advice += ". To start training from its body, name it as the recipe's init_from (load_backbone)"
    return f"{advice}."
