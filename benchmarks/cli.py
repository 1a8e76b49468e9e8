"""The command line: one file per verb in ``benchmarks/commands``; this one parses, dispatches and words the errors.

Exit status: 0 all well; 1 a cell failed or a figure regressed; 2 the call cannot be carried out (one line says why);
130 interrupted, 143 terminated.

What takes time to import is imported by the functions that use it: `entry` handles signals before that.
"""

from __future__ import annotations

import argparse
import atexit
import gc
import os
import select
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from benchmarks.running.interrupts import LINES, ending_at_signals

GROUPS: dict[str, tuple[str, ...]] = {
    "What is there": ("doctor", "plan", "profile"),
    "Data and weights": ("fetch", "prepare", "describe"),
    "Measure": ("run", "train", "eval", "score", "predict", "export"),
    "Read": ("tables", "report", "figures", "check", "compare"),
}
"""Verbs as ``--help`` shows them; each is a file of ``benchmarks/commands``."""
VERBS = tuple(verb for verbs in GROUPS.values() for verb in verbs)
READER_LEFT = 141
"""Exit status of a call whose output nobody reads any more: what a shell tells of SIGPIPE."""


@atexit.register
def _end_quickly() -> None:
    """At the interpreter's end all that PyTorch made would be searched for cycles once more: a quarter of its import's time.

    Triton, which a training's optimiser imports, prints what is left over: pages about leaks.
    """
    if "triton" not in sys.modules:
        gc.freeze()


class _Parser(argparse.ArgumentParser):
    """One line per error instead of a page of usage."""

    def error(self, message: str) -> NoReturn:
        from hrnet.names import close_names

        _, _, unknown = message.partition("unrecognized arguments: ")
        near = close_names(unknown.partition(" ")[0].partition("=")[0], self._option_string_actions)
        hint = f". Did you mean {near[0]}?" if near else ""
        print(f"{self.prog}: {message}{hint} (see {self.prog} --help)", file=sys.stderr)
        raise SystemExit(2)


def parser_for(verb: str) -> argparse.ArgumentParser:
    """The parser of one verb; only its own file is imported."""
    from benchmarks.experiment.installation import program
    from benchmarks.tables.render.folded import paragraphs

    module = import_module(f"benchmarks.commands.{verb}")
    parser = _Parser(
        prog=f"{program()} {verb}",
        description=paragraphs(module.__doc__ or ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    parser.add_argument(
        "--plugin",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a Python file outside the tree with a body, a suite, a task or datasets (CONTRIBUTING.md); may be repeated",
    )
    return parser


def parser_of_all() -> argparse.ArgumentParser:
    """Every verb as a sub-command of one parser, under the name of the installed command: what shells complete."""
    from benchmarks.experiment.installation import DISTRIBUTION

    parser = argparse.ArgumentParser(prog=DISTRIBUTION)
    parser.add_argument("--version", action="store_true", help="print the version")
    verbs = parser.add_subparsers()
    for verb in VERBS:
        module = import_module(f"benchmarks.commands.{verb}")
        module.add_arguments(verbs.add_parser(verb, help=first_line(verb)))
    return parser


def entry(arguments: Sequence[str] | None = None) -> int:
    """Runs a verb and returns the exit status.

    What the terminal's encoding lacks is printed as "?", an escape sequence in a name from a file as text; a
    reader that leaves early (`plan | head -1`) ends the call quietly.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    status = 0
    try:
        with ending_at_signals(stays=arguments is None):
            from benchmarks.printing import printable_streams

            with printable_streams(stays=arguments is None):
                status = _run_verb(list(sys.argv[1:] if arguments is None else arguments))
        print(end="", flush=True)
        return status
    except BrokenPipeError:
        _discard_output()
        return READER_LEFT
    except OSError as error:
        if os.environ.get("HRNET_BENCHMARK_TRACEBACK"):
            raise
        if status == 0:
            from benchmarks.experiment.installation import program

            print(f"{program()}: could not write to the standard output ({error.strerror or error})", file=sys.stderr)
        _discard_output()
        return 2


def _discard_output() -> None:
    """What is still in the buffers would be written, and refused, once more at the interpreter's end."""
    for descriptor in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


def _run_verb(words: list[str]) -> int:
    from benchmarks.experiment.installation import DISTRIBUTION, own_version, program
    from hrnet import plugins
    from tasks import declare_below
    from tasks.options import nearest

    if words and words[0] in ("-h", "--help"):
        print(_overview())
        return 0
    if words and words[0] == "--version":
        print(f"{DISTRIBUTION} {own_version()}")
        return 0
    if words and words[0] == "--print-completion":
        return _print_completion(words[1:])
    verb, rest = (words[0], words[1:]) if words and not words[0].startswith("-") else ("run", words)
    if verb not in VERBS:
        print(f"{program()}: unknown verb {verb!r}. {nearest(verb, VERBS)}", file=sys.stderr)
        return 2
    module = import_module(f"benchmarks.commands.{verb}")
    try:
        parsed = parser_for(verb).parse_args(rest)
    except SystemExit as end:
        return int(end.code or 0)
    try:
        plugins.use(parsed.plugin)
        if getattr(parsed, "data_root", False) is None:
            parsed.data_root = plugins.data_root()
        if getattr(parsed, "data_root", None) is not None:
            declare_below(parsed.data_root)
        return int(module.main(parsed))
    except (ValueError, OSError) as error:
        left = isinstance(error, BrokenPipeError) and _reader_left()
        if left or os.environ.get("HRNET_BENCHMARK_TRACEBACK"):
            raise
        text = " ".join(str(error).split())
        print(f"{program()} {verb}: {text}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(LINES[signal.SIGINT], file=sys.stderr)
        return 130


def _reader_left() -> bool:
    """Whether the pipe behind stdout or stderr has no reader any more: a broken pipe may also be that of a worker process."""
    if not hasattr(select, "poll"):
        return True
    watched = select.poll()
    for descriptor in (1, 2):
        watched.register(descriptor, 0)
    return any(event & select.POLLERR for _, event in watched.poll(0))


def first_line(verb: str) -> str:
    """What a verb does, in a line: the first of its file's docstring."""
    return (import_module(f"benchmarks.commands.{verb}").__doc__ or "").strip().splitlines()[0]


def _print_completion(words: list[str]) -> int:
    from benchmarks.completion import SHELLS, completion
    from benchmarks.experiment.installation import program

    if len(words) != 1 or words[0] not in SHELLS:
        print(f"{program()} --print-completion: expected one of {', '.join(SHELLS)}, got {words}.", file=sys.stderr)
        return 2
    try:
        print(completion(parser_of_all(), words[0]))
    except ValueError as error:
        print(f"{program()} --print-completion: {error}", file=sys.stderr)
        return 2
    return 0


def _overview() -> str:
    from benchmarks.experiment.installation import program
    from benchmarks.tables.render.folded import folded

    lines = [
        f"usage: {program()} [VERB] [options]      (without a verb: run --suite embedded)",
        f"       {program()} --version | --print-completion bash|zsh|tcsh",
    ]
    for group, verbs in GROUPS.items():
        lines += ["", group, *(folded(f"  {verb:9s} {first_line(verb)}", 12) for verb in verbs)]
    lines += [
        "",
        f"{program()} VERB --help says more.",
        folded("Exit status: 0 well, 1 failed cell or regressed figure, 2 bad call, 130 interrupted."),
    ]
    return "\n".join(lines)
