"""From what MPII, COCO's detector and PoseTrack hand out to what the loaders read."""

from tasks.pose.prepare.coco import COCO
from tasks.pose.prepare.mpii import MPII
from tasks.pose.prepare.posetrack import POSETRACK17, POSETRACK18

PREPARATIONS = (MPII, COCO, POSETRACK17, POSETRACK18)
