"""The heads of two-stage detectors as modules without policy: region proposals, boxes, masks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from hrnet.backbone import initialise
from tasks.detection.boxes.conventions import Conventions


class ProposalHead(nn.Module):
    """``rpn.{conv,cls,reg}``: 3x3 convolution, ReLU, and per cell and anchor an objectness logit and four codes.

    forward(maps) -> [(logits (B, H W A), codes (B, H W A, 4))] per level, anchors in the order of
    :func:`tasks.detection.boxes.anchors.pyramid_anchors`.
    """

    def __init__(self, in_channels: int, num_anchors: int = 3, width: int | None = None) -> None:
        super().__init__()
        width = width or in_channels
        self.conv = nn.Conv2d(in_channels, width, 3, padding=1)
        self.cls = nn.Conv2d(width, num_anchors, 1)
        self.reg = nn.Conv2d(width, 4 * num_anchors, 1)
        for conv in (self.conv, self.cls, self.reg):
            _normal(conv, 0.01)

    def forward(self, maps: Sequence[Tensor]) -> list[tuple[Tensor, Tensor]]:
        outputs = []
        for x in maps:
            x = functional.relu(self.conv(x))
            logits, codes = self.cls(x), self.reg(x)
            batch, anchors, height, width = logits.shape
            logits = logits.permute(0, 2, 3, 1).reshape(batch, -1)
            codes = codes.reshape(batch, anchors, 4, height, width).permute(0, 3, 4, 1, 2).reshape(batch, -1, 4)
            outputs.append((logits, codes))
        return outputs


class BoxHead(nn.Module):
    """``box_head.{fc6,fc7,cls,reg}``: RoI features (N, C, S, S) -> class logits (N, K + 1) and codes (N, 4 or 4 K or 4 (K + 1)).

    Row order is the family's (:attr:`Conventions.background`); read logits through :func:`probabilities` and
    :func:`class_codes`.
    """

    cls: nn.Linear
    reg: nn.Linear

    def __init__(
        self, in_channels: int, roi_size: int, num_classes: int, conventions: Conventions, width: int = 1024
    ) -> None:
        super().__init__()
        self.fc6 = nn.Linear(in_channels * roi_size**2, width)
        self.fc7 = nn.Linear(width, width)
        for linear in (self.fc6, self.fc7):
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)
        self.set_rows(num_classes, conventions)

    def set_rows(self, num_classes: int, conventions: Conventions) -> None:
        """Gives the two outputs the rows that the conventions ask for; what has them already is kept."""
        for name, rows, std in (
            ("cls", conventions.num_class_rows(num_classes), 0.01),
            ("reg", conventions.num_box_rows(num_classes), 0.001),
        ):
            present = getattr(self, name, None)
            if present is None or present.out_features != rows:
                like = self.fc7.weight
                linear = nn.Linear(self.fc7.out_features, rows).to(device=like.device, dtype=like.dtype)
                _normal(linear, std)
                setattr(self, name, linear)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        x = functional.relu(self.fc6(features.flatten(1)))
        x = functional.relu(self.fc7(x))
        return self.cls(x), self.reg(x)


class MaskHead(nn.Module):
    """``mask_head.{convs.I,upsample,predict}``: RoI features (N, C, S, S) -> mask logits (N, K or K + 1, 2 S, 2 S).

    With ``chained`` it has a 1x1 convolution ``res`` for the features of the mask head before it (hybrid task cascade).
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        conventions: Conventions,
        width: int = 256,
        num_convs: int = 4,
        chained: bool = False,
    ) -> None:
        super().__init__()
        self.res = nn.Conv2d(width, in_channels, 1) if chained else None
        self.convs = nn.ModuleList(
            nn.Conv2d(in_channels if i == 0 else width, width, 3, padding=1) for i in range(num_convs)
        )
        self.upsample = nn.ConvTranspose2d(width, width, 2, 2)
        initialise(self, "kaiming")
        self.set_rows(num_classes, conventions)

    def set_rows(self, num_classes: int, conventions: Conventions) -> None:
        """Gives the prediction the channels that the conventions ask for."""
        rows, present = conventions.num_mask_rows(num_classes), getattr(self, "predict", None)
        if present is None or present.out_channels != rows:
            like = self.upsample.weight
            self.predict = nn.Conv2d(self.upsample.out_channels, rows, 1).to(device=like.device, dtype=like.dtype)
            nn.init.kaiming_normal_(self.predict.weight, mode="fan_out", nonlinearity="relu")
            assert self.predict.bias is not None
            nn.init.zeros_(self.predict.bias)

    def features(self, features: Tensor, before: Tensor | None = None) -> Tensor:
        """Features after the convolutions; ``before`` are those of the head before, where this one is chained."""
        if self.res is not None and before is not None:
            features = features + functional.relu(self.res(before))
        for conv in self.convs:
            features = functional.relu(conv(features))
        return features

    def logits(self, features: Tensor) -> Tensor:
        """Mask logits of :meth:`features`."""
        return self.predict(functional.relu(self.upsample(features)))

    def forward(self, features: Tensor) -> Tensor:
        return self.logits(self.features(features))


def background_row(num_classes: int, conventions: Conventions) -> int:
    """The classifier's row of background."""
    return 0 if conventions.background == "first" else num_classes


def class_rows(labels: Tensor, conventions: Conventions) -> Tensor:
    """Labels 1 .. K -> the row of each in classifier and masks."""
    return labels if conventions.background == "first" else labels - 1


def probabilities(logits: Tensor, conventions: Conventions) -> Tensor:
    """(N, K + 1) logits -> (N, K) probabilities of labels 1 .. K."""
    scores = logits.softmax(-1)
    return scores[:, 1:] if conventions.background == "first" else scores[:, :-1]


def class_codes(codes: Tensor, num_classes: int, conventions: Conventions) -> Tensor:
    """Regression rows -> (N, 4 K) codes of labels 1 .. K."""
    if conventions.class_agnostic:
        return codes.repeat(1, num_classes)
    return codes[:, 4:] if conventions.background == "first" else codes


def chosen_codes(codes: Tensor, labels: Tensor, conventions: Conventions) -> Tensor:
    """(N, rows) codes and labels 1 .. K -> (N, 4): each box's codes for its own class."""
    if conventions.class_agnostic:
        return codes
    rows = codes.reshape(len(codes), -1, 4)
    return rows[torch.arange(len(codes), device=codes.device), class_rows(labels, conventions)]


def _normal(layer: nn.Conv2d | nn.Linear, std: float) -> None:
    nn.init.normal_(layer.weight, std=std)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
