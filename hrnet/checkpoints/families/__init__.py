"""One file per kind of source: how its keys are recognised, renamed, and what they imply."""
