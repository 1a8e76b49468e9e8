"""Dresses a posed skeleton in solids: torso, limbs, hands, feet, clothes and head, drawn into a depth-buffered layer."""

from __future__ import annotations

from benchmarks.synthetic.people.figure.body import SIDES
from benchmarks.synthetic.people.figure.head import draw_head
from benchmarks.synthetic.people.figure.limbs import LimbTailor
from benchmarks.synthetic.people.figure.torso import TorsoTailor


class Tailor(TorsoTailor, LimbTailor):
    """Draws one whole person."""

    def draw(self) -> None:
        """Draw everything; the order does not matter, the depth buffer sorts."""
        self.draw_torso()
        for side in SIDES:
            self.draw_arm(side)
            self.draw_leg(side)
        self.draw_neck()
        draw_head(
            self.layer, self.points["head_centre"], self.frames["head"], self.body, self.outfit, self.index, self.px
        )
        if self.outfit.bag:
            self.draw_bag()
