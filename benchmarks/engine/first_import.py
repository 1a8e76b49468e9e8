"""Imports yapf, which mmengine's import needs, one process at a time.

yapf keeps its grammar as a pickle in the user's cache folder and writes it in place on its first import. Several workers
that start on a fresh account would read each other's half-written file, and one that is killed while it writes would leave
a broken file for good. Import this module before mmengine.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

from benchmarks.store.user_lock import user_lock


def import_yapf() -> None:
    """Import yapf under a lock of this user's processes; a broken cache file is removed and written anew."""
    with user_lock("yapf"):
        try:
            import yapf
        except (EOFError, pickle.UnpicklingError):
            _remove_cache()
            for name in [n for n in sys.modules if n.split(".")[0] in ("yapf", "yapf_third_party")]:
                del sys.modules[name]
            import yapf  # noqa: F401


def _remove_cache() -> None:
    from yapf_third_party._ylib2to3.pgen2.driver import _generate_pickle_name

    for grammar in ("Grammar.txt", "PatternGrammar.txt"):
        Path(_generate_pickle_name(grammar)).unlink(missing_ok=True)


import_yapf()
