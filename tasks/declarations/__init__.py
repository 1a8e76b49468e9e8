"""Datasets that a file declares, and the entry that every dataset has."""
