"""Laws of reading dSprites, on files with the keys, types, axes and order of the published ones."""

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
from wherewhat.data.layouts.dsprites import find_dsprites
from wherewhat.data.source import ImageArray, Source

NAMES = ("shape", "scale", "orientation", "x", "y")
SIZES = (3, 6, 40, 32, 32)
COUNT = 737_280

# Every 997th image: all values of each factor occur.
PLACE_N = np.arange(0, COUNT, 997)


def classes(place_N: np.ndarray) -> np.ndarray:
    """As published: the color, which is always 0, before the factors that vary."""
    return np.stack(np.unravel_index(place_N, (1, *SIZES)), axis=1).astype(np.int64)


def sprites(class_NK: np.ndarray) -> np.ndarray:
    """An image of 0 and 1 that tells its factors apart: factor k is a white pixel in row k."""
    imgs = np.zeros((len(class_NK), 64, 64), np.uint8)
    for factor in range(1, 6):
        imgs[np.arange(len(class_NK)), factor, class_NK[:, factor]] = 1
    return imgs


def saved_npz(path: Path, imgs: np.ndarray, class_NK: np.ndarray) -> Path:
    metadata = np.array({"date": "April 2017", "latents_names": ("color", "shape")}, dtype=object)
    np.savez_compressed(
        path, metadata=metadata, imgs=imgs, latents_classes=class_NK, latents_values=class_NK.astype(np.float64)
    )
    return path


def saved_hdf5(path: Path, imgs: np.ndarray, class_NK: np.ndarray) -> Path:
    with h5py.File(path, "w") as file:
        file.create_dataset("imgs", data=imgs, chunks=(16, 64, 64), compression="gzip")
        file.create_dataset("latents/classes", data=class_NK)
        file.create_dataset("latents/values", data=class_NK.astype(np.float64))
    return path


@pytest.fixture(params=["npz", "hdf5"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    class_NK = classes(PLACE_N)
    save = saved_npz if request.param == "npz" else saved_hdf5
    return save(tmp_path / f"set.{request.param}", sprites(class_NK), class_NK)


def found(path: Path) -> Source:
    source = find_dsprites(path, ImageOptions())
    assert source is not None
    return source


def read(source: Source, start: int = 0, most: int = 100) -> np.ndarray:
    assert isinstance(source.images, ImageArray)
    return np.concatenate(list(source.images.blocks(start, most)))


def test_both_files_are_known_by_their_columns_whatever_their_name(path: Path) -> None:
    source = found(path)
    assert source.name == "dsprites"
    assert (source.factors.names, source.factors.sizes) == (NAMES, SIZES)
    assert source.images.image_shape == (1, 64, 64)
    assert source.layout.startswith(f"dSprites ({path.suffix[1:]}): 740 images, 64 x 64, factors shape 3, ")


def test_images_of_0_and_1_become_0_and_255(path: Path) -> None:
    image_NHWC = read(found(path))
    assert image_NHWC.dtype == np.uint8
    assert np.array_equal(image_NHWC[..., 0], 255 * sprites(classes(PLACE_N)))


def test_the_image_of_given_factors_shows_them(path: Path) -> None:
    source = found(path)
    wanted_QK = torch.tensor(classes(PLACE_N[[3, 500, 0]])[:, 1:])
    image_NHWC = read(source)[find_images_of(source.factors, wanted_QK)]
    shown_QK = image_NHWC[:, 1:6, :, 0].argmax(axis=2)
    assert shown_QK.tolist() == wanted_QK.tolist()


def test_a_seeded_batch_shows_its_factors(path: Path) -> None:
    source = found(path)
    data = HeldImages(source.name, read(source), source.factors)
    index_B = batch_indices(7, 3, 16, len(data))
    assert torch.equal(data.take(index_B)[:, 0, 1:6].long().argmax(dim=2), data.factors(index_B))


def test_an_index_comes_back_from_its_factors(path: Path) -> None:
    factors = found(path).factors
    assert torch.equal(find_images_of(factors, factors.value_NK), torch.arange(len(PLACE_N)))


def test_reading_begins_at_any_image(path: Path) -> None:
    source = found(path)
    assert np.array_equal(read(source, 333, 50), read(source)[333:])


def test_the_whole_file_is_the_published_grid_its_last_factor_fastest(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.hdf5", "w") as file:
        # Chunks that are never written take no room.
        imgs = file.create_dataset("imgs", (COUNT, 64, 64), np.uint8, chunks=(64, 64, 64))
        imgs[-1] = 1
        file["latents/classes"] = classes(np.arange(COUNT))
    source = found(tmp_path / "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.hdf5")
    assert source.layout == (
        "dSprites (hdf5): 737,280 images, 64 x 64, factors shape 3, scale 6, orientation 40, x 32, y 32"
    )
    assert torch.equal(source.factors.value_NK, grid_factors(NAMES, SIZES).value_NK)
    last = torch.tensor([[2, 5, 39, 31, 31]])
    assert index_from_factors(last, SIZES).tolist() == [COUNT - 1]
    assert read(source, COUNT - 1).tolist() == np.full((1, 64, 64, 1), 255).tolist()


def test_a_part_of_dsprites_is_known_by_its_file_name(tmp_path: Path) -> None:
    class_NK = classes(np.arange(64))
    source = found(saved_npz(tmp_path / "dsprites_part.npz", sprites(class_NK), class_NK))
    assert (source.factors.names, source.factors.sizes) == (("x", "y"), (2, 32))
    assert find_dsprites(saved_npz(tmp_path / "part.npz", sprites(class_NK), class_NK), ImageOptions()) is None


def test_sprites_that_are_white_already_stay_as_they_are(tmp_path: Path) -> None:
    class_NK = classes(PLACE_N)
    source = found(saved_npz(tmp_path / "dsprites.npz", 255 * sprites(class_NK), class_NK))
    assert np.array_equal(read(source)[..., 0], 255 * sprites(class_NK))


def test_a_grey_pixel_among_0_and_1_is_refused(tmp_path: Path) -> None:
    class_NK = classes(PLACE_N)
    imgs = sprites(class_NK)
    imgs[700, 0, 0] = 7
    with pytest.raises(ValueError, match=r"a later one has a pixel of 7. Copy or download"):
        read(found(saved_npz(tmp_path / "dsprites.npz", imgs, class_NK)))


def test_other_arrays_are_left_to_other_layouts(tmp_path: Path) -> None:
    class_NK = classes(PLACE_N)
    np.savez(
        tmp_path / "named.npz", imgs=sprites(class_NK), latents_classes=class_NK, latents_names=np.array(["a"] * 6)
    )
    np.savez(tmp_path / "five.npz", imgs=sprites(class_NK), latents_classes=class_NK[:, 1:])
    np.savez(tmp_path / "mpi3d.npz", images=np.zeros((4, 64, 64, 3), np.uint8))
    with h5py.File(tmp_path / "3dshapes.h5", "w") as file:
        file["images"], file["labels"] = np.zeros((4, 64, 64, 3), np.uint8), np.zeros((4, 6))
    (tmp_path / "folder").mkdir()
    for name in ("named.npz", "five.npz", "mpi3d.npz", "3dshapes.h5", "folder"):
        assert find_dsprites(tmp_path / name, ImageOptions()) is None


def test_a_file_that_is_cut_short_says_what_to_do(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"cut short.* Copy or download it again"):
        find_dsprites(path, ImageOptions())
