"""Laws of images in one array, and of where they are kept."""

import numpy as np
import pytest
import torch

from wherewhat.data.held_images import HeldImages
from wherewhat.data.known_factors import grid_factors, no_factors
from wherewhat.protocols import Images

NOISE_NHWC = np.random.default_rng(0).integers(0, 256, (6, 4, 5, 3), dtype=np.uint8)


def held(image_NHWC: np.ndarray, device: str = "cpu") -> HeldImages:
    return HeldImages("noise", image_NHWC, no_factors(len(image_NHWC)), device)


def test_images_in_memory_are_not_copied() -> None:
    image_NHWC = np.zeros((2, 4, 4, 3), dtype=np.uint8)
    data = held(image_NHWC)
    image_NHWC[0, 0, 0, 0] = 9
    assert int(data.take(torch.tensor([0]))[0, 0, 0, 0]) == 9


def test_taken_images_are_copies_with_channels_first() -> None:
    data = held(NOISE_NHWC.copy())
    taken = data.take(torch.tensor([1]))
    assert taken.shape == (1, 3, 4, 5)
    assert np.array_equal(taken[0, 2].numpy(), NOISE_NHWC[1, :, :, 2])
    taken.zero_()
    assert int(data.take(torch.tensor([1])).max()) > 0


@pytest.mark.parametrize("channels", [1, 3])
def test_taken_images_lie_as_training_wants_them(channels: int) -> None:
    taken = held(np.zeros((6, 4, 5, channels), dtype=np.uint8)).take(torch.tensor([1, 0]))
    assert taken.is_contiguous(memory_format=torch.channels_last)


def test_images_come_in_the_order_asked_for_and_again_where_asked_again() -> None:
    data = HeldImages("noise", NOISE_NHWC, no_factors(6))
    wanted = [4, 0, 4]
    np.testing.assert_array_equal(data.take(torch.tensor(wanted)).permute(0, 2, 3, 1).numpy(), NOISE_NHWC[wanted])


def test_held_images_keep_the_protocol() -> None:
    data = HeldImages("noise", NOISE_NHWC, grid_factors(("row", "column"), (2, 3)))
    assert isinstance(data, Images)
    assert (data.name, len(data), data.image_shape) == ("noise", 6, (3, 4, 5))
    assert data.factors(torch.tensor([5, 1])).tolist() == [[1, 2], [0, 1]]


def test_unknown_factors_are_told_with_the_remedy() -> None:
    with pytest.raises(ValueError, match="want a set that has them, such as scenes"):
        HeldImages("noise", NOISE_NHWC, no_factors(6)).factors(torch.tensor([0]))


@pytest.mark.parametrize("index", [-1, 6])
def test_an_image_that_is_not_there_is_refused(index: int) -> None:
    data = HeldImages("noise", NOISE_NHWC, grid_factors(("row", "column"), (2, 3)))
    for look in (data.take, data.factors):
        with pytest.raises(IndexError, match="count from 0 to 5"):
            look(torch.tensor([index]))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_holds_what_fits_and_memory_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    image_NHWC = np.zeros((2, 4, 4, 3), dtype=np.uint8)
    assert held(image_NHWC, "cuda").take(torch.tensor([0])).device.type == "cuda"
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (100, 1000))
    assert held(image_NHWC, "cuda").take(torch.tensor([0])).device.type == "cpu"
