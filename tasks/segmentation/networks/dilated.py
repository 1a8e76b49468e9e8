"""DeepLabV3 and FCN heads on a dilated ResNet, as torchvision builds them."""

from __future__ import annotations

from torch import Tensor, nn

from tasks.segmentation.heads import SegmentationModel


class DilatedHead(nn.Module):
    """[last map, map before] -> [auxiliary logits, logits] at stride 8; the auxiliary is a small FCN on the earlier map."""

    def __init__(self, main: nn.Module, aux: nn.Module) -> None:
        super().__init__()
        self.main, self.aux = main, aux

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        return [self.aux(maps[1]), self.main(maps[0])]


class DilatedModel(SegmentationModel):
    """A published rival with its own head: logits keep the body's stride 8, as in the original."""

    def outputs(self, images: Tensor) -> list[Tensor]:
        maps = self.body(images)
        if self.training:
            return self.head(maps)
        return [self.head.main(maps[0])]  # type: ignore[union-attr, operator]


def dilated_head(model: str, num_classes: int) -> DilatedHead:
    """The heads of "deeplabv3_*" (atrous spatial pyramid, arXiv 1706.05587) or "fcn_*" (arXiv 1411.4038)."""
    from torchvision.models.segmentation.deeplabv3 import DeepLabHead
    from torchvision.models.segmentation.fcn import FCNHead

    main = DeepLabHead(2048, num_classes) if model.startswith("deeplabv3") else FCNHead(2048, num_classes)
    return DilatedHead(main, FCNHead(1024, num_classes))
