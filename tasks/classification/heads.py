"""Classification networks: a body, representation C, average pooling and a linear layer."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from hrnet.variants import VARIANTS
from tasks.model import TaskModel, build_parts
from tasks.options import nearest

REPRESENTATIONS = ("C", "Ci", "Cii")
"""C is the released one; the others are its rivals in arXiv 1908.07919, Table 16."""


class LinearHead(nn.Module):
    """Global average pooling and a linear layer: (B, C, H, W) -> (B, num_outputs)."""

    def __init__(self, in_channels: int, num_outputs: int) -> None:
        super().__init__()
        self.classifier = nn.Linear(in_channels, num_outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(x.mean(dim=(2, 3)))


def build(model: str, dataset: str, representation: str, num_classes: int, **options: Any) -> TaskModel:
    """The classification network of a body.

    Raises:
        ValueError: another representation than C, Ci or Cii.
    """
    if representation not in REPRESENTATIONS:
        raise ValueError(
            f"Unknown representation {representation!r} for classification. {nearest(representation, REPRESENTATIONS)}"
        )
    if model in VARIANTS:
        options = {"init": "kaiming", **options}
    momentum = float(options.get("bn_momentum", 0.1))
    body, made = build_parts(model, representation, body_options=options, bn_momentum=momentum)
    head = LinearHead(made.out_channels[0], num_classes)  # type: ignore[index, arg-type]
    return TaskModel(
        body,
        made,
        head,
        task="classification",
        dataset=dataset,
        name=model,
        representation_name=representation,
        num_outputs=num_classes,
    )
