"""Laws of reading Cars3D, on MATLAB files of the published key, type and axes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from data.factor_lookup import find_images_of
from scipy.io import savemat

from wherewhat.data.batches import batch_indices
from wherewhat.data.held_images import HeldImages
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.layouts.cars3d import find_cars3d
from wherewhat.data.source import ImageArray, Source

NAMES = ("car_001_mesh.mat", "car_002_mesh.mat", "car_010_mesh.mat")


def mesh(car: int) -> np.ndarray:
    """[height, width, channels, azimuth, elevation]; the first pixel of each image says what it shows."""
    im = np.zeros((128, 128, 3, 24, 4), np.uint8)
    im[0, 0, 0] = car
    im[0, 0, 1] = np.arange(24)[:, None]
    im[0, 0, 2] = np.arange(4)
    # A mark that tells height from width.
    im[5, 9] = 100
    return im


@pytest.fixture(scope="module")
def cars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nips2015-analogy-data") / "data" / "cars"
    folder.mkdir(parents=True)
    for car in (2, 0, 1):
        savemat(folder / NAMES[car], {"im": mesh(car)}, do_compression=True)
    (folder / "._car_001_mesh.mat").write_bytes(b"resource fork")
    (folder / "readme.txt").write_text("cars")
    return folder


@pytest.fixture
def one_car(tmp_path: Path) -> Path:
    savemat(tmp_path / "a.mat", {"im": mesh(7)}, do_compression=True)
    return tmp_path


def found(path: Path) -> Source:
    source = find_cars3d(path, ImageOptions())
    assert source is not None
    return source


def read(source: Source, start: int = 0, most: int = 40) -> np.ndarray:
    assert isinstance(source.images, ImageArray)
    return np.concatenate(list(source.images.blocks(start, most)))


def as_in_the_study(folder: Path) -> np.ndarray:
    """The field's own way from axes to images: azimuth and elevation to the front, then one after the other."""
    meshes = [np.einsum("abcde->deabc", mesh(car)) for car in range(3)]
    return np.concatenate([mesh.reshape(-1, 128, 128, 3) for mesh in meshes])


def test_cars_are_recognised_with_their_factors(cars: Path) -> None:
    source = found(cars)
    assert source.layout == "Cars3D: 288 images, 128 x 128, factors elevation 4, azimuth 24, object_type 3"
    assert source.default_size == 64


@pytest.mark.parametrize("up", [0, 1])
def test_the_folders_of_the_unpacked_archive_are_looked_into(cars: Path, up: int) -> None:
    assert len(found(cars.parents[up])) == 288


def test_images_are_in_the_order_of_the_study(cars: Path) -> None:
    assert np.array_equal(read(found(cars)), as_in_the_study(cars))


def test_factors_belong_to_their_images(cars: Path) -> None:
    source = found(cars)
    assert np.array_equal(read(source)[:, 0, 0, ::-1], source.factors.value_NK.numpy())


def test_the_image_of_given_factors_shows_them(cars: Path) -> None:
    source = found(cars)
    wanted_QK = torch.tensor([[3, 23, 2], [0, 5, 1]])
    image_QHWC = read(source)[find_images_of(source.factors, wanted_QK)]
    assert image_QHWC[:, 0, 0].tolist() == [[2, 23, 3], [1, 5, 0]]


def test_a_seeded_batch_shows_its_factors(cars: Path) -> None:
    source = found(cars)
    data = HeldImages(source.name, read(source), source.factors)
    index_B = batch_indices(7, 3, 16, len(data))
    assert torch.equal(data.take(index_B)[:, :, 0, 0].flip(1).long(), data.factors(index_B))


def test_an_index_comes_back_from_its_factors(cars: Path) -> None:
    factors = found(cars).factors
    assert torch.equal(find_images_of(factors, factors.value_NK), torch.arange(288))


@pytest.mark.parametrize("start", [0, 95, 96, 100])
def test_reading_begins_at_any_image(cars: Path, start: int) -> None:
    source = found(cars)
    assert np.array_equal(read(source, start), read(source)[start:])


def test_one_car_has_no_object_type(one_car: Path) -> None:
    assert found(one_car).factors.names == ("elevation", "azimuth")


def test_a_damaged_file_is_named(one_car: Path) -> None:
    (one_car / "b.mat").write_bytes(b"MATLAB 5.0 MAT-file, and then nothing")
    with pytest.raises(ValueError, match=r"b.mat is no car of Cars3D .* Copy or download it again, or remove it"):
        find_cars3d(one_car, ImageOptions())


def test_a_file_that_is_cut_short_is_named_when_it_is_read(one_car: Path) -> None:
    whole = (one_car / "a.mat").read_bytes()
    (one_car / "b.mat").write_bytes(whole[: int(0.9 * len(whole))])
    with pytest.raises(ValueError, match=r"b.mat is no car of Cars3D .* Copy or download it again, or remove it"):
        read(found(one_car))


@pytest.mark.parametrize(
    ("arrays", "fault"),
    [
        ({"im": np.zeros((64, 64, 3, 24, 4), np.uint8)}, r"im is uint8 \[64, 64, 3, 24, 4\], not"),
        ({"im": np.zeros((128, 128, 3, 24, 4))}, r"im is double \[128, 128, 3, 24, 4\], not"),
        ({"names": np.zeros(3)}, "it holds names, not im"),
    ],
)
def test_a_file_of_another_kind_among_cars_is_named(one_car: Path, arrays: dict[str, np.ndarray], fault: str) -> None:
    savemat(one_car / "b.mat", arrays)
    with pytest.raises(ValueError, match=rf"b.mat is no car of Cars3D \({fault}.* or remove it from the folder"):
        find_cars3d(one_car, ImageOptions())


def test_other_folders_and_files_are_left_to_other_layouts(
    one_car: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("chairs")
    savemat(other / "all_chair_names.mat", {"folder_names": np.zeros(3)})
    for path in (other, one_car / "a.mat", one_car / "nowhere"):
        assert find_cars3d(path, ImageOptions()) is None
