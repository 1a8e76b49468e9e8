"""ImageNet classification, for checking pretrained bodies."""
