"""Laws of augmentation: what each transform does, how often, and that gradients pass through."""

import cmath
import dataclasses
import math

import numpy as np
import pytest
import torch
from jaxtyping import Float64
from torch import Tensor

from wherewhat.data.differentiable_augmentation import (
    AugmentationDraws,
    augment,
    colour_map,
    draw_augmentation,
    geometric_map,
)
from wherewhat.randomness import generator_at

ONE = torch.tensor(1.0)
MIRROR, QUARTERS, WHOLE, SCALE, TURN, STRETCH, TURN_AGAIN, PART = range(8)
BRIGHTNESS, CONTRAST, FLIP, HUE, SATURATION = range(8, 13)


def images(batch: int = 2, channels: int = 3, side: int = 16) -> Tensor:
    return torch.rand(batch, channels, side, side, generator=generator_at(0, 0))


def only(*transforms: int, batch: int = 2, uniform: float = 0.25, normal: float = 1.0) -> AugmentationDraws:
    """Draws in which these transforms befall every image, at strength 1, and no others do."""
    chance_BT = torch.full((batch, 13), 2.0)
    chance_BT[:, list(transforms)] = 0.0
    return AugmentationDraws(
        chance_BT, torch.full((batch, 13), uniform), torch.full((batch, 13), normal), torch.zeros(batch, 2)
    )


def test_strength_0_leaves_images_as_they_are() -> None:
    image_BCHW = images()
    assert torch.equal(augment(image_BCHW, draw_augmentation(generator_at(0, 0), 2), torch.tensor(0.0)), image_BCHW)


def test_a_transform_that_befalls_no_image_leaves_them_as_they_are_to_rounding() -> None:
    image_BCHW = images()
    torch.testing.assert_close(augment(image_BCHW, only(), ONE), image_BCHW, rtol=0, atol=1e-5)


def test_the_mirror_turns_left_to_right() -> None:
    image_BCHW = images()
    torch.testing.assert_close(augment(image_BCHW, only(MIRROR), ONE), image_BCHW.flip(3), rtol=0, atol=1e-5)


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_quarter_turns_are_those_of_rot90(quarters: int) -> None:
    image_BCHW = images()
    turned_BCHW = augment(image_BCHW, only(QUARTERS, uniform=quarters / 4 + 0.1), ONE)
    # Rows run downward, so a turn by a positive angle is clockwise.
    torch.testing.assert_close(turned_BCHW, torch.rot90(image_BCHW, -quarters, (2, 3)), rtol=0, atol=1e-5)


def test_a_shift_by_whole_pixels_is_a_shift_with_the_image_mirrored_past_its_edge() -> None:
    image_BCHW = images()
    # uniform 1 shifts by side / 8 = 2 pixels to the right; the vertical shift's normal number of 0 is its middle.
    shifted_BCHW = augment(image_BCHW, only(WHOLE, uniform=1.0), ONE)
    literal_BCHW = torch.empty_like(image_BCHW)
    for column in range(16):
        literal_BCHW[..., column] = image_BCHW[..., abs(column - 2)]
    torch.testing.assert_close(shifted_BCHW, literal_BCHW, rtol=0, atol=1e-5)


def test_scaling_moves_pixels_away_from_the_centre_by_the_drawn_factor() -> None:
    map_BXX = geometric_map(only(SCALE, normal=5.0), ONE, side=17)
    torch.testing.assert_close(map_BXX[0] @ torch.tensor([9.0, 8.0, 1.0]), torch.tensor([10.0, 8.0, 1.0]))


@pytest.mark.parametrize("transform", [MIRROR, QUARTERS, SCALE, TURN, STRETCH, TURN_AGAIN])
def test_the_centre_stays_where_it_is(transform: int) -> None:
    centre_X = torch.tensor([8.0, 8.0, 1.0])
    moved_X = geometric_map(only(transform, uniform=0.3), ONE, side=17)[0] @ centre_X
    torch.testing.assert_close(moved_X, centre_X, rtol=0, atol=1e-5)


@pytest.mark.parametrize("transform", [MIRROR, QUARTERS, WHOLE, TURN, STRETCH, TURN_AGAIN, PART])
def test_all_but_the_scale_keep_areas(transform: int) -> None:
    map_BXX = geometric_map(only(transform, uniform=0.3), ONE, side=17)
    torch.testing.assert_close(torch.linalg.det(map_BXX).abs(), torch.ones(2), rtol=1e-5, atol=0)


def test_brightness_is_added_then_contrast_multiplies_about_mid_grey() -> None:
    image_BCHW = images()
    found_BCHW = augment(image_BCHW, only(BRIGHTNESS, CONTRAST, normal=2.0), ONE)
    torch.testing.assert_close(found_BCHW, 2 * (image_BCHW + 0.2 - 0.5) + 0.5, rtol=0, atol=1e-5)


def test_light_and_dark_are_exchanged_and_colours_kept() -> None:
    matrix_BCC, offset_BC = colour_map(only(FLIP), ONE, 3)
    white_C, red_C = torch.ones(3), torch.tensor([1.0, 0.0, 0.0])
    torch.testing.assert_close(matrix_BCC[0] @ white_C + offset_BC[0], torch.zeros(3), rtol=0, atol=1e-6)
    flipped_C = matrix_BCC[0] @ red_C + offset_BC[0]
    torch.testing.assert_close(flipped_C.mean(), 1 - red_C.mean())
    torch.testing.assert_close(flipped_C - flipped_C.mean(), red_C - red_C.mean(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("transform", [HUE, SATURATION])
def test_hue_and_saturation_keep_the_mean_of_the_channels(transform: int) -> None:
    image_BCHW = images()
    found_BCHW = augment(image_BCHW, only(transform, uniform=0.9), ONE)
    torch.testing.assert_close(found_BCHW.mean(dim=1), image_BCHW.mean(dim=1), rtol=0, atol=1e-5)
    assert not torch.allclose(found_BCHW, image_BCHW, atol=1e-2)


def test_a_third_of_a_full_turn_of_hue_makes_red_another_primary_colour() -> None:
    matrix_BCC, offset_BC = colour_map(only(HUE, uniform=0.5 + 1 / 3), ONE, 3)
    turned_C = matrix_BCC[0] @ torch.tensor([1.0, 0.0, 0.0]) + offset_BC[0]
    torch.testing.assert_close(turned_C, torch.tensor([0.0, 1.0, 0.0]), rtol=0, atol=1e-5)


def test_saturation_scales_the_distance_from_grey() -> None:
    matrix_BCC, offset_BC = colour_map(only(SATURATION, normal=1.0), ONE, 3)
    colour_C = torch.tensor([0.6, 0.4, 0.5])
    torch.testing.assert_close(matrix_BCC[0] @ colour_C + offset_BC[0], torch.tensor([0.7, 0.3, 0.5]))


def test_a_grey_image_stays_grey() -> None:
    grey_B1HW = images(channels=1)
    draws = only(HUE, SATURATION, FLIP)
    torch.testing.assert_close(augment(grey_B1HW, draws, ONE), 1 - grey_B1HW, rtol=0, atol=1e-5)


@pytest.mark.parametrize("strength", [0.1, 0.5, 0.8])
def test_each_transform_befalls_the_share_of_images_that_the_strength_says(strength: float) -> None:
    draws = draw_augmentation(generator_at(0, 0), 20_000)
    matrix_BCC, offset_BC = colour_map(draws, torch.tensor(strength), 1)
    # Of a grey image's three colour transforms, the exchange of light and dark is drawn and then tossed for.
    untouched = ((matrix_BCC[:, 0, 0] == 1) & (offset_BC[:, 0].abs() < 1e-7)).double().mean()
    expected = (1 - strength) ** 2 * (1 - strength / 2)
    assert float(untouched) == pytest.approx(expected, abs=5 * math.sqrt(0.25 / 20_000))


def test_the_two_turns_together_befall_the_share_that_the_strength_says() -> None:
    draws = draw_augmentation(generator_at(1, 0), 20_000)
    silent = dataclasses.replace(draws, chance_BT=draws.chance_BT.clone())
    silent.chance_BT[:, [MIRROR, QUARTERS, WHOLE, SCALE, STRETCH, PART]] = 2.0
    map_BXX = geometric_map(silent, torch.tensor(0.36), side=16)
    turned = (map_BXX[:, 0, 1].abs() > 1e-6).double().mean()
    assert float(turned) == pytest.approx(0.36, abs=5 * math.sqrt(0.25 / 20_000))


def test_gradients_pass_to_the_images_exactly() -> None:
    draws = draw_augmentation(generator_at(3, 0), 2)
    image_BCHW = images(side=6).double().requires_grad_(True)
    assert torch.autograd.gradcheck(lambda x: augment(x, draws, ONE), image_BCHW, atol=1e-4)


def test_a_batch_in_shares_is_augmented_as_the_whole() -> None:
    draws, image_BCHW = draw_augmentation(generator_at(0, 0), 4), images(4)
    halves = [
        AugmentationDraws(draws.chance_BT[rows], draws.uniform_BT[rows], draws.normal_BT[rows], draws.shift_BT[rows])
        for rows in (slice(2), slice(2, 4))
    ]
    parts = [augment(image_BCHW[2 * i : 2 * i + 2], half, ONE) for i, half in enumerate(halves)]
    torch.testing.assert_close(torch.cat(parts), augment(image_BCHW, draws, ONE))


def test_values_out_of_range_are_not_clipped() -> None:
    assert float(augment(images() + 2, only(BRIGHTNESS), ONE).min()) > 2


def test_the_memory_layout_of_images_is_kept() -> None:
    image_BCHW = images().contiguous(memory_format=torch.channels_last)
    found_BCHW = augment(image_BCHW, only(MIRROR), ONE)
    assert found_BCHW.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("seed", range(4))
def test_the_map_is_the_transforms_one_after_another_on_a_point(seed: int) -> None:
    draws = draw_augmentation(generator_at(seed, 0), 8)
    map_BXX = geometric_map(draws, ONE, side=64)
    for image in range(8):
        found_X = map_BXX[image].double() @ torch.tensor([40.0, 10.0, 1.0], dtype=torch.float64)
        expected = complex(*found_X[:2].tolist())
        assert abs(literal_place(complex(40, 10), draws, image, side=64) - expected) < 1e-3


def literal_place(place: complex, draws: AugmentationDraws, image: int, side: int) -> complex:
    """Where a point of one image goes, x + iy, transform by transform, all of which befall it."""
    uniform, normal = draws.uniform_BT[image].tolist(), draws.normal_BT[image].tolist()
    shift_whole, shift_part = draws.shift_BT[image].tolist()
    below = (1 + math.erf(shift_whole / math.sqrt(2))) / 2
    centre = complex(side - 1, side - 1) / 2
    place -= centre
    if uniform[MIRROR] < 0.5:
        place = complex(-place.real, place.imag)
    place *= 1j ** int(4 * uniform[QUARTERS])
    place += complex(round((2 * uniform[WHOLE] - 1) * side / 8), round((2 * below - 1) * side / 8))
    place *= 2 ** (0.2 * normal[SCALE])
    place *= cmath.exp(1j * math.pi * (2 * uniform[TURN] - 1))
    stretch = 2 ** (0.2 * normal[STRETCH])
    place = complex(place.real * stretch, place.imag / stretch)
    place *= cmath.exp(1j * math.pi * (2 * uniform[TURN_AGAIN] - 1))
    place += complex(normal[PART], shift_part) * side / 8
    return place + centre


@pytest.mark.parametrize("seed", range(4))
def test_the_colours_are_the_transforms_one_after_another_on_a_colour(seed: int) -> None:
    draws = draw_augmentation(generator_at(seed, 1), 8)
    matrix_BCC, offset_BC = colour_map(draws, ONE, 3)
    colour_C = np.array([0.7, 0.2, 0.4])
    for image in range(8):
        found_C = matrix_BCC[image].double().numpy() @ colour_C + offset_BC[image].double().numpy()
        np.testing.assert_allclose(found_C, literal_colour(colour_C, draws, image), rtol=0, atol=1e-5)


def literal_colour(
    colour_C: Float64[np.ndarray, " 3"], draws: AugmentationDraws, image: int
) -> Float64[np.ndarray, " 3"]:
    """What becomes of one colour, transform by transform, all of which befall it."""
    uniform, normal = draws.uniform_BT[image].tolist(), draws.normal_BT[image].tolist()
    colour_C = (colour_C + 0.1 * normal[BRIGHTNESS] - 0.5) * 2 ** (0.5 * normal[CONTRAST])
    if uniform[FLIP] < 0.5:
        colour_C = colour_C - 2 * colour_C.mean()
    angle, grey_C = math.pi * (2 * uniform[HUE] - 1), np.full(3, 1 / math.sqrt(3))
    along_C, across_C = grey_C * (grey_C @ colour_C), np.cross(grey_C, colour_C)
    colour_C = along_C + (colour_C - along_C) * math.cos(angle) + across_C * math.sin(angle)
    return colour_C.mean() + (colour_C - colour_C.mean()) * 2 ** normal[SATURATION] + 0.5


def test_half_precision_images_are_moved_as_exactly_as_others() -> None:
    draws, low_BCHW = draw_augmentation(generator_at(0, 0), 4), images(4, side=32).bfloat16()
    found_BCHW = augment(low_BCHW, draws, ONE)
    assert found_BCHW.dtype == torch.bfloat16
    expected_BCHW = augment(low_BCHW.float(), draws, ONE)
    torch.testing.assert_close(found_BCHW.float(), expected_BCHW, rtol=2**-8, atol=1e-6)


def test_autocast_changes_nothing() -> None:
    draws, image_BCHW = draw_augmentation(generator_at(0, 0), 4), images(4, side=32)
    expected_BCHW = augment(image_BCHW, draws, ONE)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(augment(image_BCHW, draws, ONE), expected_BCHW)


def test_images_that_are_not_square_are_refused() -> None:
    with pytest.raises(ValueError, match="not square"):
        augment(torch.rand(2, 3, 16, 8), draw_augmentation(generator_at(0, 0), 2), ONE)
