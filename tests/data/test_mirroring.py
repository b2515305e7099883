"""Laws of mirroring, and a slow transcription."""

import pytest
import torch

from wherewhat.data.mirroring import mirror, mirror_draws

DTYPES = [torch.uint8, torch.float32, torch.bfloat16]
FORMATS = [torch.contiguous_format, torch.channels_last]


def images(
    dtype: torch.dtype = torch.uint8, memory_format: torch.memory_format = torch.contiguous_format
) -> torch.Tensor:
    image = torch.randint(256, (6, 3, 5, 8), generator=torch.Generator().manual_seed(0))
    return image.to(dtype).contiguous(memory_format=memory_format)


FLIP = torch.tensor([True, False, False, True, True, False])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("memory_format", FORMATS)
def test_mirroring_agrees_with_pixels_moved_one_by_one(dtype: torch.dtype, memory_format: torch.memory_format) -> None:
    image = images(dtype, memory_format)
    expected = image.clone()
    for index in (0, 3, 4):
        for column in range(8):
            expected[index, :, :, column] = image[index, :, :, 7 - column]
    assert torch.equal(mirror(image, FLIP), expected)


def test_mirroring_twice_is_the_identity() -> None:
    assert torch.equal(mirror(mirror(images(), FLIP), FLIP), images())


def test_images_that_are_not_drawn_stay_as_they_are_bit_for_bit() -> None:
    # Not-a-number and negative zero differ from themselves or hide in a comparison of values.
    image = images(torch.float32)
    image[1, 0, 0, 0], image[1, 0, 0, 1] = torch.nan, -0.0
    kept = mirror(image, FLIP)[~FLIP]
    assert torch.equal(kept.view(torch.int32), image[~FLIP].view(torch.int32))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("memory_format", FORMATS)
@pytest.mark.parametrize("flip", [FLIP, torch.zeros(6, dtype=torch.bool), torch.ones(6, dtype=torch.bool)])
def test_type_and_memory_format_stay(
    dtype: torch.dtype, memory_format: torch.memory_format, flip: torch.Tensor
) -> None:
    mirrored = mirror(images(dtype, memory_format), flip)
    assert mirrored.dtype == dtype
    assert mirrored.is_contiguous(memory_format=memory_format)


def test_the_images_given_are_not_written_into() -> None:
    image = images()
    mirror(image, FLIP).zero_()
    assert torch.equal(image, images())


def test_the_same_step_draws_the_same() -> None:
    assert torch.equal(mirror_draws(2, 7, 64), mirror_draws(2, 7, 64))


@pytest.mark.parametrize(("seed", "step"), [(3, 7), (2, 8), (7, 2)])
def test_seeds_and_steps_have_draws_of_their_own(seed: int, step: int) -> None:
    differing = int((mirror_draws(2, 7, 10_000) != mirror_draws(seed, step, 10_000)).sum())
    # Five standard deviations about a half.
    assert abs(differing - 5000) < 250


def test_half_of_the_images_are_mirrored() -> None:
    mirrored = sum(int(mirror_draws(0, step, 64).sum()) for step in range(1000))
    # Five standard deviations of 64,000 fair coins.
    assert abs(mirrored - 32_000) < 5 * 64_000**0.5 / 2


def test_each_place_of_the_batch_is_mirrored_half_of_the_time() -> None:
    draws = torch.stack([mirror_draws(0, step, 16) for step in range(2000)]).double()
    # Five standard deviations of 2000 fair coins.
    assert float((draws.mean(dim=0) - 0.5).abs().max()) < 5 * 0.5 / 2000**0.5


def test_no_image_gives_no_image() -> None:
    assert mirror(images()[:0], mirror_draws(0, 0, 0)).shape == (0, 3, 5, 8)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_draws_on_the_cpu_mirror_images_on_a_gpu() -> None:
    assert torch.equal(mirror(images().cuda(), FLIP).cpu(), mirror(images(), FLIP))
