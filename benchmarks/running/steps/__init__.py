"""Steps of a trial: what it starts from, how it is validated and measured, what it keeps."""
