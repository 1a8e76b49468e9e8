"""Boxes: what weights imply of them, their coding, and anchors."""
