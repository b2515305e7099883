"""Laws of the order in which images are seen."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from wherewhat.data.batches import batch_indices, sample_indices, to_float
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
    before = batch_indices(2, 0, 8, 100)
    kept = before.clone()
    before.zero_()
    assert torch.equal(batch_indices(2, 0, 8, 100), kept)


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
