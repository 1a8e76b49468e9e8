"""A first dataset.toml for data of one's own: what layout a folder has, and what can be told of it."""
