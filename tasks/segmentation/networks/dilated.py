"""Networks on dilated ResNets, which bring their own heads: torchvision's DeepLabV3 and FCN, mmseg's PSPNet and DeepLabV3+."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from benchmarks.baselines import traits_of
from tasks.segmentation.networks.model import SegmentationModel


class DilatedHead(nn.Module):
    """[last map, map before] -> [auxiliary logits, logits] at stride 8; the auxiliary is a small FCN on the earlier map."""

    def __init__(self, main: nn.Module, aux: nn.Module) -> None:
        super().__init__()
        self.main, self.aux = main, aux

    def logits(self, maps: list[Tensor]) -> Tensor:
        """The main prediction alone."""
        return self.main(maps[0])

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        return [self.aux(maps[1]), self.logits(maps)]


class SeveralMapsHead(DilatedHead):
    """The same, of a main head that reads all maps of the body."""

    def logits(self, maps: list[Tensor]) -> Tensor:
        return self.main(maps)


class DilatedModel(SegmentationModel):
    """A published rival with its own head: logits keep the body's stride 8 (DeepLabV3+: 4), as in the original."""

    def outputs(self, images: Tensor) -> list[Tensor]:
        maps = self.body(images)
        if self.training:
            return self.head(maps)
        return [self.head.logits(maps)]  # type: ignore[union-attr, operator]


def dilated_head(model: str, num_classes: int, in_channels: Sequence[int], micro: bool = False) -> DilatedHead:
    """The heads of "deeplabv3_*" (atrous spatial pyramid, arXiv 1706.05587), "fcn_*" (arXiv 1411.4038), or one of mmseg's."""
    if traits_of(model).origin == "mmseg":
        from tasks.segmentation.networks.mmseg_heads import mmseg_heads

        return SeveralMapsHead(*mmseg_heads(model, in_channels, num_classes, micro))
    from torchvision.models.segmentation.deeplabv3 import DeepLabHead
    from torchvision.models.segmentation.fcn import FCNHead

    main = DeepLabHead(2048, num_classes) if model.startswith("deeplabv3") else FCNHead(2048, num_classes)
    return DilatedHead(main, FCNHead(1024, num_classes))
