"""The command line: one file per verb in ``benchmarks/commands``; this one parses, dispatches and words the errors.

Exit status: 0 all well; 1 a cell failed or a figure regressed; 2 the call cannot be carried out (one line says why).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from tasks.options import nearest

VERBS = (
    "plan",
    "run",
    "train",
    "eval",
    "score",
    "predict",
    "tables",
    "report",
    "check",
    "compare",
    "profile",
    "doctor",
)


class _Parser(argparse.ArgumentParser):
    """One line per error instead of a page of usage."""

    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: {message} (see {self.prog} --help)", file=sys.stderr)
        raise SystemExit(2)


def parser_for(verb: str) -> argparse.ArgumentParser:
    """The parser of one verb; only its own file is imported."""
    module = import_module(f"benchmarks.commands.{verb}")
    parser = _Parser(
        prog=f"run_all.py {verb}", description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    module.add_arguments(parser)
    return parser


def entry(arguments: Sequence[str] | None = None) -> int:
    """Runs a verb and returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words and words[0] in ("-h", "--help"):
        print(_overview())
        return 0
    verb, rest = (words[0], words[1:]) if words and not words[0].startswith("-") else ("run", words)
    if verb not in VERBS:
        print(f"run_all.py: unknown verb {verb!r}. {nearest(verb, VERBS)}", file=sys.stderr)
        return 2
    module = import_module(f"benchmarks.commands.{verb}")
    try:
        parsed = parser_for(verb).parse_args(rest)
    except SystemExit as end:
        return int(end.code or 0)
    try:
        return int(module.main(parsed))
    except (ValueError, OSError) as error:
        if os.environ.get("HRNET_BENCHMARK_TRACEBACK"):
            raise
        text = " ".join(str(error).split())
        print(f"run_all.py {verb}: {text}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nInterrupted. Finished cells are kept; the same command goes on from here.", file=sys.stderr)
        return 1


def _overview() -> str:
    lines = ["usage: run_all.py [VERB] [options]      (without a verb: run --suite embedded)", ""]
    for verb in VERBS:
        text = (import_module(f"benchmarks.commands.{verb}").__doc__ or "").strip().splitlines()[0]
        lines.append(f"  {verb:9s} {text}")
    lines += [
        "",
        "run_all.py VERB --help says more. Exit status: 0 well, 1 failed cell or regressed figure, 2 bad call.",
    ]
    return "\n".join(lines)
