"""Stacked Hourglass (arXiv 1603.06937) with the parameter names and the choices of pytorch-pose (docs/protocols.md 1.5)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

NAMES = (
    "hourglass_s1",
    "hourglass_s2",
    "hourglass_s4",
    "hourglass_s8",
    "hourglass_micro",
    "hourglass_micro_s1",
    "hourglass_micro_w16",
)
MICRO = ("hourglass_micro", "hourglass_micro_s1", "hourglass_micro_w16")
TRAITS = {"structure": "stacked", "origin": "pytorch_pose"}

_STACKS = {"hourglass_s1": 1, "hourglass_s2": 2, "hourglass_s4": 4, "hourglass_s8": 8}
_MICRO = {"hourglass_micro": (2, 12), "hourglass_micro_s1": (1, 16), "hourglass_micro_w16": (2, 16)}
"""Stacks, and channels of the 3x3 convolutions. One stack of 16 costs what two of 12 do and what micro HRNet does with its
highest map, in two thirds of the time; two of 16 what HRNet does with all maps (V2)."""
_MICRO_STEM = 8


class PreActivation(nn.Module):
    """(B, C_in, H, W) -> (B, 2 planes, H, W): BN, ReLU, 1x1; BN, ReLU, 3x3; BN, ReLU, 1x1; plus the shortcut.

    All convolutions have a bias; the shortcut is the identity or a plain 1x1 convolution.
    """

    expansion = 2

    def __init__(self, in_channels: int, planes: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, planes, 1)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, 1, 1)
        self.bn3 = nn.BatchNorm2d(planes)
        self.conv3 = nn.Conv2d(planes, planes * self.expansion, 1)
        self.downsample: nn.Sequential | None = None
        if in_channels != planes * self.expansion:
            self.downsample = nn.Sequential(nn.Conv2d(in_channels, planes * self.expansion, 1))

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(functional.relu(self.bn1(x)))
        y = self.conv2(functional.relu(self.bn2(y)))
        y = self.conv3(functional.relu(self.bn3(y)))
        result: Tensor = y + (x if self.downsample is None else self.downsample(x))
        return result


def _residuals(in_channels: int, planes: int, blocks: int) -> nn.Sequential:
    layers = [PreActivation(in_channels, planes)]
    layers += [PreActivation(planes * PreActivation.expansion, planes) for _ in range(blocks - 1)]
    return nn.Sequential(*layers)


class Hourglass(nn.Module):
    """(B, 2 planes, H, W) -> the same shape: ``depth`` times down by max pooling, then up by nearest neighbour with skips.

    ``hg[n]`` holds, for level n from the bottom: the skip, the residual on the way down, the one on the way up, and at
    the bottom (n = 0) the one in between as a fourth entry.
    """

    def __init__(self, planes: int, blocks: int, depth: int) -> None:
        super().__init__()
        self.hg = nn.ModuleList(
            nn.ModuleList(_residuals(2 * planes, planes, blocks) for _ in range(4 if level == 0 else 3))
            for level in range(depth)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self._level(len(self.hg) - 1, x)

    def _level(self, n: int, x: Tensor) -> Tensor:
        level = self.hg[n]
        assert isinstance(level, nn.ModuleList)
        skip = level[0](x)
        low = level[1](functional.max_pool2d(x, 2))
        low = self._level(n - 1, low) if n > 0 else level[3](low)
        low = level[2](low)
        # Twice the size for even sizes, as the reference; the skip's size where a map had an odd side.
        result: Tensor = skip + functional.interpolate(low, size=skip.shape[-2:], mode="nearest")
        return result


class StackedHourglass(nn.Module):
    """forward(images (B, 3, H, W)) -> [features (B, 2 planes, H/4, W/4) of the last stack].

    With ``num_outputs`` every stack also predicts heat maps, which :meth:`stacks` returns and which feed the next stack
    (``score``, ``score_``); without it the stacks are linked by their features alone (``fc_``).

    Attributes:
        num_stacks, num_outputs: how many stacks; joints, or None for a plain body.
    """

    def __init__(
        self,
        stacks: int,
        *,
        num_outputs: int | None = None,
        blocks: int = 1,
        planes: int = 128,
        stem: int = 64,
        depth: int = 4,
    ) -> None:
        super().__init__()
        self.num_stacks, self.num_outputs = stacks, num_outputs
        width = 2 * planes
        self.conv1 = nn.Conv2d(3, stem, 7, 2, 3)
        self.bn1 = nn.BatchNorm2d(stem)
        self.relu = nn.ReLU(inplace=True)
        self.layer1 = _residuals(stem, stem, 1)
        self.maxpool = nn.MaxPool2d(2, 2)
        self.layer2 = _residuals(2 * stem, planes, 1)
        self.layer3 = _residuals(width, planes, 1)
        self.hg = nn.ModuleList(Hourglass(planes, blocks, depth) for _ in range(stacks))
        self.res = nn.ModuleList(_residuals(width, planes, blocks) for _ in range(stacks))
        self.fc = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, width, 1), nn.BatchNorm2d(width), nn.ReLU(inplace=True))
            for _ in range(stacks)
        )
        self.fc_ = nn.ModuleList(nn.Conv2d(width, width, 1) for _ in range(stacks - 1))
        if num_outputs is not None:
            self.score = nn.ModuleList(nn.Conv2d(width, num_outputs, 1) for _ in range(stacks))
            self.score_ = nn.ModuleList(nn.Conv2d(num_outputs, width, 1) for _ in range(stacks - 1))
        self.out_channels: tuple[int, ...] = (width,)
        self.strides: tuple[int, ...] = (4,)

    def forward(self, images: Tensor) -> list[Tensor]:
        return [self._run(images)[0]]

    def stacks(self, images: Tensor) -> list[Tensor]:
        """Heat maps (B, num_outputs, H/4, W/4) of every stack, the last being the prediction.

        Raises:
            ValueError: the body was built without ``num_outputs``.
        """
        if self.num_outputs is None:
            raise ValueError("This hourglass has no heat maps of its own: build it with num_outputs=<joints>.")
        return self._run(images)[1]

    def _run(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        x = self.relu(self.bn1(self.conv1(images)))
        x = self.layer3(self.layer2(self.maxpool(self.layer1(x))))
        y, scores = x, []
        for i in range(self.num_stacks):
            y = self.fc[i](self.res[i](self.hg[i](x)))
            last = i == self.num_stacks - 1
            if self.num_outputs is not None:
                scores.append(self.score[i](y))
            if not last:
                x = x + self.fc_[i](y)
                if self.num_outputs is not None:
                    x = x + self.score_[i](scores[-1])
        return y, scores


def build(name: str, num_outputs: int | None = None) -> StackedHourglass:
    """One of :data:`NAMES`, with PyTorch's own initialisation, as the reference.

    Args:
        num_outputs: joints, for intermediate supervision (the pose task); None for a plain body.
    """
    if name in _STACKS:
        return StackedHourglass(_STACKS[name], num_outputs=num_outputs)
    stacks, planes = _MICRO[name]
    return StackedHourglass(stacks, num_outputs=num_outputs, planes=planes, stem=_MICRO_STEM, depth=3)
