"""Zip archives for evaluation servers: no dates inside, so that equal predictions make equal files."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first date that a zip can hold."""


def write_zip(target: Path, files: Mapping[str, Path]) -> Path:
    """Writes files under their names in the archive, in order of these names; whole or not at all."""
    part = target.with_name(f".{target.name}.part")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in sorted(files):
                entry = zipfile.ZipInfo(name, EPOCH)
                entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
                archive.writestr(entry, files[name].read_bytes())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target
