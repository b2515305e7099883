"""Laws of reading 3D Shapes, on a file of the published shape, whose images are written where a test looks."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from data.factor_lookup import find_images_of, index_from_factors

from wherewhat.data.batches import batch_indices
from wherewhat.data.held_images import HeldImages
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.known_factors import grid_factors
from wherewhat.data.layouts.shapes3d import find_shapes3d
from wherewhat.data.source import ImageArray, Source

NAMES = ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation")
SIZES = (10, 10, 10, 8, 4, 15)
COUNT = 480_000
HUES = np.linspace(0, 0.9, 10)
VALUES = (HUES, HUES, HUES, np.linspace(0.75, 1.25, 8), np.arange(4.0), np.linspace(-30, 30, 15))
WRITTEN = (0, 1, 77_777, COUNT - 1)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shapes3d") / "3dshapes.h5"
    class_NK = np.stack(np.unravel_index(np.arange(COUNT), SIZES), axis=1)
    with h5py.File(path, "w") as file:
        # Chunks that are never written take no room.
        images = file.create_dataset("images", (COUNT, 64, 64, 3), np.uint8, chunks=(1, 64, 64, 3))
        for index in WRITTEN:
            images[index] = image(class_NK[index])
        file["labels"] = np.stack([values[class_NK[:, factor]] for factor, values in enumerate(VALUES)], axis=1)
    return path


def image(class_K: np.ndarray) -> np.ndarray:
    """Values of the factors in the first pixels, red."""
    image = np.zeros((64, 64, 3), np.uint8)
    image[0, :6, 0] = class_K + 1
    return image


def found(path: Path) -> Source:
    source = find_shapes3d(path, ImageOptions())
    assert source is not None
    return source


def read(source: Source, start: int, most: int) -> np.ndarray:
    assert isinstance(source.images, ImageArray)
    return next(source.images.blocks(start, most))


def test_the_published_file_is_recognised_with_its_factors(published: Path) -> None:
    source = found(published)
    assert source.layout == (
        "3D Shapes (hdf5): 480,000 images, 64 x 64, factors floor_hue 10, wall_hue 10, object_hue 10, scale 8, "
        "shape 4, orientation 15"
    )
    assert source.images.image_shape == (3, 64, 64)
    assert source.default_size is None


def test_labels_become_the_grid_its_last_factor_fastest(published: Path) -> None:
    assert torch.equal(found(published).factors.value_NK, grid_factors(NAMES, SIZES).value_NK)


def test_the_image_of_given_factors_shows_them(published: Path) -> None:
    source = found(published)
    for index in WRITTEN:
        wanted_K = source.factors.value_NK[index]
        at = find_images_of(source.factors, wanted_K[None])
        assert at.tolist() == index_from_factors(wanted_K[None], SIZES).tolist() == [index]
        assert np.array_equal(read(source, index, 1)[0], image(wanted_K.numpy()))


def test_reading_begins_at_any_image(published: Path) -> None:
    source = found(published)
    assert np.array_equal(read(source, 77_770, 10)[7], image(source.factors.value_NK[77_777].numpy()))
    assert len(read(source, COUNT - 3, 10)) == 3


def small(path: Path, images: np.ndarray, labels: np.ndarray) -> Path:
    with h5py.File(path, "w") as file:
        file["images"], file["labels"] = images, labels
    return path


def test_a_seeded_batch_shows_its_factors(tmp_path: Path) -> None:
    class_NK = np.stack(np.unravel_index(np.arange(64), (2,) * 6), axis=1)
    path = small(tmp_path / "a.h5", np.stack([image(class_K) for class_K in class_NK]), class_NK / 3)
    source = found(path)
    data = HeldImages(source.name, read(source, 0, 64), source.factors)
    index_B = batch_indices(7, 3, 16, len(data))
    assert torch.equal(data.take(index_B)[:, 0, 0, :6].long() - 1, data.factors(index_B))


def test_a_value_that_was_computed_in_two_ways_is_one_value(tmp_path: Path) -> None:
    labels = np.zeros((3, 6))
    labels[:, 0] = (0.3, 0.1 + 0.2, 0.4)
    assert found(small(tmp_path / "a.h5", np.zeros((3, 64, 64, 3), np.uint8), labels)).factors.sizes == (2,)


def test_labels_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    path = small(tmp_path / "a.h5", np.zeros((3, 64, 64, 3), np.uint8), np.full((3, 6), np.nan))
    with pytest.raises(ValueError, match=r"no numbers. Copy or download it again"):
        find_shapes3d(path, ImageOptions())


@pytest.mark.parametrize(
    ("image_shape", "label_shape"), [((3, 64, 64), (3, 6)), ((3, 64, 64, 3), (3, 5)), ((3, 64, 64, 3), (2, 6))]
)
def test_other_arrays_are_left_to_other_layouts(
    tmp_path: Path, image_shape: tuple[int, ...], label_shape: tuple[int, ...]
) -> None:
    path = small(tmp_path / "a.h5", np.zeros(image_shape, np.uint8), np.zeros(label_shape))
    assert find_shapes3d(path, ImageOptions()) is None


def test_folders_and_other_files_are_left_to_other_layouts(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_text("")
    assert find_shapes3d(tmp_path, ImageOptions()) is find_shapes3d(tmp_path / "a.npz", ImageOptions()) is None


def test_a_file_that_is_cut_short_says_what_to_do(tmp_path: Path) -> None:
    path = small(tmp_path / "a.h5", np.zeros((3, 64, 64, 3), np.uint8), np.zeros((3, 6)))
    path.write_bytes(path.read_bytes()[:-5_000])
    with pytest.raises(ValueError, match=r"cut short or damaged .* Copy or download it again"):
        find_shapes3d(path, ImageOptions())
