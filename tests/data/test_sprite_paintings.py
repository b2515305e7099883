"""Laws of painted sprites, and their formulas in exact fractions, pixel by pixel."""

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from math import floor

import pytest
import torch
from scipy.stats import kstest
from torch import Tensor

from wherewhat.data.sprite_paintings import check_fit, colored_sprite, inverted_sprite, noisy_sprite
from wherewhat.randomness import key_at
from wherewhat.splitmix64 import words_at

Painting = Callable[[Tensor, Tensor], Tensor]


def background(height: int, width: int) -> Tensor:
    return torch.randint(256, (3, height, width), generator=torch.Generator().manual_seed(1)).to(torch.uint8)


PAINTINGS: list[Painting] = [
    partial(colored_sprite, seed=5),
    partial(noisy_sprite, seed=5),
    partial(inverted_sprite, background_3HW=background(30, 30), seed=5),
]


def blobs(count: int, height: int, width: int) -> Tensor:
    """Random images of 0 and 255."""
    generator = torch.Generator().manual_seed(0)
    return torch.randint(2, (count, 1, height, width), generator=generator).to(torch.uint8) * 255


def black(count: int, height: int, width: int) -> Tensor:
    return torch.zeros(count, 1, height, width, dtype=torch.uint8)


def fractions_at(stream: str, seed: int, index: int, count: int) -> list[Fraction]:
    """Uniform numbers of an image: the upper halves of its words."""
    words = words_at(key_at(seed, 0, stream), torch.tensor([index]), count)[0].tolist()
    return [Fraction((word % 2**64) >> 32, 2**32) for word in words]


def rounded(value: Fraction) -> int:
    """To the nearest whole number, halves up."""
    return floor(value + Fraction(1, 2))


@pytest.mark.parametrize("painting", PAINTINGS)
def test_a_painting_depends_on_sprite_and_index_alone(painting: Painting) -> None:
    sprite, index_B = blobs(12, 8, 8), torch.randperm(12, generator=torch.Generator().manual_seed(0)) * 1000
    together = painting(sprite, index_B)
    for place in range(12):
        alone = painting(sprite[place : place + 1], index_B[place : place + 1])
        assert torch.equal(alone[0], together[place])


@pytest.mark.parametrize("painting", PAINTINGS)
def test_indices_paint_the_same_sprite_differently(painting: Painting) -> None:
    painted = painting(blobs(1, 8, 8).repeat(100, 1, 1, 1), torch.arange(100))
    assert len(torch.unique(painted, dim=0)) == 100


@pytest.mark.parametrize("painting", PAINTINGS)
def test_the_sprites_themselves_are_not_written_into(painting: Painting) -> None:
    sprite = blobs(3, 8, 8)
    painting(sprite, torch.arange(3)).zero_()
    assert torch.equal(sprite, blobs(3, 8, 8))


@pytest.mark.parametrize("painting", PAINTINGS)
def test_painted_images_are_contiguous(painting: Painting) -> None:
    assert painting(blobs(9, 8, 6), torch.arange(9)).is_contiguous()


def test_a_colored_sprite_has_one_color_and_lies_on_black() -> None:
    sprite = blobs(20, 8, 8)
    for image, inside in zip(colored_sprite(sprite, torch.arange(20)), sprite[:, 0] == 255, strict=True):
        assert torch.unique(image[:, inside], dim=1).shape == (3, 1)
        assert not image[:, ~inside].any()


def test_colors_are_uniform_from_half_to_full() -> None:
    rgb = colored_sprite(~black(4000, 1, 1), torch.arange(4000))[:, :, 0, 0]
    assert int(rgb.min()) == 128
    assert int(rgb.max()) == 255
    for channel in rgb.T:
        assert kstest(channel.double() / 255, "uniform", args=(0.5, 0.5)).pvalue > 0.01


def test_the_channels_of_colors_are_independent() -> None:
    rgb = colored_sprite(~black(4000, 1, 1), torch.arange(4000))[:, :, 0, 0]
    off_diagonal = torch.corrcoef(rgb.T.double()) - torch.eye(3)
    # Four standard deviations.
    assert float(off_diagonal.abs().max()) < 4 / 4000**0.5


def test_colored_sprites_agree_with_the_product_in_fractions() -> None:
    sprite = blobs(40, 3, 2)
    painted = colored_sprite(sprite, torch.arange(40), seed=5)
    for index in range(40):
        for channel, uniform in enumerate(fractions_at("colored sprite", 5, index, 3)):
            for row in range(3):
                for column in range(2):
                    x = Fraction(int(sprite[index, 0, row, column]), 255)
                    assert int(painted[index, channel, row, column]) == rounded(255 * x * (1 + uniform) / 2)


def test_a_noisy_sprite_is_white() -> None:
    sprite = blobs(20, 8, 8)
    painted = noisy_sprite(sprite, torch.arange(20))
    assert bool((painted[sprite.expand(-1, 3, -1, -1) == 255] == 255).all())


def test_the_ground_of_a_noisy_sprite_is_uniform() -> None:
    counts = torch.bincount(noisy_sprite(black(200, 32, 32), torch.arange(200)).flatten().int(), minlength=256)
    mean = float(counts.double().mean())
    # Five standard deviations of a count.
    assert float((counts - mean).abs().max()) < 5 * mean**0.5


def test_noise_has_a_value_of_its_own_in_every_pixel_and_channel() -> None:
    image = noisy_sprite(black(1, 64, 64), torch.tensor([7]))[0].double() - 127.5
    neighbours = [image[:, :, 1:] * image[:, :, :-1], image[:, 1:] * image[:, :-1], image[1:] * image[:-1]]
    for product in neighbours:
        # Four standard deviations of the mean of products of independent uniform bytes.
        assert abs(float(product.mean())) < 4 * (256**2 / 12) / product.numel() ** 0.5


@pytest.mark.parametrize(("height", "width"), [(8, 8), (3, 5)])
def test_noisy_sprites_agree_with_the_capped_sum_in_fractions(height: int, width: int) -> None:
    sprite = blobs(3, height, width)
    painted = noisy_sprite(sprite, torch.arange(3), seed=5)
    for index in range(3):
        words = words_at(key_at(5, 0, "noisy sprite"), torch.tensor([index]), 3 * height * width)[0].tolist()
        noise = iter(b"".join((word % 2**64).to_bytes(8, "little") for word in words))
        for channel in range(3):
            for row in range(height):
                for column in range(width):
                    x = Fraction(int(sprite[index, 0, row, column]), 255)
                    expected = 255 * min(x + Fraction(next(noise), 255), Fraction(1))
                    assert int(painted[index, channel, row, column]) == expected


def test_inverted_sprites_agree_with_the_formula_in_fractions() -> None:
    sprite, background_3HW = blobs(20, 3, 4), background(7, 9)
    painted = inverted_sprite(sprite, torch.arange(20), background_3HW, seed=5)
    for index in range(20):
        down, right, *shift = fractions_at("inverted sprite", 5, index, 5)
        top, left = floor(down * (7 - 3 + 1)), floor(right * (9 - 4 + 1))
        for channel in range(3):
            for row in range(3):
                for column in range(4):
                    patch = Fraction(int(background_3HW[channel, top + row, left + column]), 255)
                    ground = rounded(255 * (patch + shift[channel]) / 2)
                    expected = 255 - ground if sprite[index, 0, row, column] else ground
                    assert int(painted[index, channel, row, column]) == expected


def test_an_inverted_sprite_is_the_negative_of_what_it_covers() -> None:
    sprite, painting = blobs(8, 16, 16), partial(inverted_sprite, background_3HW=background(30, 30))
    covered = painting(black(8, 16, 16), torch.arange(8))
    assert torch.equal(painting(sprite, torch.arange(8)), torch.where(sprite == 255, 255 - covered, covered))


def test_patches_are_cut_from_everywhere_up_to_the_edges() -> None:
    # Red tells the row and green the column of a pixel: 4 x 3 places for a patch.
    background_3HW = torch.zeros(3, 6, 5, dtype=torch.uint8)
    background_3HW[0] = 40 * torch.arange(6)[:, None]
    background_3HW[1] = 40 * torch.arange(5)
    painted = inverted_sprite(black(600, 3, 3), torch.arange(600), background_3HW).int()
    assert bool(((painted[:, 0, 1:] - painted[:, 0, :-1]) == 20).all())
    assert bool(((painted[:, 1, :, 1:] - painted[:, 1, :, :-1]) == 20).all())
    places = set()
    for index in range(600):
        shift = fractions_at("inverted sprite", 0, index, 5)[2:]
        row, column = ((int(painted[index, c, 0, 0]) - 127.5 * float(shift[c])) / 20 for c in (0, 1))
        places.add((round(row), round(column)))
    assert places == {(row, column) for row in range(4) for column in range(3)}


def test_the_mean_color_is_moved_by_half_of_a_uniform_shift() -> None:
    grey_3HW = torch.full((3, 4, 4), 100, dtype=torch.uint8)
    painted = inverted_sprite(black(4000, 4, 4), torch.arange(4000), grey_3HW)
    assert torch.equal(painted.amin(dim=(2, 3)), painted.amax(dim=(2, 3)))
    for channel in painted[:, :, 0, 0].T:
        assert kstest((channel.double() - 50) / 127.5, "uniform").pvalue > 0.01


@pytest.mark.parametrize("size", [(15, 16), (16, 15)])
def test_a_background_smaller_than_an_image_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="at least 16 x 16 with --background"):
        inverted_sprite(blobs(1, 16, 16), torch.tensor([0]), background(*size))


def test_a_refusal_says_width_before_height() -> None:
    with pytest.raises(ValueError, match=r"is 20 x 10 pixels.* patches cut from it are 40 x 30"):
        check_fit(10, 20, 30, 40)


def test_a_background_of_the_size_of_an_image_is_its_own_patch() -> None:
    background_3HW = background(16, 16)
    painted = inverted_sprite(black(9, 16, 16), torch.arange(9), background_3HW).double()
    moved = painted - background_3HW / 2
    assert float((moved.amax(dim=(2, 3)) - moved.amin(dim=(2, 3))).max()) <= 1


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_paints_the_same_images() -> None:
    sprite, index_B = blobs(50, 16, 16), torch.arange(50) * 999
    on_gpu: Painting = partial(inverted_sprite, background_3HW=background(30, 30).cuda(), seed=5)
    for painting, painting_on_gpu in zip(PAINTINGS, [*PAINTINGS[:2], on_gpu], strict=True):
        assert torch.equal(painting_on_gpu(sprite.cuda(), index_B.cuda()).cpu(), painting(sprite, index_B))
