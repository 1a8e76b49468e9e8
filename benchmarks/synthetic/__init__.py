"""Embedded data: pictures rendered here and written in each dataset's official layout. Nothing here needs torch."""

WRITERS = {
    "coco": "benchmarks.synthetic.coco_people",
    "mpii": "benchmarks.synthetic.mpii_people",
    "lip": "benchmarks.synthetic.lip_people",
}
"""Dataset name -> module with `write(root, sizes, seed)`, `VERSION` and `SIZES`."""
