"""The classes of the datasets, one file each."""
