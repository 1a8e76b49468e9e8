"""The joints of MPII. docs/protocols.md, sections 3 and 4."""

from __future__ import annotations

from tasks.pose.skeletons.joints import ARMS, LEGS, Skeleton

MPII = Skeleton(
    names=(*LEGS, "pelvis", "thorax", "upper_neck", "head_top", *ARMS),
    pairs=((0, 5), (1, 4), (2, 3), (10, 15), (11, 14), (12, 13)),
    upper=tuple(range(7, 16)),
    bones=(
        (0, 1),
        (1, 2),
        (2, 6),
        (3, 6),
        (3, 4),
        (4, 5),
        (6, 7),
        (7, 8),
        (8, 9),
        (10, 11),
        (11, 12),
        (12, 7),
        (13, 7),
        (13, 14),
        (14, 15),
    ),
    loss_weights=(1.5, 1.2, 1, 1, 1.2, 1.5, 1, 1, 1, 1, 1.5, 1.2, 1, 1, 1.2, 1.5),
)
