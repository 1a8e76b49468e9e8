"""The reference crop's documented behaviour, both crops against their matrices, training samples against their targets."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.geometry import transform_points
from tasks.landmarks.crops.augment import FaceAugment
from tasks.landmarks.crops.face_crops import crop_matrix, reference_crop, resize, rotate, stretch
from tasks.landmarks.datasets import LandmarkTrainData, _zero_based, face_input
from tasks.landmarks.entries import ENTRIES
from tasks.landmarks.files.markup import mirror_points
from tasks.landmarks.protocol import LandmarkProtocol, check_protocol


def textured(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A smooth colour picture that uses only a part of the range of values."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(60, 180, (7, 9, 3), dtype=np.uint8))
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC)).clip(60, 180).astype(np.uint8)


# ---- the contrast stretch ----
def test_stretch_spans_all_channels_together() -> None:
    picture = np.array([[[10.0, 20.0, 110.0], [61.0, 35.0, 10.0]]])
    np.testing.assert_array_equal(stretch(picture), [[[0, 26, 255], [130, 64, 0]]])
    np.testing.assert_array_equal(stretch(np.full((2, 2, 3), 7.0)), 0)


def test_whole_bytes_are_not_stretched_but_floats_are() -> None:
    picture = textured(20, 30)
    np.testing.assert_array_equal(resize(picture, (30, 20)), picture)
    made = resize(picture.astype(np.float32), (30, 20))
    assert made.min() == 0 and made.max() == 255


@pytest.mark.parametrize("as_float", [True, False])
def test_every_crop_is_stretched(as_float: bool) -> None:
    """COFW's pictures arrive as bytes, but the padded canvas is float, so their crops are stretched as well."""
    made = reference_crop(textured(300, 300), (150.0, 150.0), 0.9, (256, 256), 0.0, as_float)
    assert made.min() <= 3 and made.max() >= 252


def test_only_a_picture_loaded_as_float_is_stretched_before_it_is_shrunk() -> None:
    """Bright values outside the box matter only if the whole picture was stretched first."""
    picture = textured(900, 900)
    picture[:40, :40] = 231
    picture[-40:, -40:] = 17
    box = ((450.0, 450.0), 3.0, (256, 256))
    first, second = (reference_crop(picture, *box, 0.0, as_float).astype(int) for as_float in (True, False))
    # the patch is stretched in either case, so that the two differ by rounding alone
    assert np.abs(first - second).max() <= 3 and (first != second).any()


# ---- corners ----
def test_a_crop_of_its_own_size_is_a_plain_cut() -> None:
    """Side 256 around a whole centre c (1-based): rows and columns c - 128 .. c + 127 of the 0-based picture."""
    picture = textured(500, 600)
    made = reference_crop(picture, (300.0, 240.0), 256 / 200, (256, 256))
    np.testing.assert_array_equal(made, stretch(picture[112:368, 172:428].astype(np.float32)))


def test_corners_are_truncated() -> None:
    """300W's lfpw/testset/image_0198: scale 0.715, centre (224.5, 145.5): columns 135 .. 313, rows 56 .. 234."""
    picture = textured(300, 400)
    cut = picture[56:235, 135:314].astype(np.float32)
    made = reference_crop(picture, (224.5, 145.5), 0.715 * 1.25, (256, 256))
    np.testing.assert_array_equal(made, resize(cut, (256, 256)))


def test_outside_is_zero() -> None:
    picture = np.full((100, 100, 3), 200, np.uint8)
    made = reference_crop(picture, (0.0, 50.0), 0.5, (64, 64))
    assert (made[:, :30] == 0).all() and (made[:, 34:] == 255).all()
    np.testing.assert_array_equal(reference_crop(picture, (900.0, 900.0), 0.5, (64, 64)), 0)


def test_shrinking_is_antialiased() -> None:
    """A one-pixel chequerboard, shrunk, becomes grey; without antialiasing it would beat."""
    board = (np.indices((400, 400)).sum(0) % 2 * 255).astype(np.uint8)
    made = reference_crop(np.repeat(board[..., None], 3, 2), (200.0, 200.0), 380 / 200, (256, 256))
    assert made[20:-20, 20:-20].astype(float).std() < 25
    assert made[20:-20, 20:-20].mean() == pytest.approx(127, abs=4)


def test_a_picture_twice_too_large_is_shrunk_first() -> None:
    picture = textured(1400, 1400)
    made = reference_crop(picture, (700.0, 700.0), 6.0, (256, 256)).astype(float)
    around = np.asarray(Image.fromarray(picture[100:1300, 100:1300]).resize((256, 256), Image.Resampling.BOX)).astype(
        float
    )
    around = (around - around.min()) * 255 / np.ptp(around)
    assert np.abs(made - around)[8:-8, 8:-8].mean() < 4


def test_rotation_turns_counter_clockwise_with_its_points() -> None:
    spot = np.zeros((64, 64, 3), np.uint8)
    spot[32, 55] = 255
    turned = rotate(spot, 90.0)
    row, column = np.unravel_index(turned[..., 0].argmax(), (64, 64))
    assert row < 12 and abs(column - 32) <= 1


@pytest.mark.parametrize("crop", ["reference", "affine"])
@pytest.mark.parametrize("rotation_deg", [0.0, -30.0, 17.0])
@pytest.mark.parametrize("scale", [0.6, 1.1, 2.4])
def test_pixels_and_points_move_alike(crop: str, rotation_deg: float, scale: float) -> None:
    """A dot in the picture is found in the crop where the crop's matrix says."""
    rng = np.random.default_rng(int(scale * 10))
    size, centre = 128, np.array([301.0, 262.0])
    for _ in range(4):
        point = np.round(centre + rng.uniform(-0.3, 0.3, 2) * scale * 200)
        picture = np.zeros((600, 640, 3), np.uint8)
        x, y = point.astype(int)
        radius = max(1, int(scale * 3))
        picture[y - 1 - radius : y + radius, x - 1 - radius : x + radius] = 255
        matrix = crop_matrix(centre, scale, (size, size), rotation_deg, crop)
        if crop == "reference":
            made = reference_crop(picture, centre, scale, (size, size), rotation_deg)
        else:
            from tasks.landmarks.crops.face_crops import affine_crop

            made = affine_crop(picture, _zero_based(matrix), (size, size))
        bright = made[..., 0].astype(float)
        found = np.array([(bright.sum(axis) * np.arange(size)).sum() / bright.sum() for axis in (0, 1)])
        limit = 1.8 if crop == "reference" else 0.5
        assert np.abs(found - transform_points(point, matrix)).max() < limit


def test_reference_matrix_states_the_similarity() -> None:
    """T (x, y) = (x - centre) size / side + size / 2 on the file's numbers."""
    matrix = crop_matrix((224.5, 145.5), 0.9, (256, 256), 0.0, "reference")
    np.testing.assert_allclose(
        matrix, [[256 / 180, 0, 128 - 224.5 * 256 / 180], [0, 256 / 180, 128 - 145.5 * 256 / 180]]
    )


# ---- training samples ----
HEADER = ",".join(["image_name,scale,center_w,center_h", *(f"original_{k}_{axis}" for k in range(68) for axis in "xy")])


@pytest.mark.parametrize(("crop", "rule"), [("reference", "face"), ("affine", "pose"), ("affine", "exact")])
def test_targets_peak_where_the_landmark_is_seen(tmp_path: Path, crop: str, rule: str) -> None:
    """One landmark is the only bright spot of its picture: through scale, rotation and mirror its own map peaks on it."""
    markup = ENTRIES["300w"].markup
    rng = np.random.default_rng(0)
    (tmp_path / "images").mkdir()
    lines = [HEADER]
    for index, lit in enumerate((36, 8, 54, 30)):
        points = rng.uniform(70, 130, (68, 2)).round()
        picture = np.zeros((200, 220, 3), np.uint8)
        x, y = points[lit].astype(int)
        picture[y - 3 : y + 2, x - 3 : x + 2] = 255
        Image.fromarray(picture).save(tmp_path / "images" / f"{index}.png")
        lines.append(f"{index}.png,0.5,100.0,100.0," + ",".join(map(str, points.ravel())))
    (tmp_path / "face_landmarks_300w_train.csv").write_text("\n".join(lines) + "\n")
    protocol = LandmarkProtocol((128, 128), crop, "reference" if crop == "reference" else "quarter")
    augment = FaceAugment(rotation_prob=1.0, flip_prob=0.5, target_rule=rule)
    data = LandmarkTrainData(ENTRIES["300w"], tmp_path, "train", protocol, augment, 0)
    mirrors = 0
    for epoch in range(8):
        for index, lit in enumerate((36, 8, 54, 30)):
            sample = data[(epoch, index)]
            bright = sample["images"].sum(0) - sample["images"].sum(0).min()
            bright = np.where(bright > 0.5 * bright.max(), bright, 0)
            seen = np.array([(bright.sum(axis) * np.arange(128)).sum() / bright.sum() for axis in (0, 1)]) / 4
            distance = []
            for point in (lit, int(markup.order()[lit])):
                row, column = np.unravel_index(sample["target"][point].argmax(), (32, 32))
                distance.append(np.abs(seen - [column, row]).max())
            assert min(distance) <= 1.3
            mirrors += distance[1] < distance[0]
    assert mirrors > 3


def test_draws_belong_to_seed_epoch_and_index(faces_root: Path) -> None:
    protocol = ENTRIES["wflw"].protocol(tier="smoke")
    make = lambda seed: LandmarkTrainData(ENTRIES["wflw"], faces_root / "wflw", "train", protocol, FaceAugment(), seed)  # noqa: E731
    first, again, other = make(0), make(0), make(1)
    again[(0, 1)]
    for key in ((0, 2), (3, 0)):
        np.testing.assert_array_equal(first[key]["images"], again[key]["images"])
        np.testing.assert_array_equal(first[key]["target"], again[key]["target"])
        assert not np.array_equal(first[key]["images"], other[key]["images"])
    assert not np.array_equal(first[(0, 2)]["images"], first[(1, 2)]["images"])


def test_a_landmark_above_the_picture_gets_no_map(tmp_path: Path) -> None:
    """The reference leaves out points whose file states y <= 0."""
    points = np.full((68, 2), 50.0)
    points[3] = (50.0, 0.0)
    (tmp_path / "images").mkdir()
    Image.fromarray(np.zeros((90, 90, 3), np.uint8)).save(tmp_path / "images" / "a.png")
    line = "a.png,0.5,50.0,30.0," + ",".join(map(str, points.ravel()))
    (tmp_path / "face_landmarks_300w_train.csv").write_text(f"{HEADER}\n{line}\n")
    data = LandmarkTrainData(
        ENTRIES["300w"], tmp_path, "train", LandmarkProtocol(), FaceAugment(rotation_prob=0, flip_prob=0), 0
    )
    target = data[(0, 0)]["target"]
    assert target[3].max() == 0 and target[4].max() == 1


@pytest.mark.parametrize("dataset", ["300w", "cofw"])
def test_samples_can_be_sent_to_loader_processes(faces_root: Path, dataset: str) -> None:
    protocol = ENTRIES[dataset].protocol(tier="smoke")
    data = LandmarkTrainData(ENTRIES[dataset], faces_root / dataset, "train", protocol, FaceAugment(), 0)
    there = pickle.loads(pickle.dumps(data))
    np.testing.assert_array_equal(there[(2, 1)]["images"], data[(2, 1)]["images"])


def test_mirror_twice_is_the_identity() -> None:
    for markup in (entry.markup for entry in ENTRIES.values()):
        points = np.random.default_rng(0).uniform(0, 100, (markup.num_points, 2))
        np.testing.assert_allclose(mirror_points(mirror_points(points, 130, markup), 130, markup), points)
        assert len(set(markup.order().tolist())) == markup.num_points


def test_input_is_normalised() -> None:
    made = face_input(
        np.full((50, 50, 3), 255, np.uint8), np.array([25.0, 25.0]), 0.2, ENTRIES["300w"].protocol(tier="smoke")
    )
    np.testing.assert_allclose(
        made[:, 40, 40], (1 - np.array([0.485, 0.456, 0.406])) / [0.229, 0.224, 0.225], rtol=1e-5
    )


@pytest.mark.parametrize(
    ("protocol", "said"),
    [
        (LandmarkProtocol(crop="affine"), "decoder=reference together with crop=reference"),
        (LandmarkProtocol(input_wh=(256, 192)), "square input"),
        (LandmarkProtocol(padding=0.0), "positive padding"),
    ],
)
def test_protocols_that_cannot_be_carried_out(protocol: LandmarkProtocol, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_protocol(protocol)


def test_an_mmpose_checkpoint_brings_its_own_protocol() -> None:
    ours, theirs = ENTRIES["300w"].protocol(), ENTRIES["300w"].protocol(family="mmpose_1x")
    assert (ours.crop, ours.decoder, ours.flip) == ("reference", "reference", False)
    assert (theirs.crop, theirs.flip, theirs.shift) == ("affine", True, True)
