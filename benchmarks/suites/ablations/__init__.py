"""Suites of one change at a time."""
