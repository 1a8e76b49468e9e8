"""Match lists of whole splits, equal to pycocotools' own: made for all pictures at once."""
