"""What reading large annotation files gave, kept as arrays in the user's cache folder."""
