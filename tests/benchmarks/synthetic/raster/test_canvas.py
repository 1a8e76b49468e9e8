"""The canvas, the camera and the vehicles that all scenes are painted with."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from benchmarks.synthetic.raster.camera import Camera
from benchmarks.synthetic.raster.canvas import Canvas, inset, rectangle
from benchmarks.synthetic.raster.prisms import Placement, prism_faces
from benchmarks.synthetic.scenes.things import vehicles

CAMERA = Camera(200.0, 128.0, 50.0, 1.5)
BOX = [(-2.0, 0.0), (-2.0, 1.0), (2.0, 1.0), (2.0, 0.0)]


def test_later_items_cover_earlier_ones():
    canvas = Canvas(40, 30)
    with canvas.item("far"):
        canvas.polygon(rectangle(5, 5, 25, 25), (255, 0, 0))
    with canvas.item("near"):
        canvas.polygon(rectangle(15, 10, 35, 20), (0, 0, 255))
    seen = canvas.item_map()
    assert [(seen == k).sum() for k in (-1, 0, 1)] == [40 * 30 - 500, 300, 200]
    picture = canvas.picture(np.random.default_rng(0), noise=0.0, vignette=0.0)
    assert picture[15, 20].argmax() == 2
    assert picture[7, 7].argmax() == 0


def test_an_item_outside_of_the_picture_is_forgotten():
    canvas = Canvas(40, 30)
    with canvas.item("thing"):
        canvas.polygon(rectangle(50, 50, 60, 60), (255, 0, 0))
    with canvas.item("empty"):
        pass
    assert canvas.items == []


def test_a_claim_fills_gaps_without_painting():
    canvas = Canvas(40, 30, (9, 9, 9))
    with canvas.item("fence"):
        canvas.claim(rectangle(10, 10, 30, 20))
    assert (canvas.item_map() == 0).sum() == 200
    assert (canvas.rgb == 9).all()


def test_a_failing_item_leaves_the_canvas_usable():
    canvas = Canvas(40, 30)
    with pytest.raises(RuntimeError), canvas.item("broken"):
        raise RuntimeError
    with canvas.item("whole"):
        canvas.polygon(rectangle(0, 0, 10, 10), (0, 0, 0))
    assert [item.label for item in canvas.items] == ["whole"]


def test_fog_takes_far_things_more_than_near_ones():
    pictures = []
    for depth in (5.0, 50.0):
        canvas = Canvas(20, 20)
        with canvas.item("thing", depth=depth, grain=0.0, blotch=0.0):
            canvas.polygon(rectangle(0, 0, 20, 20), (0, 0, 0))
        options = {"noise": 0.0, "vignette": 0.0, "fog_colour": (200, 200, 200), "visibility_m": 40.0}
        pictures.append(canvas.picture(np.random.default_rng(0), **options)[10, 10, 0])
    assert pictures[0] == pytest.approx(200 * (1 - np.exp(-5 / 40)), abs=1.5)
    assert pictures[1] == pytest.approx(200 * (1 - np.exp(-50 / 40)), abs=1.5)


def test_projection_halves_with_twice_the_distance():
    near, far = CAMERA.project(np.array([[1.0, 0.0, 5.0], [1.0, 0.0, 10.0]]))
    np.testing.assert_allclose(near - (128, 50), 2 * (far - (128, 50)))
    row = int(near[1])
    assert CAMERA.ground_depth(128)[row] == pytest.approx(5.0, rel=0.02)


def test_inset_of_a_rectangle():
    np.testing.assert_allclose(inset(rectangle(0, 0, 10, 20), 0.1, 0.25, 0.5, 0.75), rectangle(1, 5, 5, 15))


@pytest.mark.parametrize(
    ("at", "indices"),
    [
        (Placement(0.0, 10.0, 0.0), {0, 1}),  # from behind, from above
        (Placement(0.0, 10.0, np.pi), {1, 2}),  # from the front
        (Placement(4.0, 10.0, 0.0), {0, 1, -2}),  # to our right: its left side shows
        (Placement(-4.0, 10.0, 0.0), {0, 1, -1}),
    ],
)
def test_faces_that_look_at_the_camera(at: Placement, indices: set[int]):
    assert {face.index for face in prism_faces(CAMERA, at, BOX, 0.8)} == indices


@pytest.mark.parametrize("draw", [vehicles.car, vehicles.bus, vehicles.truck, vehicles.tram])
def test_a_vehicle_is_one_instance_about_as_large_as_it_should_be(draw):
    canvas = Canvas(256, 128)
    draw(canvas, CAMERA, Placement(0.0, 20.0, np.pi / 2), np.random.default_rng(1))
    (item,) = canvas.items
    x0, y0, x1, y1 = item.box_xyxy
    length_m, height_m = (x1 - x0) / CAMERA.scale(19), (y1 - y0) / CAMERA.scale(19)
    assert item.instance
    assert 3.5 < length_m < 24
    assert 1.2 < height_m < 5.5


def test_the_writers_need_no_torch():
    code = (
        "import sys\n"
        "import benchmarks.synthetic.datasets.cityscapes, benchmarks.synthetic.datasets.pascal_context\n"
        "import benchmarks.synthetic.datasets.coco_objects\n"
        "assert 'torch' not in sys.modules, 'torch was imported'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
