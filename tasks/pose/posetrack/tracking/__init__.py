"""Poses of successive frames as tracks."""
