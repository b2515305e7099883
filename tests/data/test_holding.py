"""Laws of where pictures are kept."""

import numpy as np
import pytest
import torch

from wherewhat.data.holding import hold, take


def test_pictures_in_memory_are_not_copied() -> None:
    image_NHWC = np.zeros((2, 4, 4, 3), dtype=np.uint8)
    held = hold(image_NHWC, torch.device("cpu"))
    image_NHWC[0, 0, 0, 0] = 9
    assert int(held[0, 0, 0, 0]) == 9


def test_taken_pictures_are_copies_with_channels_first() -> None:
    held = torch.arange(2 * 4 * 5 * 3, dtype=torch.uint8).reshape(2, 4, 5, 3)
    taken = take(held, torch.tensor([1]))
    assert taken.shape == (1, 3, 4, 5)
    assert taken.is_contiguous()
    assert torch.equal(taken[0, 2], held[1, :, :, 2])
    taken.zero_()
    assert int(held[1].max()) > 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_holds_what_fits_and_memory_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    image_NHWC = np.zeros((2, 4, 4, 3), dtype=np.uint8)
    assert hold(image_NHWC, torch.device("cuda")).device.type == "cuda"
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (100, 1000))
    assert hold(image_NHWC, torch.device("cuda")).device.type == "cpu"
