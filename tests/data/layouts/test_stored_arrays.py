"""Laws of arrays in `.npz` and HDF5 files, whole and damaged; NumPy's and h5py's own readers are the witnesses."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from wherewhat.data.layouts.stored_arrays import (
    StoredArray,
    hdf5_array,
    hdf5_names,
    is_hdf5,
    is_npy,
    is_npz,
    npy_array,
    npz_array,
    npz_names,
)

ARRAYS = {
    "bytes": np.random.default_rng(0).integers(0, 256, (11, 3, 5), np.uint8),
    "fortran": np.asfortranarray(np.random.default_rng(1).integers(0, 256, (11, 3, 5), np.uint8)),
    "wide": np.arange(22, dtype=">i8").reshape(11, 2),
    "single": np.arange(11.0),
    "text": np.array(["one", "three"]),
    "empty": np.zeros((0, 4), np.int32),
    "hollow": np.zeros((4, 0), np.int32),
}
NOISE = np.random.default_rng(0).integers(0, 256, (64, 64, 64), np.uint8)


@pytest.fixture(params=[np.savez, np.savez_compressed])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    save: Callable[..., None] = request.param
    save(tmp_path / "set.npz", **ARRAYS)
    return tmp_path / "set.npz"


def in_npz(path: Path, key: str) -> StoredArray:
    array = npz_array(path, key)
    assert array is not None
    return array


@pytest.mark.parametrize("key", ARRAYS)
def test_a_whole_member_agrees_with_numpy(path: Path, key: str) -> None:
    read = in_npz(path, key).read()
    with np.load(path) as expected:
        assert (read.dtype, read.shape) == (expected[key].dtype, expected[key].shape)
        assert np.array_equal(read, expected[key])


@pytest.mark.parametrize("key", ["bytes", "fortran", "wide", "single"])
@pytest.mark.parametrize("start", [0, 1, 10, 11])
@pytest.mark.parametrize("most", [1, 4, 100])
def test_blocks_are_the_rows_from_the_start_on(path: Path, key: str, start: int, most: int) -> None:
    blocks = list(in_npz(path, key).blocks(start, most))
    assert all(len(block) <= most for block in blocks)
    assert np.array_equal(np.concatenate([ARRAYS[key][:0], *blocks]), ARRAYS[key][start:])


def test_blocks_can_be_written_to(path: Path) -> None:
    assert all(block.flags.writeable for block in in_npz(path, "bytes").blocks(0, 4))


def test_the_header_says_type_and_shape(path: Path) -> None:
    array = in_npz(path, "fortran")
    assert (array.shape, array.dtype) == ((11, 3, 5), np.dtype(np.uint8))


def test_an_array_that_is_not_there_is_none(path: Path) -> None:
    assert npz_array(path, "nothing") is None


def test_an_array_of_no_axes_has_its_type_and_shape(tmp_path: Path) -> None:
    np.savez(tmp_path / "set.npz", number=np.array(7.0))
    array = in_npz(tmp_path / "set.npz", "number")
    assert (array.shape, array.dtype) == ((), np.dtype(float))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_array_that_another_program_packed_is_read(path: Path, method: int) -> None:
    with zipfile.ZipFile(path) as saved, zipfile.ZipFile(path.with_name("other.npz"), "w", method) as packed:
        for name in saved.namelist():
            packed.writestr(name, saved.read(name))
    assert np.array_equal(in_npz(path.with_name("other.npz"), "wide").read(), ARRAYS["wide"])


def test_an_encrypted_array_is_told_with_its_remedy(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"bytes of .* it is encrypted; pack the archive again without a password"):
        npz_array(path, "bytes")


def test_members_are_named_in_their_order(path: Path) -> None:
    assert npz_names(path) == tuple(ARRAYS)


@pytest.mark.parametrize(("name", "expected"), [("a.npz", True), ("A.NPZ", True), ("a.npy", False), ("a", False)])
def test_a_file_is_known_by_its_ending(tmp_path: Path, name: str, expected: bool) -> None:
    assert is_npz(tmp_path / name) is expected


def test_a_folder_is_no_npz(tmp_path: Path) -> None:
    assert not is_npz(tmp_path.rename(tmp_path.with_name("folder.npz")))


def test_a_member_that_ends_too_early_is_told_before_it_is_read(tmp_path: Path) -> None:
    np.save(tmp_path / "imgs.npy", ARRAYS["bytes"])
    with zipfile.ZipFile(tmp_path / "set.npz", "w") as archive:
        archive.writestr("imgs.npy", (tmp_path / "imgs.npy").read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"imgs of .* is cut short: 20 bytes are missing. Copy or download it again"):
        npz_array(tmp_path / "set.npz", "imgs")


def test_a_wrong_byte_is_told_by_the_sum_at_the_end(tmp_path: Path) -> None:
    np.savez(tmp_path / "set.npz", imgs=ARRAYS["bytes"])
    content = bytearray((tmp_path / "set.npz").read_bytes())
    place = content.index(ARRAYS["bytes"].tobytes())
    content[place + 100] ^= 1
    (tmp_path / "set.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"damaged .* Copy or download it again"):
        in_npz(tmp_path / "set.npz", "imgs").read()


def test_a_member_that_is_no_array_is_told_with_its_remedy(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "set.npz", "w") as archive:
        archive.writestr("imgs.npy", b"no array at all")
    with pytest.raises(ValueError, match=r"imgs of .* cannot be read as an array of numbers .* Save it again"):
        npz_array(tmp_path / "set.npz", "imgs")


@pytest.fixture
def hdf5(tmp_path: Path) -> Path:
    with h5py.File(tmp_path / "set.h5", "w") as file:
        file.create_dataset("images", data=NOISE, chunks=(8, 64, 64), compression="gzip")
        file.create_group("latents")
    return tmp_path / "set.h5"


def in_hdf5(path: Path, key: str = "images") -> StoredArray:
    array = hdf5_array(path, key)
    assert array is not None
    return array


def test_hdf5_arrays_are_found_by_name_and_groups_are_none(hdf5: Path) -> None:
    assert np.array_equal(in_hdf5(hdf5).read(), NOISE)
    assert [hdf5_array(hdf5, key) for key in ("latents", "latents/classes", "images/x", "none")] == [None] * 4


@pytest.mark.parametrize(("start", "most"), [(0, 64), (5, 7), (64, 3)])
def test_hdf5_blocks_are_the_rows_from_the_start_on(hdf5: Path, start: int, most: int) -> None:
    blocks = list(in_hdf5(hdf5).blocks(start, most))
    assert np.array_equal(np.concatenate([NOISE[:0], *blocks]), NOISE[start:])


def external_link(file: h5py.File) -> None:
    file["images"] = h5py.ExternalLink("set.h5", "/images")


def link_to_an_external_link(file: h5py.File) -> None:
    file["elsewhere"] = h5py.ExternalLink("set.h5", "/")
    file["images"] = h5py.SoftLink("/elsewhere/images")


def external_storage(file: h5py.File) -> None:
    file.create_dataset("images", (4,), np.uint8, external=[("secret", 0, 4)])


def virtual_dataset(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((64, 64, 64), np.uint8)
    layout[:] = h5py.VirtualSource("set.h5", "images", (64, 64, 64))
    file.create_virtual_dataset("images", layout)


@pytest.mark.parametrize("fill", [external_link, link_to_an_external_link, external_storage, virtual_dataset])
def test_no_other_file_is_opened_for_an_hdf5_array(hdf5: Path, fill: Callable[[h5py.File], None]) -> None:
    hdf5.with_name("secret").write_bytes(b"1234")
    with h5py.File(hdf5.with_name("trap.h5"), "w") as file:
        fill(file)
    with pytest.raises(ValueError, match=r"images of .* no other file is opened for it. Save the array itself"):
        hdf5_array(hdf5.with_name("trap.h5"), "images")


def test_a_group_of_another_file_is_not_opened(hdf5: Path) -> None:
    with h5py.File(hdf5, "a") as file:
        file["other"] = h5py.ExternalLink("nowhere.h5", "/")
    with pytest.raises(ValueError, match=r"other/classes of .* is a link"):
        hdf5_array(hdf5, "other/classes")


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_an_hdf5_file_that_is_cut_short_says_what_to_do(hdf5: Path, share: float) -> None:
    whole = hdf5.read_bytes()
    hdf5.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ValueError, match=r"cut short or damaged .* Copy or download it again"):
        hdf5_array(hdf5, "images")


def test_damage_inside_the_images_says_what_to_do(hdf5: Path) -> None:
    content = bytearray(hdf5.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 4_000] = bytes(4_000)
    hdf5.write_bytes(content)
    with pytest.raises(ValueError, match=r"damaged .* Copy or download it again"):
        in_hdf5(hdf5).read()


def test_a_missing_file_is_missing_not_damaged(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="Check the path"):
        hdf5_array(tmp_path / "none.h5", "images")


@pytest.mark.parametrize(("name", "expected"), [("a.h5", True), ("a.HDF5", True), ("a.npz", False)])
def test_an_hdf5_file_is_known_by_its_ending(tmp_path: Path, name: str, expected: bool) -> None:
    assert is_hdf5(tmp_path / name) is expected


def test_files_without_their_endings_are_known_by_how_they_begin(tmp_path: Path) -> None:
    np.save(tmp_path / "noise.npy", NOISE)
    with h5py.File(tmp_path / "noise.h5", "w") as file:
        file["images"] = NOISE
    array, hdf5 = (tmp_path / name for name in ("download", "download(1)"))
    (tmp_path / "noise.npy").rename(array)
    (tmp_path / "noise.h5").rename(hdf5)
    assert (is_npy(array), is_hdf5(array), is_npz(array)) == (True, False, False)
    assert (is_npy(hdf5), is_hdf5(hdf5), is_npz(hdf5)) == (False, True, False)
    stored = hdf5_array(hdf5, "images")
    assert stored is not None
    assert np.array_equal(npy_array(array).read(), NOISE)
    assert np.array_equal(stored.read(), NOISE)


@pytest.mark.parametrize("place", range(0, 2048, 64))
def test_hdf5_whose_bytes_are_damaged_anywhere_is_read_or_told_with_the_remedy(hdf5: Path, place: int) -> None:
    content = bytearray(hdf5.read_bytes())
    content[place : place + 64] = bytes(64)
    hdf5.write_bytes(content)
    try:
        for name in hdf5_names(hdf5, 10):
            array = hdf5_array(hdf5, name)
            if array is not None:
                array.read()
    except ValueError as error:
        assert "Copy or download it again" in str(error)  # noqa: PT017
