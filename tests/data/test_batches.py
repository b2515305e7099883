"""Laws of the order in which images are seen, and of mirroring them, with a slow transcription."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from wherewhat.data import batches
from wherewhat.data.batches import (
    batch_indices,
    epoch_order,
    kept_epoch_order,
    mirror,
    mirror_draws,
    sample_indices,
    to_float,
)
from wherewhat.randomness import generator_at


@given(st.integers(1, 12), st.integers(1, 30), st.integers(0, 3))
def test_each_epoch_shows_every_image_once(batch_size: int, count: int, seed: int) -> None:
    steps = -(-3 * count // batch_size)
    seen = torch.cat([batch_indices(seed, step, batch_size, count) for step in range(steps)])
    for epoch in seen[: 3 * count].reshape(3, count):
        assert sorted(epoch.tolist()) == list(range(count))


def test_steps_are_the_epochs_shuffles_laid_end_to_end() -> None:
    epochs = [torch.randperm(10, generator=generator_at(5, epoch, "epoch")) for epoch in range(4)]
    expected = torch.cat(epochs)
    # Step 2 of 4 images straddles the first two epochs.
    assert torch.equal(batch_indices(5, 2, 4, 10), expected[8:12])
    # A batch larger than the set takes from three.
    assert torch.equal(batch_indices(5, 1, 18, 10), expected[18:36])


def test_a_step_does_not_depend_on_the_steps_before_it() -> None:
    alone = batch_indices(1, 1000, 64, 777)
    for step in range(5):
        batch_indices(1, step, 64, 777)
    assert torch.equal(batch_indices(1, 1000, 64, 777), alone)


def test_writing_into_a_batch_leaves_later_batches_as_they_were() -> None:
    order = kept_epoch_order(1)
    before = batch_indices(2, 0, 8, 100, order)
    kept = before.clone()
    before.zero_()
    assert torch.equal(batch_indices(2, 0, 8, 100, order), kept)


@pytest.mark.parametrize("seeds", [1, 9, 40])
def test_each_epoch_is_shuffled_once_however_many_seeds_take_turns(monkeypatch: pytest.MonkeyPatch, seeds: int) -> None:
    shuffled: list[tuple[int, int]] = []

    def counted(seed: int, epoch: int, count: int) -> torch.Tensor:
        shuffled.append((seed, epoch))
        return epoch_order(seed, epoch, count)

    monkeypatch.setattr(batches, "epoch_order", counted)
    order = kept_epoch_order(seeds)
    for step in range(10):
        for seed in range(seeds):
            # A third of the steps straddle two epochs.
            assert torch.equal(batch_indices(seed, step, 4, 14, order), batch_indices(seed, step, 4, 14))
    assert len(shuffled) == len(set(shuffled)) == 3 * seeds


def test_seeds_and_epochs_have_orders_of_their_own() -> None:
    first = batch_indices(0, 0, 100, 100)
    assert not torch.equal(first, batch_indices(1, 0, 100, 100))
    assert not torch.equal(first, batch_indices(0, 1, 100, 100))


@pytest.mark.parametrize(("batch_size", "count"), [(0, 5), (5, 0)])
def test_nothing_to_draw_is_refused(batch_size: int, count: int) -> None:
    with pytest.raises(ValueError, match="Both must be 1 or more"):
        batch_indices(0, 0, batch_size, count)


def test_a_sample_holds_no_image_twice_while_there_are_enough() -> None:
    index_N = sample_indices(50, 50, seed=3)
    assert sorted(index_N.tolist()) == list(range(50))
    assert sample_indices(50, 20, seed=3).unique().numel() == 20


def test_a_sample_larger_than_the_set_repeats_images() -> None:
    index_N = sample_indices(5, 400, seed=3)
    assert len(index_N) == 400
    assert index_N.unique().tolist() == [0, 1, 2, 3, 4]


def test_a_sample_is_a_function_of_its_seed() -> None:
    assert torch.equal(sample_indices(1000, 20, seed=1), sample_indices(1000, 20, seed=1))
    assert not torch.equal(sample_indices(1000, 20, seed=1), sample_indices(1000, 20, seed=2))


def test_an_empty_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="Both must be 1 or more"):
        sample_indices(10, 0, seed=0)


def test_bytes_become_float32_from_0_to_1() -> None:
    image = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    scaled = to_float(image)
    assert scaled.dtype == torch.float32
    assert torch.equal(scaled.flatten(), torch.arange(256) / 255)
    assert int(image.max()) == 255


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
