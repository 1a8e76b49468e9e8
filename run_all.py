"""The front door. Without arguments: make the embedded data, train and evaluate every cell, print the tables."""

import sys

if __name__ == "__main__":
    try:
        from benchmarks.running.interrupts import install

        install()  # before the imports that take time
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted before it began.\n")
        sys.exit(130)
    from benchmarks.cli import entry

    sys.exit(entry())
