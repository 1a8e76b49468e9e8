"""COCO's json files, read in one way by every task and verb: compact arrays, checked; and pycocotools' judgement of them."""
