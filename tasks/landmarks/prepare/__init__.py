"""From what the owners of the four face sets hand out to what the loaders read."""

from tasks.landmarks.prepare.aflw import AFLW
from tasks.landmarks.prepare.cofw import COFW
from tasks.landmarks.prepare.w300 import W300
from tasks.landmarks.prepare.wflw import WFLW

PREPARATIONS = (W300, AFLW, COFW, WFLW)
