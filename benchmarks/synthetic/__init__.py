"""Embedded data: pictures rendered here and written in each dataset's official layout. Nothing here needs torch."""

WRITERS = {
    "coco": "benchmarks.synthetic.coco_people",
    "mpii": "benchmarks.synthetic.mpii_people",
    "lip": "benchmarks.synthetic.lip_people",
    "cityscapes": "benchmarks.synthetic.cityscapes_scenes",
    "pascal_context": "benchmarks.synthetic.pascal_context_scenes",
    "coco_detection": "benchmarks.synthetic.coco_objects",
    "300w": "benchmarks.synthetic.w300_faces",
    "aflw": "benchmarks.synthetic.aflw_faces",
    "cofw": "benchmarks.synthetic.cofw_faces",
    "wflw": "benchmarks.synthetic.wflw_faces",
}
"""Dataset name -> module with `write(root, sizes, seed)`, `VERSION` and `SIZES`."""
