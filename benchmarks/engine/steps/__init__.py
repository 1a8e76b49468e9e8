"""What a training step is made of: the order of samples, parts of a batch, averaged weights, recomputed activations."""
