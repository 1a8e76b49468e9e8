"""The first lines of the command, imported by the script that pip makes: Ctrl-C ends it in one line from here on.

Until a handler is set, Ctrl-C is a traceback. So nothing is imported here, nor by `benchmarks/__init__.py`, that the interpreter
has not loaded for itself, but `signal`.
"""

import os

LINE = "Interrupted before it began.\n"


def main() -> int:
    """Runs a verb and returns the exit status (see `benchmarks.cli.entry`)."""
    handle_interrupts()
    from benchmarks.cli import entry

    return entry()


def handle_interrupts() -> None:
    """Ends the process at Ctrl-C, until `benchmarks.running.interrupts` knows what else is to be ended. Where the caller ignores
    it (nohup), it stays ignored."""
    try:
        import signal

        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, _end)
    except KeyboardInterrupt:
        _end()


def _end(*_: object) -> None:
    os.write(2, LINE.encode())
    os._exit(130)
