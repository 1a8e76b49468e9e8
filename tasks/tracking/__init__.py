"""Tracks of a video, for every task: what is found in a frame, joined to what was found before."""
