"""Bodies by name: HRNet widths and the serial rivals.

A new body is one file, here or in a folder here, that defines ``NAMES`` and ``build``.

A body is a module with forward(images (B, 3, H, W)) -> list of maps, and the attributes ``out_channels`` and ``strides``,
one entry per map. ``NAMES``, and where they are given ``TRAITS`` (fields of `hrnet.traits.Traits`) and ``MICRO`` (which of the
names are micro sizes), are literals: they are read without importing the file, so that planning needs no torch.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrnet import plugins
from hrnet.names import nearest
from hrnet.traits import Traits
from hrnet.variants import MICRO, VARIANTS

if TYPE_CHECKING:
    from torch import nn

TIMM = "timm:"
"""Before a name of timm's."""


@dataclass(frozen=True)
class BodyFile:
    """A body's file, read without importing it: names, traits, micro sizes, parameters of its `build`."""

    path: Path
    names: tuple[str, ...]
    traits: Traits
    micro: tuple[str, ...]
    parameters: tuple[str, ...]

    def of(self, name: str) -> Traits:
        """The traits of one of the file's names."""
        given = {**vars(self.traits), "micro": name in self.micro, "options": self.parameters + self.traits.options}
        return Traits(**given)


def read_body_file(path: Path) -> BodyFile | None:
    """The names and traits of a body's file; None for a file without ``NAMES``.

    Raises:
        ValueError: ``NAMES``, ``TRAITS`` or ``MICRO`` is no literal, or a trait is unknown.
    """
    found: dict[str, Any] = {}
    parameters: tuple[str, ...] = ()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name == "build":
            taken = [*node.args.posonlyargs, *node.args.args][1:] + node.args.kwonlyargs
            parameters = tuple(argument.arg for argument in taken)
        for target in node.targets if isinstance(node, ast.Assign) else ():
            if isinstance(target, ast.Name) and target.id in ("NAMES", "TRAITS", "MICRO"):
                assert isinstance(node, ast.Assign)
                found[target.id] = _literal(path, target.id, node.value)
    if "NAMES" not in found:
        return None
    traits = found.get("TRAITS", {})
    unknown = sorted(set(traits) - set(vars(Traits())))
    if unknown:
        raise ValueError(f"{path}: unknown trait {unknown[0]!r}. {nearest(unknown[0], vars(Traits()))}")
    return BodyFile(path, tuple(found["NAMES"]), Traits(**traits), tuple(found.get("MICRO", ())), parameters)


def _literal(path: Path, name: str, value: ast.expr) -> Any:
    try:
        return ast.literal_eval(value)
    except ValueError:
        raise ValueError(
            f"{path}: expected {name} as a literal, which is read without importing the file; write its values out"
        ) from None


def body_files() -> dict[str, BodyFile]:
    """Every name -> its file, in the order of the files' names, those of plug-ins last; ``timm:`` stands for timm's.

    Raises:
        ValueError: a plug-in takes the name of a body that is here.
    """
    return _body_files(tuple(plugins.with_name("NAMES")))


@lru_cache
def _body_files(outside: tuple[Path, ...]) -> dict[str, BodyFile]:
    found: dict[str, BodyFile] = {}
    for folder in __path__:
        for path in sorted(Path(folder).rglob("*.py"), key=lambda path: path.name):
            file = None if path.stem == "__init__" else read_body_file(path)
            found.update({} if file is None else dict.fromkeys(file.names, file))
    for path in outside:
        file = read_body_file(path)
        assert file is not None
        for name in file.names:
            if name in found or name in VARIANTS:
                raise ValueError(f"{path}: {name!r} is the name of a body already; choose another")
            found[name] = file
    return found


def body_names() -> list[str]:
    """Every body that can be built by name, ``timm:<name>`` aside."""
    return [*VARIANTS, *(name for name in body_files() if name != TIMM)]


def check_body_name(name: str) -> None:
    """Raises ValueError naming the nearest body if ``name`` is unknown; names of timm are checked when built."""
    if not name.startswith(TIMM) and name not in body_names():
        raise ValueError(f"Unknown model {name!r}. {nearest(name, body_names())} Also timm:<name>.")


def traits_of(name: str) -> Traits:
    """What a body is, without building it.

    Raises:
        ValueError: unknown name; the nearest is given.
    """
    check_body_name(name)
    if name in VARIANTS:
        return Traits("parallel", "hrnet", name in MICRO)
    return _file_of(name).of(name)


def file_of_body(name: str) -> Path | None:
    """The file that builds a serial body; None for HRNet's own."""
    return _file_of(name).path if name.startswith(TIMM) or name in body_files() else None


def _file_of(name: str) -> BodyFile:
    return body_files()[TIMM if name.startswith(TIMM) else name]


_SHARED: list[dict[str, nn.Module]] = []


@contextmanager
def shared_bodies() -> Iterator[None]:
    """While it is open, a body that is asked for again with the same options is the same module, however its
    weights start: for counting alone."""
    _SHARED.append({})
    try:
        yield
    finally:
        _SHARED.pop()


def build_body(name: str, **options: Any) -> nn.Module:
    """Builds a body.

    Args:
        options: spec fields for an HRNet; for the others the parameters of the file's ``build`` and what its ``TRAITS`` name.

    Raises:
        ValueError: unknown name or option; the nearest is given.
    """
    if not _SHARED:
        return _built(name, options)
    key = repr((name, sorted((option, value) for option, value in options.items() if option != "init")))
    if key not in _SHARED[-1]:
        _SHARED[-1][key] = _built(name, options)
    return _SHARED[-1][key]


def _built(name: str, options: dict[str, Any]) -> nn.Module:
    check_body_name(name)
    if name in VARIANTS:
        from hrnet.backbone import build_backbone

        return build_backbone(name, **options)
    traits = traits_of(name)
    unknown = [] if traits.any_option else [option for option in options if option not in traits.options]
    if unknown:
        hint = nearest(unknown[0], traits.options) if traits.options else "It has none."
        raise ValueError(f"Unknown option {unknown[0]!r} of model {name!r}. {hint}")
    path = _file_of(name).path
    module = plugins.load(path) if path in plugins.plugin_files() else import_module(_module_of(path))
    body: nn.Module = module.build(name, **options)
    return body


def _module_of(path: Path) -> str:
    """The dotted name under which a file below this package is imported."""
    folder = next(Path(folder) for folder in __path__ if path.is_relative_to(folder))
    return ".".join([__name__, *path.relative_to(folder).with_suffix("").parts])
