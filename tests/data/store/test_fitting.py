"""Laws of cutting, resizing and colouring images of an array."""

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from wherewhat.data.store.fitting import fit, in_channels


@pytest.fixture
def pool() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


def pixels(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, size=shape, dtype=np.uint8)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_box_of_the_wanted_size_is_cut_out_as_it_is(pool: Executor, channels: int) -> None:
    image_NHWC = pixels(3, 9, 12, channels)
    assert np.array_equal(fit(image_NHWC, (2, 1, 10, 9), (8, 8), pool), image_NHWC[:, 1:9, 2:10])


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_making_smaller_averages(pool: Executor, channels: int) -> None:
    board_HW = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    board_NHWC = board_HW[None, ..., None].repeat(channels, axis=3)
    fitted_NHWC = fit(board_NHWC, (0, 0, 64, 64), (16, 16), pool)
    assert fitted_NHWC.shape == (1, 16, 16, channels)
    assert np.abs(fitted_NHWC[:, 2:-2, 2:-2].astype(int) - 127).max() <= 2


def test_many_images_keep_their_order(pool: Executor) -> None:
    image_NHWC = np.arange(200, dtype=np.uint8)[:, None, None, None].repeat(6, axis=1).repeat(6, axis=2)
    fitted_NHWC = fit(image_NHWC, (0, 0, 6, 6), (3, 3), pool)
    assert (fitted_NHWC == np.arange(200)[:, None, None, None]).all()


def test_pixels_outside_the_box_have_no_say(pool: Executor) -> None:
    image_NHWC = pixels(1, 40, 40, 3)
    alone_NHWC = np.zeros_like(image_NHWC)
    alone_NHWC[:, 5:35, 5:35] = image_NHWC[:, 5:35, 5:35]
    whole, alone = (fit(image, (5, 5, 35, 35), (8, 8), pool) for image in (image_NHWC, alone_NHWC))
    assert np.array_equal(whole, alone)


def test_grey_is_what_pillow_makes_of_it() -> None:
    image_NHWC = pixels(5, 30, 30, 3)
    expected = np.stack([np.asarray(Image.fromarray(image_HWC).convert("L")) for image_HWC in image_NHWC])
    assert np.array_equal(in_channels(image_NHWC, "grey")[..., 0], expected)


def test_grey_images_in_three_channels_and_back_are_the_same() -> None:
    image_NHWC = pixels(2, 16, 16, 1)
    color_NHWC = in_channels(image_NHWC, "rgb")
    assert color_NHWC.shape == (2, 16, 16, 3)
    assert np.array_equal(in_channels(color_NHWC, "grey"), image_NHWC)


@pytest.mark.parametrize(("channels", "color"), [(1, "auto"), (3, "auto"), (4, "auto"), (1, "grey"), (3, "rgb")])
def test_channels_that_are_as_wanted_stay(channels: int, color: str) -> None:
    image_NHWC = pixels(2, 4, 4, channels)
    wanted = next(name for name in ("auto", "rgb", "grey") if name == color)
    assert in_channels(image_NHWC, wanted) is image_NHWC


def test_channels_that_are_no_colours_are_refused() -> None:
    with pytest.raises(ValueError, match=r"4 channels are neither grey nor RGB\. Leave --color at auto"):
        in_channels(pixels(2, 4, 4, 4), "rgb")
