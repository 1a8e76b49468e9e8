"""Suites of what HRNet is compared with beside the default run."""
