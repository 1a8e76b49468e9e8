"""An interrupted and resumed training ends with the same bits as an uninterrupted one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from seg_fixtures import write_cityscapes

from benchmarks.engine import loops as engine
from tasks import build_model, get_task
from tasks.segmentation.crops.augment import SegmentationAugment

TASK = get_task("segmentation")


@pytest.mark.parametrize("model", ["hrnet_micro_w8", "hrnet_micro_w8_ocr"])
def test_resumed_equals_uninterrupted(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine.ResumeHook.__init__, "__defaults__", (0.0,))  # keep the state of every epoch
    write_cityscapes(tmp_path / "data", count=6, split="train")
    recipe = TASK.recipe("cityscapes", model, "smoke")
    recipe = replace(recipe, epochs=3, batch_size=2, augment=SegmentationAugment((32, 32)), warmup_iterations=2)
    protocol = TASK.protocol("cityscapes", tier="smoke")

    def trained(folder: str, stops: list[int | None]) -> dict[str, torch.Tensor]:
        network = None
        for stop in stops:
            data = TASK.train_data("cityscapes", tmp_path / "data", "train", recipe, protocol, 3)
            engine.seed_everything(3)
            network = build_model("segmentation", model, "cityscapes")
            curves, *_ = engine.train(
                network,
                TASK,
                data,
                recipe,
                protocol,
                seed=3,
                workspace=tmp_path / folder,
                report=lambda progress: None,
                stop_after_epoch=stop,
            )
            assert len(curves) == (stop or recipe.epochs)
            assert (tmp_path / folder / "resume.pt").exists()
        assert network is not None
        return network.state_dict()

    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    whole, resumed = trained("one", [None]), trained("two", [1, 2, None])
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)
