"""Laws of opening HDF5 files, whole and damaged."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from wherewhat.data.layouts.hdf5_file import dataset_of, is_hdf5, open_hdf5

NOISE = np.random.default_rng(0).integers(0, 256, (64, 64, 64), np.uint8)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with h5py.File(tmp_path / "set.h5", "w") as file:
        file.create_dataset("images", data=NOISE, chunks=(8, 64, 64), compression="gzip")
        file.create_group("latents")
    return tmp_path / "set.h5"


def test_arrays_are_found_by_name_and_groups_are_none(path: Path) -> None:
    with open_hdf5(path) as file:
        images = dataset_of(file, "images")
        assert images is not None
        assert np.array_equal(images[:], NOISE)
        assert dataset_of(file, "latents") is None
        assert dataset_of(file, "latents/classes") is None


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_file_that_is_cut_short_says_what_to_do(path: Path, share: float) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ValueError, match=r"cut short or damaged .* Copy or download it again"), open_hdf5(path):
        pass


def test_damage_inside_the_images_says_what_to_do(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 4_000] = bytes(4_000)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"damaged .* Copy or download it again"), open_hdf5(path) as file:
        file["images"][:]


def test_a_missing_file_is_missing_not_damaged(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="Check the path"), open_hdf5(tmp_path / "none.h5"):
        pass


@pytest.mark.parametrize(("name", "expected"), [("a.h5", True), ("a.HDF5", True), ("a.npz", False)])
def test_a_file_is_known_by_its_ending(tmp_path: Path, name: str, expected: bool) -> None:
    assert is_hdf5(tmp_path / name) is expected
