"""Whole, tiled, windowed, multi-scale and mirrored inference against the same rules written out with full-size maps."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from seg_fixtures import Pointwise, Strided
from torch import Tensor
from torch.nn import functional

from tasks.images import normalise
from tasks.segmentation import inference as testing
from tasks.segmentation.datasets import network_input
from tasks.segmentation.entries import ENTRIES
from tasks.segmentation.files.class_tables.cityscapes import CITYSCAPES
from tasks.segmentation.files.class_tables.lip import LIP
from tasks.segmentation.protocol import SegmentationProtocol

SAME = CITYSCAPES.mirror()


def images(height: int, width: int, batch: int = 1, seed: int = 3) -> Tensor:
    return torch.randn(batch, 3, height, width, generator=torch.Generator().manual_seed(seed))


def up(x: Tensor, size: tuple[int, int], align: bool = False) -> Tensor:
    return functional.interpolate(x, size=size, mode="bilinear", align_corners=align)


def full_size_scores(model: torch.nn.Module, image: Tensor, p: SegmentationProtocol, mirror: np.ndarray) -> Tensor:
    """The reference's multi-scale inference, written with whole score maps."""
    order = torch.as_tensor(mirror)

    def inference(part: Tensor) -> Tensor:
        size = (part.shape[-2], part.shape[-1])
        members = [up(model(part), size, p.align_corners)]
        if p.flip:
            members.append(up(model(part.flip(3)), size, p.align_corners).flip(3)[:, order])
        if p.combine == "softmax":
            return sum(m.softmax(1) for m in members) / len(members)  # type: ignore[return-value]
        return (sum(members) / len(members)).exp()  # type: ignore[union-attr]

    height, width = image.shape[-2:]
    total: Tensor | float = 0.0
    black = torch.tensor(testing.BLACK).view(1, 3, 1, 1)
    for scale in p.scales:
        long = int((p.base_px or max(height, width)) * scale + 0.5)
        size = (long, int(width * long / height + 0.5)) if height > width else (int(height * long / width + 0.5), long)
        view = up(image, size)
        ch, cw = p.crop_hw
        if p.view == "whole" or (p.view == "tiles" and size[0] <= ch and size[1] <= cw):
            scores = inference(view)
        else:
            stride = (ch, cw) if p.view == "tiles" else (int(ch * 2 / 3), int(cw * 2 / 3))
            rows = max(0, math.ceil((size[0] - ch) / stride[0])) + 1
            columns = max(0, math.ceil((size[1] - cw) / stride[1])) + 1
            scores = torch.zeros(1, p.num_classes, *size)
            count = torch.zeros(1, 1, *size)
            for r in range(rows):
                for c in range(columns):
                    y1, x1 = min(r * stride[0] + ch, size[0]), min(c * stride[1] + cw, size[1])
                    y0, x0 = r * stride[0], c * stride[1]
                    if p.view == "tiles":
                        y0, x0 = max(y1 - ch, 0), max(x1 - cw, 0)
                    part = view[..., y0:y1, x0:x1]
                    if p.view == "windows":
                        canvas = black.repeat(1, 1, ch, cw)
                        canvas[..., : y1 - y0, : x1 - x0] = part
                        part = canvas
                    scores[..., y0:y1, x0:x1] += inference(part)[..., : y1 - y0, : x1 - x0]
                    count[..., y0:y1, x0:x1] += 1
            scores = scores / count
        total = total + up(scores, (height, width), p.align_corners)
    assert isinstance(total, Tensor)
    return total[0]


PROTOCOLS = [
    SegmentationProtocol(19),
    SegmentationProtocol(19, align_corners=True),
    SegmentationProtocol(19, flip=True),
    SegmentationProtocol(19, flip=True, combine="softmax"),
    SegmentationProtocol(19, scales=(0.5, 1.0, 1.75), flip=True),
    SegmentationProtocol(19, view="tiles", crop_hw=(37, 50), scales=(0.5, 1.0, 1.5), flip=True),
    SegmentationProtocol(19, view="tiles", crop_hw=(37, 50), combine="softmax"),
    SegmentationProtocol(19, view="windows", crop_hw=(40, 40), base_px=90, scales=(0.4, 1.0), flip=True),
    SegmentationProtocol(19, view="windows", crop_hw=(40, 40), base_px=90, align_corners=True),
]


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda p: p.header)
@pytest.mark.parametrize("shape", [(60, 84), (84, 60)])
def test_strips_equal_the_rules_written_with_full_size_maps(
    protocol: SegmentationProtocol, shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(testing, "STRIP_ELEMENTS", {"cpu": 19 * shape[1] * 7, "cuda": 1})
    model, image = Strided(19).eval(), images(*shape)
    with torch.inference_mode():
        scores = full_size_scores(model, image, protocol, SAME)
    found = testing.label_maps(model, image, [shape], protocol, SAME)[0]
    best = scores.max(dim=0).values
    chosen = scores.gather(0, torch.as_tensor(found.astype(np.int64))[None])[0]
    # Where two classes tie to rounding either may win; everywhere else the classes are equal.
    assert torch.allclose(chosen, best, rtol=1e-4)
    assert (found == scores.argmax(dim=0).numpy()).mean() > 0.999


def test_tiled_and_windowed_equal_untiled_where_a_pixel_decides_alone() -> None:
    model, image = Pointwise(19).eval(), images(61, 90)
    whole = testing.label_maps(model, image, [(61, 90)], SegmentationProtocol(19), SAME)[0]
    for view in ("tiles", "windows"):
        protocol = SegmentationProtocol(19, view=view, crop_hw=(32, 32))  # type: ignore[arg-type]
        assert (testing.label_maps(model, image, [(61, 90)], protocol, SAME)[0] == whole).all()
    assert len(set(np.unique(whole))) > 5


def test_a_tile_is_predicted_as_the_cut_alone_is() -> None:
    model, image = Strided(19).eval(), images(64, 96)
    tiled = SegmentationProtocol(19, view="tiles", crop_hw=(32, 48))
    whole = testing.label_maps(model, image, [(64, 96)], tiled, SAME)[0]
    for y in (0, 32):
        for x in (0, 48):
            cut = testing.label_maps(model, image[..., y : y + 32, x : x + 48], [(32, 48)], tiled, SAME)[0]
            assert (whole[y : y + 32, x : x + 48] == cut).all()


def test_small_pictures_are_not_tiled_and_are_padded_once_for_windows() -> None:
    model = Pointwise(19).eval()
    testing.label_maps(
        model, images(30, 40), [(30, 40)], SegmentationProtocol(19, view="tiles", crop_hw=(32, 48)), SAME
    )
    testing.label_maps(
        model, images(30, 40), [(30, 40)], SegmentationProtocol(19, view="windows", crop_hw=(48, 48)), SAME
    )
    assert model.calls == [(1, 3, 30, 40), (1, 3, 48, 48)]


def test_mirroring_a_picture_mirrors_its_flip_tested_result() -> None:
    model, image = Strided(20).eval(), images(48, 64)
    model.dataset = "lip"
    protocol = SegmentationProtocol(20, flip=True)
    plain = testing.label_maps(model, image, [(48, 64)], protocol, LIP.mirror())[0]
    mirrored = testing.label_maps(model, image.flip(3), [(48, 64)], protocol, LIP.mirror())[0]
    assert (LIP.mirror()[plain[:, ::-1]] == mirrored).mean() > 0.999


def test_batched_equals_single() -> None:
    model, batch = Strided(19).eval(), images(40, 56, batch=3)
    sizes = [(40, 56), (23, 31), (80, 70)]
    protocol = SegmentationProtocol(19, flip=True)
    together = testing.label_maps(model, batch, sizes, protocol, SAME)
    for k in range(3):
        alone = testing.label_maps(model, batch[k : k + 1], [sizes[k]], protocol, SAME)[0]
        assert alone.shape == sizes[k] and (alone == together[k]).mean() > 0.999


def test_exp_of_logits_and_softmax_differ_over_views_as_documented() -> None:
    model, image = Strided(19).eval(), images(60, 84)
    made = [
        testing.label_maps(model, image, [(60, 84)], SegmentationProtocol(19, scales=(0.5, 1.5), combine=c), SAME)[0]  # type: ignore[arg-type]
        for c in ("exp_logits", "softmax")
    ]
    assert 0.5 < (made[0] == made[1]).mean() < 1


def test_view_sizes_follow_the_reference() -> None:
    pascal = ENTRIES["pascal_context"].protocol()
    assert testing.view_size((375, 500), 1.0, pascal) == (390, 520)
    assert testing.view_size((500, 375), 1.75, pascal) == (910, 683)
    ocr = ENTRIES["pascal_context"].protocol(ocr=True)
    # The OCR branch brings the short side to 520 first, pads to multiples of 8, and scales the long side of that.
    assert testing.view_size((520, 696), 1.0, ocr) == (389, 520)
    assert testing.view_size((520, 696), 2.0, ocr) == (777, 1040)
    assert testing.view_size((1024, 2048), 0.5, ENTRIES["cityscapes"].protocol()) == (512, 1024)
    # A picture of one row keeps it at every scale.
    assert testing.view_size((1, 64), 0.25, replace(pascal, base_px=0)) == (1, 16)
    assert testing.view_size((1, 1), 0.25, replace(pascal, base_px=0)) == (1, 1)


@pytest.mark.parametrize(("size_hw", "first_hw"), [((37, 50), (52, 70)), ((61, 44), (72, 52)), ((40, 40), (52, 52))])
def test_the_ocr_branch_brings_pascal_to_a_short_side_first(
    size_hw: tuple[int, int], first_hw: tuple[int, int]
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*size_hw, 3), dtype=np.uint8)
    picture = np.asarray(cv2.GaussianBlur(noise, (5, 5), 0), np.uint8)
    model, scales = Strided(19).eval(), (0.5, 1.0, 1.75)
    reference = ENTRIES["pascal_context"].protocol(ocr=True)
    protocol = replace(reference, num_classes=19, crop_hw=(48, 48), base_px=52, first_short_px=52, scales=scales)
    assert (protocol.view, protocol.flip, protocol.align_corners, protocol.pad_multiple) == ("windows", True, True, 8)
    made = network_input(picture, protocol)
    height, width = first_hw
    padded = (-(-height // 8) * 8, -(-width // 8) * 8)
    assert made.shape[:2] == padded
    bigger = cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(made[:height, :width], bigger)
    if padded != first_hw:
        assert (made[-1, -1] == (124, 116, 104)).all()  # the mean colour in whole numbers
    image = torch.from_numpy(normalise(made))[None]
    (labels,) = testing.label_maps(model, image, [size_hw], protocol, SAME)
    with torch.inference_mode():
        scores = full_size_scores(model, image, protocol, SAME)[None, :, :height, :width]
    assert (labels == up(scores, size_hw, True).argmax(1)[0].numpy()).mean() > 0.999


def test_windows_cover_with_two_thirds_stride_and_tiles_shift_back() -> None:
    assert testing.window_places(800, 480, 320, False) == [(0, 480), (320, 800)]
    assert testing.window_places(801, 480, 320, False) == [(0, 480), (320, 800), (640, 801)]
    assert testing.window_places(2560, 2048, 2048, True) == [(0, 2048), (512, 2560)]
    assert testing.window_places(100, 480, 320, False) == [(0, 100)]


def test_a_network_with_other_classes_is_refused() -> None:
    with pytest.raises(ValueError, match="Expected a network of 19 outputs, got 60"):
        testing.label_maps(Pointwise(60).eval(), images(16, 16), [(16, 16)], SegmentationProtocol(19), SAME)


def test_scores_beyond_a_strip_are_never_held(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[int] = []
    original = testing.best_class

    def watch(scores: Tensor) -> Tensor:
        held.append(scores.numel())
        return original(scores)

    monkeypatch.setattr(testing, "best_class", watch)
    testing.label_maps(Strided(19).eval(), images(512, 1024), [(512, 1024)], SegmentationProtocol(19), SAME)
    assert max(held) <= testing.STRIP_ELEMENTS["cpu"] and len(held) > 4


@pytest.mark.parametrize(("view", "expected"), [("whole", testing.MEAN), ("windows", testing.BLACK)])
def test_sides_are_padded_with_the_mean_colour_and_windows_with_black(
    view: Any, expected: tuple[float, float, float]
) -> None:
    seen: list[torch.Tensor] = []

    class Recording(Strided):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            seen.append(images)
            return super().forward(images)

    protocol = SegmentationProtocol(59, view=view, crop_hw=(16, 16), pad_multiple=8)
    images = torch.full((1, 3, 13, 13), 0.5)
    testing.run_windows(Recording(59), images, (13, 13), protocol, torch.arange(59))
    assert seen[0].shape == (1, 3, 16, 16) and (seen[0][..., :13, :13] == 0.5).all()
    assert torch.equal(seen[0][0, :, 15, 15], torch.tensor(expected))
    assert torch.equal(seen[0][0, :, 0, 15], torch.tensor(expected))
