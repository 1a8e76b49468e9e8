"""Reduced precision: refused where it would be emulated, close to float32 where it is not, a cell of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import tasks
from benchmarks.experiment.cell import cell_from_identity, make_cell, with_precision
from benchmarks.experiment.paths import Places
from benchmarks.running.trial import run_cell
from tasks import precision as module
from tasks.detection.targets import Truth
from tasks.model import TaskModel
from tasks.precision import check_precision, cpu_flags, float32_products, in_float, reduced

CPU = torch.device("cpu")
has_bf16 = pytest.mark.skipif(
    not {"avx512_bf16", "amx_bf16", "bf16"} & cpu_flags(), reason="the processor has no arithmetic in bf16"
)


def test_what_would_be_emulated_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "cpu_flags", lambda: frozenset({"avx2"}))
    for name in ("bf16", "fp16"):
        with pytest.raises(ValueError, match=f"--precision {name}: this processor would emulate it.*--precision fp32"):
            check_precision(name, CPU)
    check_precision("fp32", CPU)
    with pytest.raises(ValueError, match="fp32, tf32, bf16, fp16"):
        check_precision("int8", CPU)


@pytest.mark.parametrize("tf32", [False, True])
def test_flags_of_cuda_agree_under_old_and_new_names_and_come_back(tf32: bool) -> None:
    """Where they do not, PyTorch raises at whoever reads the old ones."""
    backends: Any = torch.backends

    def flags() -> list[Any]:
        new = [backends.cuda.matmul, backends.cudnn.conv, backends.cudnn.rnn]
        held = [one.fp32_precision for one in new] if hasattr(backends, "fp32_precision") else []
        old = [backends.cuda.matmul.allow_tf32, backends.cudnn.allow_tf32, torch.get_float32_matmul_precision()]
        return [*old, backends.cudnn.benchmark, *held]

    before = flags()
    with float32_products(tf32, torch.device("cuda"), same_shapes=True):
        inside = flags()
        assert inside[:2] == [tf32, tf32] and inside[3] and set(inside[4:]) <= {"tf32" if tf32 else "ieee"}
        with (
            float32_products(not tf32, torch.device("cuda"), same_shapes=False),
            torch.backends.cudnn.flags(enabled=False),
        ):
            assert flags()[0] is not tf32
        assert flags() == inside
    assert flags() == before
    with float32_products(tf32, CPU):
        assert flags() == before


@has_bf16
@pytest.mark.parametrize(
    ("task", "dataset", "model", "options"),
    [
        ("pose", "coco", "hrnet_micro_w8", {}),
        ("pose", "mpii", "hourglass_micro", {}),
        ("segmentation", "cityscapes", "hrnet_micro_w8", {}),
    ],
)
def test_answers_are_close_and_in_float32(task: str, dataset: str, model: str, options: dict[str, Any]) -> None:
    torch.manual_seed(0)
    network = tasks.build_model(task, model, dataset, **options).eval()
    images = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        usual = network(images)
        with reduced(network, "bf16", CPU):
            found = network(images)
        again = network(images)
    assert found.dtype == torch.float32 and not torch.equal(found, usual) and torch.equal(again, usual)
    assert (found - usual).norm() / usual.norm() < 0.05


@has_bf16
def test_a_detector_pools_and_decodes_in_float32() -> None:
    network = tasks.build_model("detection", "hrnet_micro_w8", "coco", masks=True).eval()
    with torch.inference_mode(), reduced(network, "bf16", CPU):
        assert all(x.dtype == torch.float32 for x in network.pyramid(torch.randn(1, 3, 64, 64)))  # type: ignore[operator]
        [found] = network(torch.randn(1, 3, 64, 64))
    assert found["boxes"].dtype == torch.float32


@has_bf16
@pytest.mark.parametrize("detector", ["faster_rcnn", "mask_rcnn", "cascade_rcnn", "cascade_mask_rcnn", "htc", "fcos"])
def test_every_detector_answers_and_learns_in_reduced_precision(detector: str) -> None:
    """One answer and one step: float32 outside the network's own calls, other numbers than float32's, gradients everywhere."""
    torch.manual_seed(0)
    network = tasks.build_model("detection", "hrnet_micro_w8", "coco", detector=detector).eval()
    images = torch.randn(1, 3, 64, 64)  # FCOS's highest levels are maps of one cell
    with torch.inference_mode():
        usual = network.pyramid(images)  # type: ignore[operator]
        with reduced(network, "bf16", CPU):
            found = network.pyramid(images)  # type: ignore[operator]
            [answer] = network.answer(images, [(64, 64)], [(64, 64)])  # type: ignore[operator]
    assert not torch.equal(found[0], usual[0]) and (found[0] - usual[0]).norm() < 0.05 * usual[0].norm()
    assert {value.dtype for value in answer.values()} <= {torch.float32, torch.int64, torch.bool}
    boxes, masks = torch.tensor([[8.0, 8.0, 40.0, 48.0]]), torch.zeros(1, 64, 64, dtype=torch.bool)
    masks[:, 10:44, 10:38] = True
    truth = Truth(boxes, torch.tensor([3]), masks, (64, 64), 0, torch.zeros(64, 64, dtype=torch.uint8))
    network.train()
    network.zero_grad()
    with reduced(network, "bf16", CPU):
        losses = network.losses(images, [truth])  # type: ignore[operator]
    trained = {name: value for name, value in losses.items() if name.startswith("loss")}
    assert all(value.dtype == torch.float32 and value.isfinite() for value in trained.values())
    torch.stack(list(trained.values())).sum().backward()
    gradients = {name: p.grad for name, p in network.named_parameters() if p.grad is not None}
    assert all(g.dtype == torch.float32 and g.isfinite().all() for g in gradients.values())
    assert gradients["body.conv1.weight"].abs().sum() > 0


class Narrow(TaskModel):
    """forward(images (B, 16, H, W)) -> a strided convolution of them."""

    def __init__(self, kernel: int, stride: int, groups: int) -> None:
        conv = nn.Conv2d(16, 64, kernel, stride, kernel // 2, groups=groups)
        names = {"task": "pose", "dataset": "coco", "name": "narrow", "representation_name": "V1"}
        super().__init__(conv, nn.Identity(), nn.Identity(), num_outputs=64, **names)  # type: ignore[arg-type]


@has_bf16
@pytest.mark.parametrize("size_hw", [(1, 1), (8, 1), (1, 8), (3, 2), (2, 3)])
@pytest.mark.parametrize(("kernel", "stride", "groups"), [(3, 2, 1), (7, 2, 1), (3, 4, 1), (3, 2, 16), (1, 2, 1)])
def test_gradients_of_maps_of_any_width_are_float32s(
    kernel: int, stride: int, groups: int, size_hw: tuple[int, int]
) -> None:
    torch.manual_seed(0)
    network, images = Narrow(kernel, stride, groups), torch.randn(2, 16, *size_hw)
    weight: Any = network.body.weight
    found = {}
    for precision in ("fp32", "bf16"):
        given = images.clone().requires_grad_()
        with reduced(network, precision, CPU):
            answer = network(given)
            dirt = [torch.full_like(weight, 7e4, dtype=torch.bfloat16) for _ in range(6)]
            del dirt  # memory that is not written holds none of the zeros of a fresh page
            (answer * torch.arange(answer.numel()).view_as(answer) / answer.numel()).sum().backward()
        found[precision] = (answer.detach(), given.grad, weight.grad, network.body.bias.grad)
        network.zero_grad()
    assert answer.dtype == torch.float32 and "_conv_forward" not in network.body.__dict__
    for usual, other in zip(*found.values(), strict=True):
        assert (usual - other).norm() <= 0.02 * usual.norm()


def test_a_reduced_cell_has_an_id_of_its_own_and_float32_keeps_the_old_one() -> None:
    cell = make_cell("pose", "coco", "hrnet_micro_w8", tier="smoke")
    assert "precision" not in cell.identity()
    half = with_precision(cell, "bf16")
    assert half.id != cell.id and half.recipe is not None and half.recipe.precision == "bf16"
    assert cell_from_identity(half.identity()) == half and half.protocol_header.endswith("bf16")
    assert with_precision(half, "fp32") == cell
    with pytest.raises(ValueError, match="bf16"):
        with_precision(cell, "bf8")


@has_bf16
@pytest.mark.parametrize(("task", "dataset"), [("landmarks", "wflw"), ("detection", "coco")])
def test_training_and_evaluation_in_bf16(task: str, dataset: str, tmp_path: Path) -> None:
    cell = with_precision(make_cell(task, dataset, "hrnet_micro_w8", tier="smoke"), "bf16")
    stored = run_cell(cell, Places(out=tmp_path / "runs", embedded=tmp_path / "embedded"), lambda progress: None)
    assert stored.done, stored
    curves = torch.tensor([point["loss"] for point in stored.record.curves.training])
    assert torch.isfinite(curves).all()


def test_nested_answers_are_cast() -> None:
    half = torch.zeros(2, dtype=torch.bfloat16)
    found = in_float({"a": [half, (half, 3)], "b": torch.zeros(1, dtype=torch.int64)})
    assert found["a"][0].dtype == found["a"][1][0].dtype == torch.float32
    assert found["a"][1][1] == 3 and found["b"].dtype == torch.int64
