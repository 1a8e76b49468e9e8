"""Embedded data: pictures rendered here and written in each dataset's official layout. Nothing here needs torch."""

WRITERS = {
    "coco": "benchmarks.synthetic.datasets.coco_people",
    "mpii": "benchmarks.synthetic.datasets.mpii",
    "posetrack18": "benchmarks.synthetic.datasets.posetrack",
    "lip": "benchmarks.synthetic.datasets.lip",
    "cityscapes": "benchmarks.synthetic.datasets.cityscapes",
    "pascal_context": "benchmarks.synthetic.datasets.pascal_context",
    "coco_detection": "benchmarks.synthetic.datasets.coco_objects",
    "300w": "benchmarks.synthetic.datasets.w300",
    "aflw": "benchmarks.synthetic.datasets.aflw",
    "cofw": "benchmarks.synthetic.datasets.cofw",
    "wflw": "benchmarks.synthetic.datasets.wflw",
}
"""Dataset name -> module with `write(root, sizes, seed)`, `VERSION` and `SIZES`."""
