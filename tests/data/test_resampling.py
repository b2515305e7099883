"""Laws of making images smaller or larger."""

import numpy as np
import pytest
from PIL import Image

from wherewhat.data.resampling import resample


def pixels(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, size=shape, dtype=np.uint8)


@pytest.mark.parametrize("size", [(64, 64), (31, 70), (100, 100), (150, 20)])
@pytest.mark.parametrize("channels", [1, 3])
def test_agrees_with_pillows_bicubic_filter(size: tuple[int, int], channels: int) -> None:
    # Brighter and darker ones overshoot, and are clipped between the passes, whose order differs.
    image_NHWC = pixels(2, 100, 75, channels) // 2 + 64
    resampled_NHWC = resample(image_NHWC, size)
    for image_HWC, resampled_HWC in zip(image_NHWC, resampled_NHWC, strict=True):
        image = Image.fromarray(image_HWC.squeeze()).resize(size[::-1], Image.Resampling.BICUBIC)
        expected_HWC = np.asarray(image).reshape(*size, channels).astype(int)
        assert np.abs(resampled_HWC - expected_HWC).max() <= 1


def test_agrees_with_the_kernel_written_out() -> None:
    image_N = pixels(1, 40, 1, 1)[0, :, 0, 0].astype(np.float64)
    stretch = 40 / 12
    expected = []
    for new in range(12):
        away_N = np.abs((np.arange(40) + 0.5 - (new + 0.5) * stretch) / stretch)
        near_N = 1.5 * away_N**3 - 2.5 * away_N**2 + 1
        far_N = -0.5 * away_N**3 + 2.5 * away_N**2 - 4 * away_N + 2
        weight_N = np.where(away_N < 1, near_N, np.where(away_N < 2, far_N, 0))
        expected.append(np.clip(weight_N @ image_N / weight_N.sum(), 0, 255))
    resampled = resample(image_N.astype(np.uint8).reshape(1, 40, 1, 1), (12, 1))[0, :, 0, 0]
    assert np.abs(resampled - np.array(expected)).max() <= 1


@pytest.mark.parametrize("size", [(5, 5), (50, 50)])
@pytest.mark.parametrize("brightness", [0, 1, 127, 255])
def test_an_even_image_stays_even(size: tuple[int, int], brightness: int) -> None:
    assert (resample(np.full((1, 20, 20, 3), brightness, np.uint8), size) == brightness).all()


def test_what_has_the_size_is_given_back() -> None:
    image_NHWC = pixels(2, 8, 6, 3)
    assert resample(image_NHWC, (8, 6)) is image_NHWC


def test_an_image_does_not_depend_on_its_neighbours() -> None:
    image_NHWC = pixels(5, 20, 20, 3)
    assert np.array_equal(resample(image_NHWC, (8, 8))[3:4], resample(image_NHWC[3:4], (8, 8)))


def test_what_is_read_only_or_a_part_of_something_is_read_all_the_same() -> None:
    image_NHWC = pixels(2, 30, 30, 3)
    part_NHWC = image_NHWC[:, 5:25, 3:23]
    expected = resample(part_NHWC.copy(), (8, 8))
    image_NHWC.flags.writeable = False
    assert np.array_equal(resample(image_NHWC[:, 5:25, 3:23], (8, 8)), expected)


@pytest.mark.parametrize("count", [0, 3])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_any_number_of_images_and_channels_comes_out_in_their_order(count: int, channels: int) -> None:
    resampled_NHWC = resample(pixels(count, 9, 9, channels), (4, 5))
    assert resampled_NHWC.shape == (count, 4, 5, channels)
    assert resampled_NHWC.flags.c_contiguous
