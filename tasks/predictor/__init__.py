"""One door for pictures: weights to a callable on arrays, files, folders and videos."""
