"""PoseTrack on disk: both forms of file, which files make a split, and the persons in them."""
