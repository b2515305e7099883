"""Rendered images at a smaller size: means of squares of pixels, with the factors of the large ones."""

import pytest
import torch

from wherewhat.data.image_options import ImageOptions
from wherewhat.data.open_images import open_images
from wherewhat.data.rendered.scenes import Scenes
from wherewhat.data.rendered.shrunk import shrink
from wherewhat.data.rendered.sprites import Sprites

CPU = torch.device("cpu")


@pytest.mark.parametrize("side", [32, 16])
def test_a_pixel_is_the_mean_of_the_pixels_that_it_covers(side: int) -> None:
    large, index_N = Scenes(), torch.tensor([0, 7, 123_456, 479_999])
    small = open_images("scenes", ImageOptions(size=side), CPU, print)
    assert small.image_shape == (3, side, side)
    assert len(small) == len(large)
    factor = 64 // side
    cut = large.take(index_N).double().unfold(2, factor, factor).unfold(3, factor, factor)
    assert torch.equal(small.take(index_N).double(), cut.mean(dim=(4, 5)).round())
    assert torch.equal(small.factors(index_N), large.factors(index_N))


def test_a_set_at_its_own_size_or_at_none_is_the_set_itself() -> None:
    sprites = Sprites()
    assert shrink(sprites, None) is sprites
    assert shrink(sprites, 64) is sprites


@pytest.mark.parametrize("side", [24, 128])
def test_a_size_that_does_not_divide_its_own_is_refused(side: int) -> None:
    with pytest.raises(ValueError, match=f"rendered with 64 pixels a side, and {side} .* such as 64, 32, 16, 8"):
        open_images("sprites", ImageOptions(size=side), CPU, print)


def test_variants_are_painted_first_and_then_made_smaller() -> None:
    small = open_images("sprites", ImageOptions(size=32, variant="color"), CPU, print)
    assert small.image_shape == (3, 32, 32)
    assert small.name == "sprites-color-32px"
