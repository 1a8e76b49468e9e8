"""Heat maps of points, shared by pose and landmarks: targets, decoding, flip test, losses and networks."""
