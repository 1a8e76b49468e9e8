"""From what PASCAL Context's, LIP's and Cityscapes' owners hand out to what the loaders read."""

from tasks.segmentation.prepare.cityscapes import CITYSCAPES
from tasks.segmentation.prepare.lip import LIP
from tasks.segmentation.prepare.pascal_context import PASCAL_CONTEXT

PREPARATIONS = (CITYSCAPES, PASCAL_CONTEXT, LIP)
