"""UDP, ViTPose, Lite-HRNet and SimpleBaseline on other bodies against mmpose's recorded numbers, over every archive found.

Archives lie in ``$HRNET_GOLDEN/pose_rivals``, else in tests/data/golden/pose_rivals, else in ../shared/golden/pose_rivals.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from golden_archives import seeded_input
from rival_archives import GOLDEN, cases, indexed, load, loaded, manifest, relative, seeded, table
from torch import nn

from hrnet import identify_checkpoint, load_checkpoint, profile
from hrnet.checkpoints.registry import interpret, recognise
from tasks import build_model, get_task
from tasks.pose.protocol import body_of

# -- networks ----------------------------------------------------------------------------------------------------


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


# -- optimisation -------------------------------------------------------------------------------------------------


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
