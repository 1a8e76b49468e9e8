"""UDP, ViTPose, Lite-HRNet and SimpleBaseline on other bodies against mmpose's recorded numbers, over every archive found.

Archives lie in ``$HRNET_GOLDEN/pose_rivals``, else in tests/data/golden/pose_rivals, else in ../shared/golden/pose_rivals.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from golden_archives import REPOSITORY, seeded_input, seeded_tensor
from torch import nn

from hrnet import identify_checkpoint, load_checkpoint, profile
from hrnet.checkpoints.registry import interpret, recognise
from tasks import build_model, get_task
from tasks.geometry import affine_matrix, boxes_to_centre_scale_mmpose, crop, transform_points, udp_matrix
from tasks.heatmaps import udp
from tasks.heatmaps.decoding import decode, to_image
from tasks.heatmaps.flip import unflip, unflip_combined
from tasks.heatmaps.losses import heatmap_loss
from tasks.pose.files.coco import kept_boxes
from tasks.pose.protocol import body_of
from tasks.pose.targets import pose_targets

Arrays = dict[str, np.ndarray]

FOLDERS = (
    Path(os.environ["HRNET_GOLDEN"]) / "pose_rivals" if os.environ.get("HRNET_GOLDEN") else None,
    REPOSITORY / "tests" / "data" / "golden" / "pose_rivals",
    REPOSITORY.parent / "shared" / "golden" / "pose_rivals",
)
GOLDEN = next((f for f in FOLDERS if f is not None and f.is_dir()), FOLDERS[-1])
assert GOLDEN is not None


def table(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    """The rows of a csv or tsv file; none where it is absent."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def cases(found: list[Any], name: Callable[[Any], str], what: str) -> list[Any]:
    """Parameters of what was found, named ``pose_rivals-<archive>``; a skipped one where there is nothing."""
    if not found:
        return [
            pytest.param(None, id=f"pose_rivals-no-{what}", marks=pytest.mark.skip(reason=f"no {what} in {GOLDEN}"))
        ]
    return [pytest.param(entry, id=f"pose_rivals-{name(entry)}") for entry in found]


def indexed(folder: str) -> list[Any]:
    return cases(table(GOLDEN / folder / "index.csv"), lambda row: str(row["archive"]), folder)


def archives(pattern: str) -> list[Any]:
    return cases(sorted((GOLDEN / "functions").glob(pattern)), lambda path: path.stem, pattern)


def load(path: Path) -> Arrays:
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files}


def manifest(name: str) -> dict[str, tuple[int, ...]]:
    rows = table(GOLDEN / "manifests" / f"{name}.tsv", "\t")
    return {r["key"]: () if r["shape"] == "scalar" else tuple(map(int, r["shape"].split("x"))) for r in rows}


def seeded(name: str, factor: float = 1.0) -> dict[str, torch.Tensor]:
    """Seeded weights of a manifest; those of the last convolution times ``factor``."""
    state = {key: seeded_tensor(key, shape) for key, shape in manifest(name).items()}
    for key in state:
        if key.startswith("head.final_layer."):
            state[key] *= factor
    return state


def loaded(state: dict[str, torch.Tensor], path: Path, model: str, dataset: str = "coco") -> nn.Module:
    torch.save(state, path)
    description = identify_checkpoint(path)
    network = build_model("pose", model, dataset, **description.build_options("pose", model, dataset))
    report = load_checkpoint(network, path)
    assert not (report.missing or report.unexpected or report.mismatched or report.ignored)
    return network.eval()


# -- networks ----------------------------------------------------------------------------------------------------


def relative(found: torch.Tensor, expected: np.ndarray) -> float:
    assert tuple(found.shape) == expected.shape
    return float(np.linalg.norm(found.numpy().astype(np.float64) - expected) / np.linalg.norm(expected))


@pytest.mark.parametrize("row", indexed("models"))
def test_forward_equals_the_reference(row: dict[str, str], tmp_path: Path) -> None:
    golden = load(GOLDEN / "models" / f"{row['archive']}.npz")
    state = {row["key_prefix"] + key: value for key, value in seeded(row["manifest"]).items()}
    network = loaded(state, tmp_path / "checkpoint.pth", row["model"], row["dataset"])
    images = seeded_input(row["archive"], tuple(int(n) for n in golden["input_shape"]))
    with torch.inference_mode():
        found = network(images)
    assert relative(found, golden["output"]) <= float(row["limit_float32"])


@pytest.mark.parametrize(
    "name",
    cases(
        sorted(p.stem for p in (GOLDEN / "manifests").glob("*.tsv") if p.stem != "summary"),
        lambda name: name,
        "manifests",
    ),
)
def test_every_manifest_loads_strictly_and_costs_what_was_counted(name: str, tmp_path: Path) -> None:
    """Under the very name that the file's keys tell, and with the counted parameters and multiply-adds."""
    one, count = torch.full((1,), 0.5), torch.zeros((), dtype=torch.long)
    keys = manifest(name)
    path = tmp_path / "hollow.pth"
    torch.save({k: count if k.endswith("num_batches_tracked") else one.expand(s) for k, s in keys.items()}, path)
    description = identify_checkpoint(path)
    assert (description.task, description.dataset) == ("pose", "coco") and description.model is not None
    with torch.device("meta"):
        network = build_model(
            "pose", description.model, "coco", **description.build_options("pose", description.model, "coco")
        )
    report = load_checkpoint(network, path)
    assert not (report.missing or report.unexpected or report.mismatched or report.ignored or report.dropped)
    assert len(report.loaded) == len(keys)
    for row in table(GOLDEN / "manifests" / "summary.tsv", "\t"):
        if row["name"] == name:
            assert sum(p.numel() for p in network.parameters()) == int(row["params"])
            if row["macs_true"]:
                height, width = map(int, row["input_NCHW"].split("x")[2:])
                assert profile(network, (height, width)).macs == int(row["macs_true"])


def reached(network: nn.Module, key: str) -> nn.Module | None:
    """Our module of one of mmpose's module names, found by where the weights below it go."""
    name = re.sub(r"^backbone\.", "body.", key).replace("head.deconv_layers", "body.deconv_layers")
    name = name.replace("head.final_layer", "head.predict")
    name = re.sub(r"^body\.layers\.(\d+)\.ln1$", r"body.vit.blocks.\1.norm1", name)
    name = re.sub(r"^body\.layers\.(\d+)", r"body.vit.blocks.\1", name).replace("body.ln1", "body.vit.norm")
    return dict(network.named_modules()).get(name)


@pytest.mark.parametrize("path", cases(sorted((GOLDEN / "stages").glob("*.npz")), lambda path: path.stem, "stages"))
def test_stages_between(path: Path, tmp_path: Path) -> None:
    """Module by module; those that our network has under no name (an embedding, sums written otherwise) are passed over."""
    golden = load(path)
    kind = path.stem.removeprefix("stages_")
    model = {"litehrnet18": "litehrnet_18", "litehrnet30": "litehrnet_30"}.get(kind, kind)
    network = loaded(seeded(f"mmpose_{kind}_coco17"), tmp_path / "checkpoint.pth", model).double()
    outputs: dict[str, Any] = {}
    names = {key.split("__")[0] for key in golden if "__" in key}
    for name in names:
        module = reached(network, name)
        if module is not None:
            module.register_forward_hook(lambda m, i, made, name=name: outputs.update({name: made}))
    images = seeded_input(path.stem, tuple(int(n) for n in golden["input_shape"])).double()
    with torch.inference_mode():
        network(images)
    assert len(outputs) >= len(names) - 3, sorted(names - set(outputs))
    compared = 0
    for key, expected in golden.items():
        name, *parts = key.split("__")
        if not parts or parts[-1] != "mean_std_l2" or name not in outputs:
            continue
        made = outputs[name][int(parts[0])] if len(parts) == 2 else outputs[name]
        if isinstance(made, list | tuple):
            made = made[0]
        if list(made.shape) != golden[key.replace("mean_std_l2", "shape")].tolist():
            continue
        np.testing.assert_allclose([made.mean(), made.std(), made.norm()], expected, rtol=1e-5, atol=1e-7)
        compared += 1
    assert compared >= len(outputs)


# -- functions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", archives("pose_udp_affine*.npz"))
def test_udp_matrix(path: Path) -> None:
    data = load(path)
    for k in range(len(data["matrix"])):
        arguments = (
            data["center"][k],
            data["scale_px"][k] / 200,
            float(data["rotation_deg"][k]),
            data["output_size_wh"][k],
        )
        found = udp_matrix(*arguments)
        np.testing.assert_allclose(transform_points(data["points"][k], found), data["points_warped"][k], atol=2e-3)
        np.testing.assert_allclose(found, data["matrix"][k], rtol=1e-6, atol=1e-5)
        if data["aspect_fixed"][k]:
            plain = affine_matrix(*arguments, along="x")
            np.testing.assert_allclose(plain, data["msra_matrix"][k], rtol=1e-6, atol=1e-4)


@pytest.mark.parametrize("path", archives("pose_udp_crop*.npz"))
def test_udp_crop(path: Path) -> None:
    data = load(path)
    size = data["output_size_wh"]
    for k, expected in enumerate(data["crop_udp"]):
        matrix = udp_matrix(data["center"][k], data["scale_px"][k] / 200, float(data["rotation_deg"][k]), size)
        difference = np.abs(crop(data["image"], matrix, size).astype(int) - expected)
        assert (difference == 0).mean() >= 0.999 and difference.max() <= 1


@pytest.mark.parametrize("path", archives("pose_udp_target*.npz"))
def test_udp_targets(path: Path) -> None:
    data = load(path)
    for k, joints in enumerate(data["joints_xy"]):
        sizes = data["image_size_wh"], data["heatmap_size_wh"]
        maps, weight = pose_targets(joints, data["visible"][k], *sizes, float(data["sigma"]), "udp")
        np.testing.assert_array_equal(weight, data["weight"][k])
        np.testing.assert_allclose(maps, data["target"][k], atol=2e-6, rtol=0)


@pytest.mark.parametrize("path", archives("pose_udp_combined_target*.npz"))
def test_combined_targets(path: Path) -> None:
    data = load(path)
    joints, visible = data["joints_xy"][0], data["visible"][0]
    maps, weight = pose_targets(joints, visible, data["image_size_wh"], data["heatmap_size_wh"], 2, "udp_combined")
    np.testing.assert_array_equal(weight, data["weight"][0])
    np.testing.assert_array_equal(maps[::3], data["class_map"])
    drawn = visible >= 0.5
    np.testing.assert_allclose(maps[1::3, 0][drawn], data["offset_x_row0"][drawn], atol=2e-6)
    np.testing.assert_allclose(maps[2::3, :, 0][drawn], data["offset_y_col0"][drawn], atol=2e-6)


@pytest.mark.parametrize("path", archives("pose_udp_decode*.npz"))
def test_udp_dark_and_quarter_decoding(path: Path) -> None:
    data = load(path)
    maps, blur, found = data["heatmaps"], int(data["blur_kernel"]), data["found"] == 1
    map_wh, scale = (maps.shape[3], maps.shape[2]), data["scale_px"]
    cell_px = (scale / (np.array(map_wh) - 1)).max()
    cells, scores = udp.decode_udp(maps, blur)
    points = udp.udp_to_image(cells, data["center"], scale, map_wh)
    np.testing.assert_allclose(scores[found], data["scores"][found], rtol=1e-6)
    np.testing.assert_allclose(points[found], data["udp_keypoints_image"][found], atol=2e-3 * cell_px)
    for method, name in (("dark", "dark"), ("quarter_per_axis", "quarter")):
        cells, _ = decode(maps, method, blur)
        points = to_image(cells, data["center"], scale / 200, map_wh)
        np.testing.assert_allclose(points[found], data[f"{name}_keypoints_image"][found], atol=2e-3 * cell_px)
    hrnet = to_image(decode(maps)[0], data["center"], scale / 200, map_wh)
    np.testing.assert_allclose(hrnet[found], data["quarter_keypoints_image_hrnet"][found], atol=2e-3 * cell_px)


@pytest.mark.parametrize("path", archives("pose_udp_combined_decode*.npz"))
def test_combined_decoding(path: Path) -> None:
    data = load(path)
    maps = data["heatmaps"]
    cells, scores = udp.decode_combined(maps, int(data["blur_kernel"]))
    points = udp.udp_to_image(cells, data["center"], data["scale_px"], (maps.shape[3], maps.shape[2]))
    np.testing.assert_allclose(scores, data["scores"], rtol=1e-4)
    np.testing.assert_allclose(points, data["keypoints_image"], atol=1e-2)


@pytest.mark.parametrize("path", archives("pose_udp_flip*.npz"))
def test_udp_flip(path: Path) -> None:
    data = load(path)
    order = data["flip_indices"].tolist()
    pairs = [(k, other) for k, other in enumerate(order) if k < other]
    mirrored, maps = torch.from_numpy(data["heatmaps_of_mirrored_image"]), torch.from_numpy(data["heatmaps"])
    for shift, name in ((False, "no_shift"), (True, "with_shift")):
        back = unflip(mirrored, pairs, shift)
        np.testing.assert_array_equal(back.numpy(), data[f"flipped_{name}"])
        np.testing.assert_allclose(((maps + back) * 0.5).numpy(), data[f"mean_{name}"], rtol=1e-6)
    combined = unflip_combined(torch.from_numpy(data["combined_of_mirrored_image"]), pairs)
    np.testing.assert_array_equal(combined.numpy(), data["combined_flipped"])


@pytest.mark.parametrize("path", archives("pose_loss*.npz"))
def test_losses(path: Path) -> None:
    data = {name: torch.from_numpy(np.asarray(value)) for name, value in load(path).items()}
    arguments = [data["prediction"]], data["target"], data["weight"]
    assert float(heatmap_loss(*arguments)) == pytest.approx(float(data["loss_mmpose"]), rel=1e-5)
    assert float(heatmap_loss(*arguments, factor=0.5)) == pytest.approx(float(data["loss_hrnet"]), rel=1e-5)
    combined = [data["combined_prediction"]], data["combined_target"], data["combined_weight"]
    assert float(heatmap_loss(*combined, "udp_combined")) == pytest.approx(
        float(data["loss_combined_mmpose"]), rel=1e-5
    )


@pytest.mark.parametrize("path", archives("pose_mmpose_box*.npz"))
def test_mmpose_box(path: Path) -> None:
    data = load(path)
    points = np.ones((len(data["box_xywh"]), 17, 3))
    boxes, kept = kept_boxes(data["box_xywh"], points, data["image_size_wh"], "mmpose")
    assert kept.all()
    centres, scales = boxes_to_centre_scale_mmpose(boxes, float(data["aspect_w_over_h"]), float(data["padding"]))
    np.testing.assert_allclose(centres, data["center"], rtol=1e-6)
    np.testing.assert_allclose(scales * 200, data["scale_px"], rtol=1e-6)


@pytest.mark.parametrize("path", archives("vit_pos_embed_resize*.npz"))
def test_position_embeddings_are_resized_without_antialiasing(path: Path) -> None:
    from benchmarks.baselines.transformers.vit import resize_positions

    data = load(path)
    table_, square = torch.from_numpy(data["table"]), torch.from_numpy(data["table_square"])
    for name, expected in data.items():
        found = re.fullmatch(r"resized_(\d+)x(\d+)", name)
        if found:
            size = int(found[1]), int(found[2])
            np.testing.assert_allclose(resize_positions(table_, (16, 12), size).numpy(), expected, atol=1e-5)
    resized = resize_positions(square, (14, 14), (16, 12)).numpy()
    np.testing.assert_allclose(resized, data["square_14x14_to_16x12"], atol=1e-5)


@pytest.mark.parametrize(
    "path", cases(sorted((GOLDEN / "functions").glob("layer_decay_*.tsv")), lambda path: path.stem, "layer_decay")
)
def test_rates_and_weight_decay_of_layers(path: Path) -> None:
    """Every parameter of the table has its rate and weight decay in our optimiser."""
    from benchmarks.engine.optimisation import optimizer_of
    from hrnet.checkpoints.reading import RawCheckpoint

    name = path.stem.removeprefix("layer_decay_").removesuffix("_coco17")
    rows = table(path, "\t")
    keys = manifest(f"mmpose_{name}_coco17")
    network = build_model("pose", name, "coco")
    optimizer = optimizer_of(network, get_task("pose").recipe("coco", name, "full"))
    settings = {id(p): (g["lr"], g["weight_decay"]) for g in optimizer.param_groups for p in g["params"]}
    made = interpret(RawCheckpoint(path, {key: torch.zeros(shape) for key, shape in keys.items()})).origin
    ours = {origin: own for own, origin in made.items()}
    parameters = dict(network.named_parameters())
    assert {row["parameter"] for row in rows} == {origin for own, origin in made.items() if own in parameters}
    for row in rows:
        found = settings[id(parameters[ours[row["parameter"]]])]
        assert found == pytest.approx((float(row["lr"]), float(row["weight_decay"])), rel=1e-6), row["parameter"]


# -- whole evaluations -------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("row", indexed("pipelines"))
def test_pipeline(row: dict[str, str], samples: Path, tmp_path: Path) -> None:
    from benchmarks.experiment.cell import make_cell
    from benchmarks.experiment.paths import Places
    from benchmarks.running.trial import run_cell

    golden = load(GOLDEN / "pipelines" / f"{row['archive']}.npz")
    path = tmp_path / "checkpoint.pth"
    torch.save(seeded(row["manifest"], float(row["final_layer_factor"])), path)
    cell = make_cell(
        row["task"],
        row["dataset"],
        row["model"],
        split=row["split"],
        checkpoint=str(path),
        family=identify_checkpoint(path).family,
        protocol=dict(part.split("=", 1) for part in re.split(r"[;\s]+", row["protocol"]) if part),
    )
    kept: list[Any] = []
    places = Places(out=tmp_path / "runs", data_root=samples, batch_size=8, num_workers=0)
    stored = run_cell(cell, places, lambda progress: None, lambda evaluation, network: kept.append(evaluation))
    assert stored.done, stored.record["reason"]
    evaluation = kept[0]
    persons = evaluation.data.persons
    boxes = np.column_stack([persons.centres, persons.scales, np.prod(persons.scales * 200, axis=1), persons.scores])
    np.testing.assert_allclose(boxes, golden["center_scale_area_score"], rtol=1e-5, atol=1e-4)
    found, expected = evaluation.keypoints, golden["keypoints_xy_score"]
    assert found.shape == expected.shape
    stable = golden["stable"] == 1
    distance = np.abs(found[..., :2] - expected[..., :2]).max(-1)
    assert (distance[stable] <= 0.05).mean() >= 0.99
    np.testing.assert_allclose(found[..., 2], expected[..., 2], rtol=2e-3, atol=1e-5)
    names = [Path(persons.files[k]).name for k in persons.image]
    assert names == [Path(str(name)).name for name in golden["image"]]


# -- mappings ----------------------------------------------------------------------------------------------------


def named(path: Path) -> dict[str, str]:
    return {row["mmpose_key"]: row["other_key"] for row in table(path, "\t")}


@pytest.mark.parametrize("path", cases(sorted((GOLDEN / "mappings").glob("*.tsv")), lambda path: path.stem, "mappings"))
def test_mappings_agree_where_the_library_is_ours(path: Path, tmp_path: Path) -> None:
    """Our rules send every key where the proved table does, for the bodies that stand on that very library."""
    proved = named(path)
    state = {key: torch.zeros(()) for key in proved} | {"head.final_layer.weight": torch.zeros(17, 256, 1, 1)}
    family = recognise(state)
    assert family is not None
    from hrnet.checkpoints.reading import RawCheckpoint

    made = interpret(RawCheckpoint(path, state)).origin
    ours = {origin: re.sub(r"^body\.(?:encoder\.|vit\.)?", "", name) for name, origin in made.items()}
    prefix = "features." if "mobilenet_v2" in path.stem else ""
    if path.stem.startswith("timm_mobilenet") or "resnext" in path.stem:
        pytest.skip("this body is torchvision's, or is told apart by shapes that the table does not hold")
    assert {key: f"{prefix}{ours[key]}" for key in proved} == proved


def test_udp_names_are_bodies_with_a_preset() -> None:
    assert body_of("hrnet_w32_udp_regress") == body_of("hrnet_w32_udp") == body_of("hrnet_w32") == "hrnet_w32"
    assert body_of("hrnet_w32_udppose") == "hrnet_w32_udppose"
