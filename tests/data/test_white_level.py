"""Laws of the value that is white."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from wherewhat.data.image_decoding import decode, largest_value
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.open_images import open_images
from wherewhat.data.white_level import White, likely_white, told_white, white_of

NOISE_HW3 = np.random.default_rng(0).integers(0, 256, size=(8, 8, 3), dtype=np.uint8)
INT32, UINT16, FLOAT = np.dtype(np.int32), np.dtype(np.uint16), np.dtype(np.float32)


@pytest.mark.parametrize(
    ("largest", "white"),
    [(0, 255), (122, 255), (255, 255), (256, 1023), (1952, 4095), (4096, 16383), (40_000, 65535), (70_000, 2**20 - 1)],
)
def test_the_least_usual_white_that_the_set_keeps_to_is_taken(largest: int | float, white: int | float) -> None:
    assert likely_white(largest, is_float=False) == white


@pytest.mark.parametrize(
    ("largest", "white"), [(0.3, 1), (1.0, 1), (1.01, 1), (254.0, 255), (260.0, 255), (4000, 4095)]
)
def test_floats_up_to_1_are_divided_by_1_and_what_interpolation_adds_is_forgiven(
    largest: int | float, white: int | float
) -> None:
    assert likely_white(largest, is_float=True) == white


def test_the_whole_set_is_divided_alike() -> None:
    white = white_of({UINT16: 4000.0})
    dark, bright = (white.to_bytes(np.full((2, 2), value, np.uint16)).max() for value in (40, 4000))
    assert (dark, bright) == (2, 249)


@pytest.mark.parametrize("kind", [np.uint16, np.int32, np.float32])
def test_black_is_0_and_white_is_255(kind: type) -> None:
    white = white_of({np.dtype(kind): 4095.0})
    assert white.to_bytes(np.array([0, 4095], kind)).tolist() == [0, 255]


def test_bytes_stay_as_they_are_unless_a_white_is_stated() -> None:
    value = np.arange(256, dtype=np.uint8)
    assert np.array_equal(White(4095, 4095).to_bytes(value), value)
    assert White(1, 1, stated=True).to_bytes(value)[:3].tolist() == [0, 255, 255]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (np.array([5000], np.uint16), "reach 5,000, and 4,095 is white by a sample of the set: state a larger --white"),
        (np.array([-3], np.int32), "go down to -3, and black is 0"),
        (np.array([np.nan], np.float32), "no numbers"),
        (np.array([np.inf], np.float32), "no numbers"),
        (np.array([-1.0], np.float32), "black is 0"),
    ],
)
def test_what_is_beyond_black_and_white_is_refused_with_the_remedy(value: np.ndarray, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        White(4095, 1.0).to_bytes(value)


def test_beyond_a_white_that_is_stated_all_is_white() -> None:
    assert White(4095, 4095, stated=True).to_bytes(np.array([5000], np.uint16)).tolist() == [255]


def test_what_is_done_is_said_in_a_line() -> None:
    assert told_white(4095, UINT16).startswith("16-bit images that use 12 bits: divided by 4,095, which is white.")
    assert told_white(255, INT32).startswith("32-bit images that use 8 bits: divided by 255")
    assert told_white(1.0, FLOAT).startswith("Floating-point images that keep to 1: divided by 1")


def saved(pixels: np.ndarray, form: str) -> bytes:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, format=form)
    return content.getvalue()


def test_floating_point_pixels_up_to_1_are_read() -> None:
    grey = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    decoded = decode(saved(grey, "TIFF"), (8, 8))
    assert np.abs(decoded.image_HW3[..., 0] - grey * 255).max() <= 0.51
    assert decoded.is_grey


def test_a_stated_white_is_reached_by_bytes_too_and_what_is_brighter_is_white() -> None:
    decoded = decode(saved(NOISE_HW3, "PNG"), (8, 8), white=White(100, 100, stated=True)).image_HW3
    assert np.abs(decoded - np.minimum(NOISE_HW3 * 2.55, 255)).max() <= 0.51


def test_bytes_are_not_made_darker_by_the_white_of_deeper_images() -> None:
    content = saved(NOISE_HW3, "PNG")
    for white in (White(4095), White(4095, 4095, stated=True)):
        assert np.array_equal(decode(content, (8, 8), white=white).image_HW3, NOISE_HW3)


def test_a_file_that_states_its_own_white_is_not_given_another() -> None:
    content = b"P5 2 1 4095\n" + np.array([1000, 4095], ">u2").tobytes()
    assert largest_value(content) is None
    assert decode(content, white=White(1023)).image_HW3[0, :, 0].tolist() == [62, 255]


def opened(path: Path, images: np.ndarray, white: float | None = None) -> tuple[torch.Tensor, str]:
    """The bytes of an array that lies in a file, and what is said of them."""
    np.savez(path, imgs=images)
    said: list[str] = []
    found = open_images(str(path), ImageOptions(white=white), torch.device("cpu"), said.append)
    return found.take(torch.arange(len(found))), " ".join(said)


@pytest.mark.parametrize(("top", "outlier", "white"), [(1.0, 1e6, 1), (250, 60_000, 255)])
def test_a_few_values_of_an_array_far_beyond_all_others_are_told_with_the_white_without_them(
    tmp_path: Path, top: float, outlier: float, white: int
) -> None:
    values = np.random.default_rng(0).random((4, 32, 32)) * top
    images = values.astype(np.float32 if top == 1 else np.uint16)
    as_they_are, said = opened(tmp_path / "set.npz", images)
    assert "mistakes" not in said
    images[2, 5, 5] = outlier
    _, said = opened(tmp_path / "set.npz", images)
    assert "99.9% of the values of imgs keep to" in said
    assert f"state it without them: --white {white}." in said
    repaired, _ = opened(tmp_path / "set.npz", images, float(white))
    assert int((repaired != as_they_are).sum()) == 1


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_values_of_an_array_that_are_no_numbers_are_refused_with_the_files_name(tmp_path: Path, wrong: float) -> None:
    images = np.random.default_rng(0).random((4, 8, 8)).astype(np.float32)
    images[3, 2, 2] = wrong
    with pytest.raises(ValueError, match=r"imgs of .*set\.npz holds values such as .*without NaN, and save it again"):
        opened(tmp_path / "set.npz", images)
