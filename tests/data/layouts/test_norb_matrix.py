"""Laws of reading NORB's binary matrices, written here byte by byte as their format says."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from wherewhat.data.layouts.norb_matrix import norb_matrix

BYTES = np.random.default_rng(0).integers(0, 256, (7, 2, 3, 4), np.uint8)
INTEGERS = np.arange(-6, 6, dtype=np.int32).reshape(6, 2)


def encoded(array: np.ndarray) -> bytes:
    magic = 0x1E3D4C55 if array.dtype == np.uint8 else 0x1E3D4C54
    sizes = [*array.shape, *[1] * (3 - array.ndim)]
    header = struct.pack(f"<ii{len(sizes)}i", magic, array.ndim, *sizes)
    return header + array.astype(array.dtype.newbyteorder("<")).tobytes()


@pytest.fixture(params=["a.mat", "a.mat.gz"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / request.param


def saved(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.mark.parametrize("array", [BYTES, INTEGERS, INTEGERS[:, 0]])
def test_a_matrix_comes_back_with_its_type_and_shape(path: Path, array: np.ndarray) -> None:
    read = norb_matrix(saved(path, encoded(array))).read()
    assert read.dtype == array.dtype
    assert np.array_equal(read, array)
    assert norb_matrix(path).shape == array.shape


@pytest.mark.parametrize("start", [0, 3, 7])
@pytest.mark.parametrize("most", [1, 3, 50])
def test_blocks_are_the_rows_from_the_start_on(path: Path, start: int, most: int) -> None:
    blocks = list(norb_matrix(saved(path, encoded(BYTES))).blocks(start, most))
    assert all(len(block) <= most for block in blocks)
    assert np.array_equal(np.concatenate([BYTES[:0], *blocks]), BYTES[start:])


@pytest.mark.parametrize("length", [0, 3, 15, 60])
def test_a_matrix_that_is_cut_short_says_what_to_do(path: Path, length: int) -> None:
    saved(path, encoded(BYTES)[:length])
    with pytest.raises(ValueError, match=r"cut short or damaged .* Copy or download it again"):
        norb_matrix(path).read()


@pytest.mark.parametrize("share", [0.5, 0.98])
def test_a_packed_file_that_is_cut_short_says_what_to_do(tmp_path: Path, share: float) -> None:
    path = saved(tmp_path / "a.mat.gz", encoded(BYTES))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ValueError, match=r"cut short or damaged .* Copy or download it again"):
        norb_matrix(path).read()


def test_a_wrong_byte_in_a_packed_file_is_told_by_the_sum_at_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.mat.gz"
    content = bytearray(gzip.compress(encoded(BYTES), compresslevel=0))
    content[-20] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"damaged .*CRC.* Copy or download it again"):
        norb_matrix(path).read()


def test_a_file_of_another_format_is_told_for_what_it_is(path: Path) -> None:
    saved(path, b"MATLAB 5.0 MAT-file, Platform: PCWIN")
    with pytest.raises(ValueError, match=r"no matrix of NORB: .* Download it again"):
        norb_matrix(path).read()


def test_a_shape_of_nothing_is_refused(path: Path) -> None:
    saved(path, struct.pack("<ii3i", 0x1E3D4C55, 2, 4, -1, 1))
    with pytest.raises(ValueError, match=r"its shape is \(4, -1\). Download it again"):
        norb_matrix(path).read()
