"""Dilated ResNets: the bodies of torchvision's DeepLabV3 and FCN, the published serial rivals in segmentation.

The last two stages keep stride 8 and dilate instead (arXiv 1706.05587). Heads: tasks/segmentation/networks/dilated.py.
"""

from __future__ import annotations

from torch import Tensor, nn

NAMES = ("deeplabv3_r50", "deeplabv3_r101", "fcn_r50", "fcn_r101")
TRAITS = {"structure": "dilated", "origin": "torchvision"}


class DilatedResNet(nn.Module):
    """forward(images (B, 3, H, W)) -> [last stage (B, 2048, H/8, W/8), the one before (B, 1024, H/8, W/8)].

    ``resnet`` is torchvision's module without pooling and classifier, so its weights load under ``resnet.*``.
    """

    out_channels = (2048, 1024)
    strides = (8, 8)

    def __init__(self, depth: int) -> None:
        super().__init__()
        from torchvision.models import resnet

        made = {50: resnet.resnet50, 101: resnet.resnet101}[depth](
            weights=None, replace_stride_with_dilation=[False, True, True]
        )
        self.resnet = nn.Sequential()
        for name, child in made.named_children():
            if name not in ("avgpool", "fc"):
                self.resnet.add_module(name, child)

    def forward(self, images: Tensor) -> list[Tensor]:
        x, before = images, images
        for name, stage in self.resnet.named_children():
            if name == "layer4":
                before = x
            x = stage(x)
        return [x, before]


def build(name: str) -> DilatedResNet:
    """Builds the dilated body of a name in :data:`NAMES`."""
    if name not in NAMES:
        raise ValueError(f"Expected one of {', '.join(NAMES)}, got {name!r}.")
    return DilatedResNet(int(name.rpartition("_r")[2]))
