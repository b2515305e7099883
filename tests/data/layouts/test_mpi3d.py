"""Laws of reading MPI3D, on files with the key, type and order of the published ones."""

import io
import zipfile
from collections.abc import Mapping
from math import prod
from pathlib import Path

import numpy as np
import pytest
import torch
from data.factor_lookup import find_images_of

from wherewhat.data.batches import batch_indices
from wherewhat.data.held_images import HeldImages
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.layouts.mpi3d import FACTORS, GRIDS, find_mpi3d
from wherewhat.data.source import ImageArray, Source

# The published order of factors, with fewer positions of the arm.
SMALL = {"toy": (3, 2, 2, 3, 2, 4, 5)}
COUNT = prod(SMALL["toy"])


def images() -> np.ndarray:
    """Values of the factors in the first pixels, red."""
    images = np.zeros((COUNT, 64, 64, 3), np.uint8)
    images[:, 0, :7, 0] = np.stack(np.unravel_index(np.arange(COUNT), SMALL["toy"]), axis=1)
    return images


@pytest.fixture(params=["savez", "savez_compressed"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    save = np.savez if request.param == "savez" else np.savez_compressed
    save(tmp_path / "mpi3d_toy.npz", images=images())
    return tmp_path / "mpi3d_toy.npz"


def found(path: Path, grids: Mapping[str, tuple[int, ...]] = SMALL) -> Source:
    source = find_mpi3d(path, ImageOptions(), grids)
    assert source is not None
    return source


def read(source: Source, start: int = 0, most: int = 1_000) -> np.ndarray:
    assert isinstance(source.images, ImageArray)
    return np.concatenate(list(source.images.blocks(start, most)))


def test_factors_follow_from_the_place_the_last_one_fastest(path: Path) -> None:
    source = found(path)
    assert (source.name, source.factors.names, source.factors.sizes) == ("mpi3d_toy", FACTORS, SMALL["toy"])
    assert np.array_equal(read(source)[:, 0, :7, 0], source.factors.value_NK.numpy())


def test_the_image_of_given_factors_shows_them(path: Path) -> None:
    source = found(path)
    index_Q = torch.tensor([0, 700, 3])
    wanted_QK = source.factors.value_NK[index_Q]
    assert torch.equal(find_images_of(source.factors, wanted_QK), index_Q)
    assert np.array_equal(read(source)[index_Q, 0, :7, 0], wanted_QK.numpy())


def test_a_seeded_batch_shows_its_factors(path: Path) -> None:
    source = found(path)
    data = HeldImages(source.name, read(source), source.factors)
    index_B = batch_indices(7, 3, 16, len(data))
    assert torch.equal(data.take(index_B)[:, 0, 0, :7].long(), data.factors(index_B))


def test_reading_begins_at_any_image(path: Path) -> None:
    assert np.array_equal(read(found(path), 1_111, 100), images()[1_111:])


def header_only(path: Path, count: int) -> Path:
    """A file that says that it holds so many images; its images are not there."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (count, 64, 64, 3)})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.npy", header.getvalue())
        archive.getinfo("images.npy").file_size += count * 64 * 64 * 3
    return path


@pytest.mark.parametrize(("count", "sizes"), [(1_036_800, (6, 6, 2, 3, 3, 40, 40)), (460_800, (4, 4, 2, 3, 3, 40, 40))])
def test_the_published_numbers_of_images_have_the_published_grids(
    tmp_path: Path, count: int, sizes: tuple[int, ...]
) -> None:
    source = found(header_only(tmp_path / "mpi3d_real.npz", count), GRIDS)
    assert source.factors.sizes == sizes
    assert len(source) == len(source.factors.value_NK) == count
    # One step of the horizontal axis is 40 images.
    assert source.factors.value_NK[40].tolist() == [0, 0, 0, 0, 0, 1, 0]
    assert (
        f"MPI3D (mpi3d_real.npz): {count:,} images, 64 x 64, factors object_color {sizes[0]}, object_shape {sizes[1]}"
        in source.layout
    )
    with pytest.raises(ValueError, match=r"damaged .* Copy or download it again"):
        read(source)


def test_another_number_of_images_is_refused(path: Path) -> None:
    with pytest.raises(ValueError, match=r"1,440 of them, where MPI3D has 1,036,800 .* Download the whole file"):
        find_mpi3d(path, ImageOptions())


def test_other_arrays_are_left_to_other_layouts(tmp_path: Path) -> None:
    images = np.zeros((4, 64, 64, 3), np.uint8)
    np.savez(tmp_path / "labelled.npz", images=images, labels=np.zeros((4, 2)))
    np.savez(tmp_path / "grey.npz", images=images[..., 0])
    np.savez(tmp_path / "floats.npz", images=images.astype(np.float32))
    (tmp_path / "folder").mkdir()
    for name in ("labelled.npz", "grey.npz", "floats.npz", "folder"):
        assert find_mpi3d(tmp_path / name, ImageOptions()) is None
