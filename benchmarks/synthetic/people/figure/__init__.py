"""An articulated human figure: body, poses, clothes and head (NumPy and OpenCV only)."""
