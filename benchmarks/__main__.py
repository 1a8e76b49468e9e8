"""``python -m benchmarks VERB``: the same as the program ``hrnet-benchmark``."""

import sys

from benchmarks.start import main

if __name__ == "__main__":
    sys.exit(main())
