"""The joints of PoseTrack, 2017 and 2018. docs/protocols.md, sections 3 and 4."""

from __future__ import annotations

from tasks.pose.skeletons.joints import ARMS, LEGS, Skeleton, tenths

POSETRACK = Skeleton(
    # The ids of the 2017 files and of every evaluation; 2018's files name the neck head_bottom.
    names=(*LEGS, *ARMS, "neck", "nose", "head_top"),
    pairs=((0, 5), (1, 4), (2, 3), (6, 11), (7, 10), (8, 9)),
    upper=tuple(range(6, 15)),
    bones=(
        (0, 1),
        (1, 2),
        (5, 4),
        (4, 3),
        (2, 3),
        (2, 8),
        (3, 9),
        (8, 9),
        (8, 7),
        (7, 6),
        (9, 10),
        (10, 11),
        (8, 12),
        (9, 12),
        (12, 13),
        (13, 14),
    ),
    loss_weights=(1.5, 1.2, 1, 1, 1.2, 1.5, 1.5, 1.2, 1, 1, 1.2, 1.5, 1, 1, 1),
    oks_sigmas=tenths(0.89, 0.87, 1.07, 1.07, 0.87, 0.89, 0.62, 0.72, 0.79, 0.79, 0.72, 0.62, 0.25, 0.26, 0.25),
)
