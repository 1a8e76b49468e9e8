"""What FCOS learns at points instead of anchors: heads, targets, losses."""
