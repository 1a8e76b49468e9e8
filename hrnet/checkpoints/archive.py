"""The checksums that ``torch.save`` writes into its zip archives, and that ``torch.load`` does not look at."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

_BLOCK = 2**20
_FOLDER = 0x10
"""The bit of an entry that says that it is a folder."""


def damaged_entry(file: Path | BinaryIO) -> str | None:
    """The name of an entry whose content is not what was written, "its list of entries" where that is broken; else None.

    Files that are no zip archives (older than PyTorch 1.6) have no checksums. So have archives that were written without
    (``torch.serialization.set_crc32_options(False)``): there not one of them fits.
    """
    try:
        if not zipfile.is_zipfile(file):
            return None
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            bad = [entry.filename for entry in entries if not _fits(archive, entry)]
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, RuntimeError, zlib.error):
        return "its list of entries"
    without = len(bad) == len(entries) > 3
    return bad[0] if bad and not without else None


def _fits(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    if entry.external_attr & _FOLDER:  # PyTorch would read nothing, and leave the memory as it was
        return False
    try:
        with archive.open(entry) as content:
            while content.read(_BLOCK):
                pass
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, zlib.error):
        return False
    return True
