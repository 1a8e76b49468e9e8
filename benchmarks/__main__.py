"""``python -m benchmarks VERB``: the same as the program ``hrnet-benchmark``."""

import sys

from benchmarks.cli import entry

if __name__ == "__main__":
    sys.exit(entry())
