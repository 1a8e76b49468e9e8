"""The front door. Without arguments: make the embedded data, train and evaluate every cell, print the tables."""

from __future__ import annotations

import sys

from benchmarks.cli import entry

if __name__ == "__main__":
    sys.exit(entry())
