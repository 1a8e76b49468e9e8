"""Detectors against the recorded numbers of mmdet and of HRNet's detection repositories, over every archive found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import detector_archives as archives
import numpy as np
import pytest
import torch
from detector_archives import NONE, Case, close, first_in_order, of, same_detections, tensor, unpacked
from golden_archives import manifest_of

from hrnet import identify_checkpoint, load_checkpoint
from tasks import build_model
from tasks.detection.boxes.coding import encode, to_family
from tasks.detection.losses import RoiSample, proposal_losses
from tasks.detection.network.cascade import CascadeDetector
from tasks.detection.network.postprocess import Keep, chosen_masks, paste
from tasks.detection.network.proposals import propose
from tasks.detection.network.transform import pad_together
from tasks.detection.targets import inside, match

CASCADES = ("cascade_rcnn", "cascade_mask_rcnn", "htc")
MASKED = ("cascade_mask_rcnn", "htc")


def manifests() -> list[Any]:
    found = sorted((archives.FOLDER / "manifests").glob("*_coco80.tsv"))
    return [pytest.param(path, id=f"detectors-{path.stem}") for path in found] or NONE


@pytest.mark.parametrize("path", manifests())
def test_every_manifest_loads_strictly(path: Path, tmp_path: Path) -> None:
    keys = manifest_of(path)
    one, count = torch.full((1,), 0.5), torch.zeros((), dtype=torch.long)
    state = {
        k: count if k.endswith("num_batches_tracked") else one.reshape(()) if s == () else one.expand(s)
        for k, s in keys.items()
    }
    wrapped = "state_dict" if path.stem.startswith(("mmdet", "official_cascade")) else "model"
    prefix = "" if wrapped == "state_dict" else "module."
    torch.save({wrapped: {prefix + k: v for k, v in state.items()}}, tmp_path / "hollow.pth")
    description = identify_checkpoint(tmp_path / "hollow.pth")
    assert (description.task, description.dataset, description.num_outputs) == ("detection", "coco", 80)
    assert description.model == f"hrnet_{next(p for p in path.stem.split('_') if p[0] == 'w' and p[1:].isdigit())}"
    with torch.device("meta"):
        options = description.build_options("detection", description.model, "coco")
        network = build_model("detection", description.model, "coco", **options)
    report = load_checkpoint(network, tmp_path / "hollow.pth")
    assert not (report.missing or report.unexpected or report.mismatched or report.ignored)
    read_as_values = sum(k.endswith(".eps") for k in keys)
    assert len(report.loaded) + len(report.dropped) + read_as_values == len(keys)
    assert all("anchor_generator" in key for key in report.dropped)
    counters = {key for key in network.state_dict() if key.endswith("num_batches_tracked")}
    assert set(report.loaded) >= set(network.state_dict()) - counters
    if not read_as_values:  # their normalisations are frozen: no parameters
        parameters = sum(p.numel() for p in network.parameters())
        assert parameters == published_parameters().get(path.stem, parameters)


def published_parameters() -> dict[str, int]:
    path = archives.FOLDER / "manifests" / "summary_detectors.tsv"
    if not path.exists():
        return {}
    lines = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    return {line[0]: int(line[2]) for line in lines}


@pytest.mark.parametrize("case", of(), indirect=True)
def test_pyramid(case: Case) -> None:
    for level, found in enumerate(case.maps):
        if f"pyramid{level}_mean_std" in case.data:
            close([found.mean().item(), found.std().item()], case.data[f"pyramid{level}_mean_std"])
        if f"pyramid{level}" in case.data:
            close(found, case.data[f"pyramid{level}"])


# -- two stages ----------------------------------------------------------------------------------------------------


def proposal_outputs(case: Case) -> tuple[Any, Any]:
    with torch.no_grad():
        outputs = case.network.rpn(case.maps)
    return outputs, case.network.anchors(case.maps, tuple(case.images.shape[-2:]))


@pytest.mark.parametrize("case", of(*CASCADES), indirect=True)
def test_proposals(case: Case) -> None:
    outputs, anchors = proposal_outputs(case)
    for level, (logits, codes) in enumerate(outputs):
        if f"rpn_cls{level}" in case.data:
            close(logits.reshape(-1), case.data[f"rpn_cls{level}"].transpose(0, 2, 3, 1).reshape(-1))
            recorded = case.data[f"rpn_reg{level}"]
            height, width = recorded.shape[-2:]
            close(codes[0], recorded.reshape(-1, 4, height, width).transpose(2, 3, 0, 1).reshape(-1, 4))
    found = propose(outputs, anchors, [case.size_hw], case.network.conventions)[0]
    recorded = case.data["proposals"]
    if len(recorded) < len(found):  # the archive holds the first of them
        found = found[: len(recorded)]
    np.testing.assert_allclose(to_family(found, case.network.conventions), recorded, atol=2e-3)


@pytest.mark.parametrize("case", of(*CASCADES), indirect=True)
def test_stages(case: Case) -> None:
    network: CascadeDetector = case.network
    conventions, data = network.conventions, case.data
    with torch.no_grad():
        context = network.context(case.maps)
        total = 0
        for stage, head in enumerate(network.box_heads):
            rois = case.boxes(f"stage{stage}_rois")
            logits, codes = head(network.box_features(case.maps, [rois], [case.size_hw], context))
            close(logits, data[f"stage{stage}_logits"])
            close(codes, data[f"stage{stage}_deltas"])
            total = total + logits
            labels = torch.ones(len(rois), dtype=torch.long)
            moved = to_family(network.refine(rois, codes, labels, case.size_hw, stage), conventions)
            if f"stage{stage + 1}_rois" in data:
                close(moved, data[f"stage{stage + 1}_rois"])
            elif "boxes_before_nms" in data:
                close(moved, data["boxes_before_nms"])
    assert isinstance(total, torch.Tensor)
    if "mean_logits" in data:
        close(total / network.num_stages, data["mean_logits"])
        close((total / network.num_stages).softmax(1), data["probabilities_before_nms"])


@pytest.mark.parametrize("case", of(*CASCADES), indirect=True)
def test_cascade_detections(case: Case) -> None:
    network, data = case.network, case.data
    # Hybrid task cascade keeps scores from 0.001 on.
    keep = Keep(score_threshold=0.001 if case.row["detector"] == "htc" else 0.05)
    for suffix, scale, in_source in (("", (1.0, 1.0), False), ("_source", case.scale_xy, True)):
        if f"det_boxes{suffix}" not in data:
            continue
        before = network.conventions
        network.set_conventions(nms_in_source=in_source)
        with torch.no_grad():
            found = network.detect_in(case.maps, [case.boxes("stage0_rois")], [case.size_hw], [scale], keep)[0]
        network.conventions = before
        labels = data[f"det_labels{suffix}"]
        same_detections(
            (found.boxes, found.labels - 1, found.scores),
            data[f"det_boxes{suffix}"],
            labels,
            data[f"det_scores{suffix}"],
        )


@pytest.mark.parametrize("case", of(*MASKED), indirect=True)
def test_masks(case: Case) -> None:
    network: CascadeDetector = case.network
    data = case.data
    count = len(data["mask0_logits_of_label"])
    rois, labels = case.boxes("det_boxes")[:count], tensor(data["det_labels"])[:count].long() + 1
    rows = torch.arange(count)
    with torch.no_grad():
        features = network.mask_features(case.maps, [rois], [case.size_hw], network.context(case.maps))
        logits = [network.mask_logits(stage, features) for stage in range(network.num_stages)]
    for stage, found in enumerate(logits):
        close(found[rows, labels - 1], data[f"mask{stage}_logits_of_label"])
    soft = torch.stack([chosen_masks(x, labels, network.conventions) for x in logits])
    mean = data["mask_mean_probability"] if "mask_mean_probability" in data else data["mask_probability_2x"]
    close(soft.mean(0), mean)
    if "mask_probability_3x" in data:
        close(soft[-1], data["mask_probability_3x"])
    for suffix in ("", "_source"):
        if f"masks{suffix}" not in data:
            continue
        shape = data[f"masks_shape{suffix}"]
        size_hw = (int(shape[1]), int(shape[2]))
        boxes = tensor(data.get(f"mask_boxes{suffix}", data["det_boxes"][:count]))
        found_masks = paste(soft.mean(0), boxes, size_hw, network.conventions)
        different = found_masks != unpacked(data[f"masks{suffix}"], shape)
        assert different.float().mean() < 2e-4


@pytest.mark.parametrize("case", of(*MASKED), indirect=True)
def test_both_rules_of_masks(case: Case) -> None:
    """The field ``mask_stages`` chooses between the averaged masks of mmdet 2.x and the last head's of 3.x."""
    network, data = case.network, case.data
    before = network.conventions
    with torch.no_grad():
        found = network.detect_in(
            case.maps, [case.boxes("stage0_rois")], [case.size_hw], [(1.0, 1.0)], Keep(0.001, max_detections=12)
        )
        made = {}
        for rule in ("mean", "last"):
            network.set_conventions(mask_stages=rule)
            made[rule] = network.masks(case.maps, found, [case.size_hw])[0]
        network.conventions = before
    assert not torch.allclose(made["mean"], made["last"], atol=1e-3)
    for rule, recorded in (("mean", "mask_probability_2x"), ("last", "mask_probability_3x")):
        if recorded in data:
            close(made[rule][: len(data[recorded])], data[recorded], 1e-4)


@pytest.mark.parametrize("case", of(*CASCADES), indirect=True)
def test_losses_of_proposals(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    data, network = case.data, case.network
    if "train_loss_rpn_cls" not in data:
        pytest.skip(f"{case.row['archive']} has no losses of proposals")
    monkeypatch.setattr("tasks.detection.losses.sample", first_in_order)
    outputs, anchors = proposal_outputs(case)
    truth = case.truth()
    losses = proposal_losses(outputs, anchors, [truth], network.conventions, network.sampling)
    assert losses["loss_rpn_cls"].item() == pytest.approx(float(data["train_loss_rpn_cls"].sum()), rel=1e-5)
    box = data["train_loss_rpn_bbox"]
    assert losses["loss_rpn_box"].item() == pytest.approx(float(box.sum()), rel=1e-5)
    if "rpn_bbox_targets_of_positives" in data:
        cells = torch.cat(list(anchors))
        matched = match(cells, truth.boxes, 0.7, 0.3, 0.3, inside(cells, truth.size_hw, network.conventions))
        positive = torch.where(matched >= 0)[0]
        assert (np.where(data["rpn_labels"] == 0)[0] == positive.numpy()).all() or len(positive) == len(
            data["rpn_bbox_targets_of_positives"]
        )
        close(
            encode(truth.boxes[matched[positive]], cells[positive], (1, 1, 1, 1)), data["rpn_bbox_targets_of_positives"]
        )


@pytest.mark.parametrize("case", of(*CASCADES), indirect=True)
def test_losses_of_stages(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    network: CascadeDetector = case.network
    data, truth = case.data, case.truth()
    monkeypatch.setattr("tasks.detection.losses.sample", first_in_order)
    drawn: list[list[RoiSample]] = []
    original = network.sample

    def spy(*arguments: Any, **options: Any) -> list[RoiSample]:
        samples = original(*arguments, **options)
        if not options.get("again"):
            drawn.append(samples)
        return samples

    monkeypatch.setattr(network, "sample", spy)
    with torch.no_grad():
        losses = network.roi_losses(case.maps, [case.boxes("train_proposals")], [truth])
    for stage, (samples,) in enumerate(drawn):
        if f"train{stage}_rois" in data:
            close(to_family(samples.boxes, network.conventions), data[f"train{stage}_rois"])
            recorded = data[f"train{stage}_labels"].astype(np.int64) + 1 - case.first_label
            recorded[recorded == 81] = 0
            assert (samples.labels.numpy() == recorded).all()
            assert (samples.truth.numpy() == data[f"train{stage}_pos_assigned_gt"]).all()
            codes = encode(
                truth.boxes[samples.truth], samples.boxes[: samples.num_positive], network.conventions.stage_stds[stage]
            )
            close(codes, data[f"train{stage}_bbox_targets"], 2e-5)
        for ours, theirs in (("loss_cls", "loss_cls"), ("loss_box", "loss_bbox"), ("loss_box", "loss_reg")):
            if f"train_s{stage}_{theirs}" in data:
                expected = float(data[f"train_s{stage}_{theirs}"].sum())
                assert losses[f"{ours}_s{stage}"].item() == pytest.approx(expected, rel=2e-5), theirs
        if f"train_s{stage}_loss_mask" in data:
            expected = float(data[f"train_s{stage}_loss_mask"].sum())
            assert losses[f"loss_mask_s{stage}"].item() == pytest.approx(expected, rel=2e-5)
        assert losses[f"accuracy_s{stage}"].item() == pytest.approx(float(data[f"train_s{stage}_acc"].item()), abs=1e-3)
    if "train_loss_semantic_seg" in data:
        assert losses["loss_semantic"].item() == pytest.approx(float(data["train_loss_semantic_seg"]), rel=1e-5)


@pytest.mark.parametrize("case", of(), indirect=True)
def test_answers_are_those_of_the_parts(case: Case) -> None:
    """The whole way of a picture, as an evaluation goes it, ends in boxes within the source picture."""
    height, width = case.size_hw
    source = tuple(int(n) for n in case.data.get("ori_hw", np.array(case.size_hw)))
    images = pad_together([case.images[0, :, :height, :width]])
    with torch.no_grad():
        answer = case.network.answer(images, [case.size_hw], [source], [case.scale_xy], Keep(max_detections=12))[0]
    assert len(answer["boxes"]) > 0 and (answer["scores"].diff() <= 0).all()
    limit = torch.tensor([source[1], source[0]] * 2) + 1.0
    assert (answer["boxes"] >= -1e-3).all() and (answer["boxes"] <= limit).all()
    assert case.network.has_masks == ("masks" in answer)
