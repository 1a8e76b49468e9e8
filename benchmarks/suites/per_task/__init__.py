"""The embedded cells of every task."""
