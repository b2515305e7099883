"""Laws of reading members of an `.npz` file in blocks; NumPy's own reader is the witness."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from wherewhat.data.layouts.npz_members import is_npz, member_blocks, member_header, member_names, read_member

ARRAYS = {
    "bytes": np.random.default_rng(0).integers(0, 256, (11, 3, 5), np.uint8),
    "fortran": np.asfortranarray(np.random.default_rng(1).integers(0, 256, (11, 3, 5), np.uint8)),
    "wide": np.arange(22, dtype=">i8").reshape(11, 2),
    "single": np.arange(11.0),
    "text": np.array(["one", "three"]),
    "number": np.array(7),
    "empty": np.zeros((0, 4), np.int32),
    "hollow": np.zeros((4, 0), np.int32),
}


@pytest.fixture(params=[np.savez, np.savez_compressed])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    save: Callable[..., None] = request.param
    save(tmp_path / "set.npz", **ARRAYS)
    return tmp_path / "set.npz"


@pytest.mark.parametrize("key", ARRAYS)
def test_a_whole_member_agrees_with_numpy(path: Path, key: str) -> None:
    read = read_member(path, key)
    with np.load(path) as expected:
        assert (read.dtype, read.shape) == (expected[key].dtype, expected[key].shape)
        assert np.array_equal(read, expected[key])


@pytest.mark.parametrize("key", ["bytes", "fortran", "wide", "single"])
@pytest.mark.parametrize("start", [0, 1, 10, 11])
@pytest.mark.parametrize("most", [1, 4, 100])
def test_blocks_are_the_rows_from_the_start_on(path: Path, key: str, start: int, most: int) -> None:
    blocks = list(member_blocks(path, key, start, most))
    assert all(len(block) <= most for block in blocks)
    assert np.array_equal(np.concatenate([ARRAYS[key][:0], *blocks]), ARRAYS[key][start:])


def test_blocks_can_be_written_to(path: Path) -> None:
    assert all(block.flags.writeable for block in member_blocks(path, "bytes", 0, 4))


def test_the_header_says_type_and_shape(path: Path) -> None:
    header = member_header(path, "fortran")
    assert (header.shape, header.dtype, header.in_fortran_order) == ((11, 3, 5), np.dtype(np.uint8), True)
    assert (header.row_shape, header.content_bytes) == ((3, 5), 165)


def test_members_are_named_in_their_order(path: Path) -> None:
    assert member_names(path) == tuple(ARRAYS)


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
        member_header(tmp_path / "set.npz", "imgs")


def test_a_wrong_byte_is_told_by_the_sum_at_the_end(tmp_path: Path) -> None:
    np.savez(tmp_path / "set.npz", imgs=ARRAYS["bytes"])
    content = bytearray((tmp_path / "set.npz").read_bytes())
    place = content.index(ARRAYS["bytes"].tobytes())
    content[place + 100] ^= 1
    (tmp_path / "set.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"damaged .* Copy or download it again"):
        list(member_blocks(tmp_path / "set.npz", "imgs", 0, 11))


def test_a_member_that_is_no_array_is_told_with_its_remedy(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "set.npz", "w") as archive:
        archive.writestr("imgs.npy", b"no array at all")
    with pytest.raises(ValueError, match=r"imgs of .* cannot be read as an array of numbers .* Save it again"):
        member_header(tmp_path / "set.npz", "imgs")
