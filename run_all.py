"""The front door. Without arguments: make the embedded data, train and evaluate every cell, print the tables."""

import sys

if __name__ == "__main__":
    try:
        from benchmarks.start import handle_interrupts, main

        handle_interrupts()  # before the imports that take time
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted before it began.\n")
        sys.exit(130)
    from importlib.util import find_spec

    if find_spec("numpy") is None:
        fix = "Set up with `make setup`, then `source .venv/bin/activate`"
        sys.stderr.write(f"run_all.py: {sys.executable} lacks this project's packages. {fix}.\n")
        sys.exit(2)
    sys.exit(main())
