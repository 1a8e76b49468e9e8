"""An articulated human figure: body, poses, clothes, head, and the rasteriser that draws them (NumPy and OpenCV only)."""
