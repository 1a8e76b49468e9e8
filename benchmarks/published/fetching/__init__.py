"""Released checkpoints from where their projects publish them, whole and checked, or not at all."""
