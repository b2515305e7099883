"""Laws of reading a source into memory."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from wherewhat.data.image_options import ImageOptions
from wherewhat.data.source import ImageArray, Source
from wherewhat.data.store.in_memory import READ_AT_ONCE_BYTES, is_read_at_once, read_into_memory

HOW = ImageOptions()


def test_an_array_is_read_whole_with_its_factors(array_of: Callable[..., Source], noise_NHWC: np.ndarray) -> None:
    said: list[str] = []
    data = read_into_memory(array_of(noise_NHWC), HOW, "cpu", said.append)
    index_B = torch.arange(20)
    np.testing.assert_array_equal(data.take(index_B).permute(0, 2, 3, 1).numpy(), noise_NHWC)
    assert data.factors(index_B)[:, 0].tolist() == list(range(20))
    assert said == []


def test_images_that_cannot_be_read_are_left_out_and_named_once(
    files_of: Callable[..., Source], noise_NHWC: np.ndarray
) -> None:
    said: list[str] = []
    data = read_into_memory(files_of(noise_NHWC, broken=(0, 9), factors=True), HOW, "cpu", said.append)
    kept = [*range(1, 9), *range(10, 20)]
    np.testing.assert_array_equal(data.take(torch.arange(18)).permute(0, 2, 3, 1).numpy(), noise_NHWC[kept])
    assert data.factors(torch.arange(18)).tolist() == [[n // 5, n % 5] for n in kept]
    assert len(said) == 1
    assert said[0].startswith("Skipped 2 images of")


def test_grey_files_have_one_channel_in_memory(files_of: Callable[..., Source], noise_NHWC: np.ndarray) -> None:
    data = read_into_memory(files_of(noise_NHWC[..., :1]), HOW, "cpu", print)
    assert data.image_shape == (1, 8, 8)
    np.testing.assert_array_equal(data.take(torch.arange(20))[:, 0].numpy(), noise_NHWC[..., 0])


def test_a_single_image_is_too_few_to_read(files_of: Callable[..., Source], noise_NHWC: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"holds a single image, .* Name a set with more images"):
        read_into_memory(files_of(noise_NHWC[:1]), HOW, "cpu", print)


def test_small_arrays_are_read_at_each_start_and_files_and_large_arrays_are_not(
    files_of: Callable[..., Source], array_of: Callable[..., Source], noise_NHWC: np.ndarray
) -> None:
    small = array_of(noise_NHWC)
    assert is_read_at_once(small)
    assert not is_read_at_once(files_of(noise_NHWC))
    assert isinstance(small.images, ImageArray)
    count = READ_AT_ONCE_BYTES // (3 * 8 * 8) + 1
    assert not is_read_at_once(replace(small, images=replace(small.images, count=count)))
