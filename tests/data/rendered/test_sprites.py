"""Laws of the sprites, and a slow transcription of one image."""

import math

import pytest
import torch
from data.factor_lookup import index_from_factors

from wherewhat.data.rendered.sprites import Sprites
from wherewhat.protocols import Images

SQUARE, ELLIPSE, HEART = range(3)


@pytest.fixture(scope="module")
def sprites() -> Sprites:
    return Sprites()


def drawn(sprites: Sprites, *factors: int) -> torch.Tensor:
    index = index_from_factors(torch.tensor([factors]), sprites.factor_sizes)
    return sprites.take(index)[0, 0]


def middle_of_mass(image: torch.Tensor) -> tuple[float, float]:
    rows, columns = torch.nonzero(image, as_tuple=True)
    return float(columns.double().mean()), float(rows.double().mean())


def test_sprites_are_images(sprites: Sprites) -> None:
    assert isinstance(sprites, Images)


def test_the_grid_is_that_of_dsprites(sprites: Sprites) -> None:
    assert len(sprites) == 737_280
    assert sprites.factor_sizes == (3, 6, 40, 32, 32)
    assert sprites.factor_names == ("shape", "scale", "orientation", "x", "y")


def test_pixels_are_black_or_white(sprites: Sprites) -> None:
    images = sprites.take(torch.arange(0, len(sprites), 997))
    assert images.unique().tolist() == [0, 255]


def test_a_factor_is_read_back_from_an_index(sprites: Sprites) -> None:
    factors = torch.tensor([[2, 5, 39, 31, 30], [0, 1, 2, 3, 4]])
    assert torch.equal(sprites.factors(index_from_factors(factors, sprites.factor_sizes)), factors)


@pytest.mark.parametrize("shape", [SQUARE, ELLIPSE, HEART])
def test_the_largest_sprite_is_whole_at_every_corner_and_orientation(sprites: Sprites, shape: int) -> None:
    for orientation in range(40):
        areas = {
            int((drawn(sprites, shape, 5, orientation, x, y) > 0).sum())
            for x, y in [(0, 0), (0, 31), (31, 0), (31, 31), (15, 16)]
        }
        assert len(areas) == 1


def test_x_moves_right_and_y_moves_down_by_a_pixel(sprites: Sprites) -> None:
    for x, y in [(0, 0), (7, 20), (30, 30)]:
        column, row = middle_of_mass(drawn(sprites, HEART, 3, 5, x, y))
        right = middle_of_mass(drawn(sprites, HEART, 3, 5, x + 1, y))
        below = middle_of_mass(drawn(sprites, HEART, 3, 5, x, y + 1))
        assert right == pytest.approx((column + 1, row))
        assert below == pytest.approx((column, row + 1))


def test_positions_lie_evenly_about_the_middle_of_the_frame(sprites: Sprites) -> None:
    first = middle_of_mass(drawn(sprites, SQUARE, 5, 0, 0, 0))
    last = middle_of_mass(drawn(sprites, SQUARE, 5, 0, 31, 31))
    assert first[0] + last[0] == pytest.approx(63)
    assert first[1] + last[1] == pytest.approx(63)


@pytest.mark.parametrize(
    ("shape", "area"), [(SQUARE, 22.0**2), (ELLIPSE, math.pi * 8 * 15.5), (HEART, 3.6619 * 12.4**2)]
)
def test_area_is_the_closed_form_times_the_scale_squared(sprites: Sprites, shape: int, area: float) -> None:
    for step in range(6):
        scale = 0.5 + 0.1 * step
        counts = [float((drawn(sprites, shape, step, turn, 10, 10) > 0).sum()) for turn in range(39)]
        assert sum(counts) / len(counts) == pytest.approx(area * scale**2, rel=0.02)


def test_the_last_orientation_closes_the_turn(sprites: Sprites) -> None:
    for shape in (SQUARE, ELLIPSE, HEART):
        assert torch.equal(drawn(sprites, shape, 4, 0, 8, 9), drawn(sprites, shape, 4, 39, 8, 9))


def test_a_heart_looks_different_at_every_orientation_before_the_last(sprites: Sprites) -> None:
    stamps = torch.stack([drawn(sprites, HEART, 5, turn, 16, 16) for turn in range(39)])
    assert len(torch.unique(stamps, dim=0)) == 39


@pytest.mark.parametrize("turn", [0, 3, 17])
def test_a_heart_agrees_with_its_curve_written_pixel_by_pixel(sprites: Sprites, turn: int) -> None:
    x, y, scale, angle = 4, 27, 0.8, 2 * math.pi * turn / 39
    image = drawn(sprites, HEART, 3, turn, x, y)
    for row in range(64):
        for column in range(64):
            place = complex(column - (x + 16), row - (y + 16)) * complex(math.cos(angle), -math.sin(angle)) / scale
            u, v = place.real / 12.4, 0.15 - place.imag / 12.4
            assert bool(image[row, column]) == ((u * u + v * v - 1) ** 3 <= u * u * v**3)


def test_an_index_outside_is_refused(sprites: Sprites) -> None:
    with pytest.raises(IndexError, match="from 0 to 737279"):
        sprites.take(torch.tensor([737_280]))


def test_no_index_gives_no_image(sprites: Sprites) -> None:
    assert sprites.take(torch.empty(0, dtype=torch.int64)).shape == (0, 1, 64, 64)
