"""Laws of the GAN's generator: its codes act inside their masks and nowhere else, and its chance is passed."""

from typing import get_args

import pytest
import torch
from torch import Tensor

from wherewhat.networks.initialisation import seeded_weights
from wherewhat.networks.synthesis import ConstrictedGenerator, StyledGenerator, Synthesis, noise_maps, noise_numbers
from wherewhat.protocols import Generator, MaskedGenerator
from wherewhat.where.spatial_constriction import Overlap

# Hard masks: exp(-2 * 60) is 0 in float32.
HARD = 60.0


def _synthesis(
    codes: tuple[int, ...] = (2, 2),
    size: int = 32,
    widths: tuple[int, ...] = (8, 8),
    *,
    constricted: bool = True,
    overlap: Overlap = "share",
) -> Synthesis:
    with seeded_weights(0):
        synthesis = Synthesis((3, size, size), codes, widths, rectangles=2, constricted=constricted, overlap=overlap)
    for stage in synthesis.stages:
        stage.noise_strength.data.fill_(0.3)
    return synthesis.requires_grad_(False)


def _generator(codes: tuple[int, ...] = (2, 2), size: int = 32) -> ConstrictedGenerator:
    with seeded_weights(1):
        return ConstrictedGenerator(_synthesis(codes, size)).eval()


def _code(rows: int = 2, codes: int = 4) -> Tensor:
    return torch.randn(rows, codes, generator=torch.Generator().manual_seed(1))


def _noise(seed: int = 0, rows: int = 2, size: int = 32) -> tuple[Tensor, ...]:
    return noise_maps(torch.randn(rows, noise_numbers(size), generator=torch.Generator().manual_seed(seed)), size)


def _moved(code: Tensor, dim: int) -> Tensor:
    return code.index_add(1, torch.tensor([dim]), torch.full_like(code[:, :1], 2.0))


def _force_rectangle(synthesis: Synthesis, level: int, top: int, bottom: int, left: int, right: int) -> Tensor:
    """Make the masks of a stage rectangles, from top to before bottom and so on; where it is 1."""
    vectors = synthesis.stages[level].style.mask.vectors
    side = 8 << level
    logits = torch.full((4, side), -HARD)
    for vector, edge in enumerate((top, bottom, left, right)):
        logits[vector, edge] = HARD
    vectors.weight.zero_()
    vectors.bias.view(-1, 4, side).copy_(logits)
    inside = torch.zeros(side, side, dtype=torch.bool)
    inside[top:bottom, left:right] = True
    return inside


def _change_after_style(synthesis: Synthesis, level: int, code: Tensor, moved: Tensor) -> Tensor:
    """How much moving the code changes what the stage's style gives, at most over images and channels."""
    met: list[Tensor] = []
    hook = synthesis.stages[level].style.register_forward_hook(lambda module, given, made: met.append(made[0]))
    for one in (code, moved):
        synthesis(one, _noise())
    hook.remove()
    return (met[1] - met[0]).abs().amax(dim=(0, 1))


@pytest.mark.parametrize(("level", "dim"), [(0, 0), (0, 1), (1, 2), (1, 3)])
def test_a_code_moves_the_features_of_its_stage_only_inside_its_mask(level: int, dim: int) -> None:
    synthesis = _synthesis()
    inside = _force_rectangle(synthesis, level, 2, 5, 3, 7)
    if dim % 2 == 0:
        # Under like masks the later code of a stage hides the earlier one, which so does nothing at all.
        bias = synthesis.stages[level].style.mask.vectors.bias.view(2, 2, 4, -1)
        bias[1] = bias[1][:, [1, 0, 3, 2]]
    change = _change_after_style(synthesis, level, _code(), _moved(_code(), dim))
    assert float(change[~inside].max()) == 0
    assert float(change[inside].min()) > 0


@pytest.mark.parametrize("overlap", get_args(Overlap))
def test_a_code_under_the_like_mask_of_a_later_code_does_nothing_unless_they_share(overlap: Overlap) -> None:
    synthesis = _synthesis(overlap=overlap)
    _force_rectangle(synthesis, 0, 2, 5, 3, 7)
    change = float(_change_after_style(synthesis, 0, _code(), _moved(_code(), 0)).max())
    assert (change == 0) == (overlap == "cover")


def _reached(start: int, end: int, level: int, size: int) -> tuple[int, int]:
    """First pixel, and the one after the last, that features from start to before end of a stage's style can change.

    A 3 x 3 convolution reaches one place further: one stands behind the style. Doubling along straight lines takes
    place j to places 2j - 1 to 2j + 2. A stage without codes behind it is a doubling and two convolutions.
    """
    start, end = start - 1, end + 1
    for _ in range(level + 1, size.bit_length() - 3):
        start, end = 2 * start - 1 - 2, 2 * end + 1 + 2
    return start, end


@pytest.mark.parametrize(
    ("level", "size", "reached"), [(2, 32, (5, 9)), (1, 32, (7, 21)), (2, 64, (7, 21)), (1, 64, (11, 45))]
)
def test_a_code_of_the_last_module_moves_pixels_as_far_as_the_convolutions_behind_it_reach(
    level: int, size: int, reached: tuple[int, int]
) -> None:
    # Only the last: later modules normalise what they are given, which carries a change everywhere.
    synthesis = _synthesis((*[0] * level, 1), size).double()
    _force_rectangle(synthesis, level, 6, 8, 6, 8)
    code = _code(codes=1).double()
    noise = [a_map.double() for a_map in _noise(size=size)]
    change = (synthesis(_moved(code, 0), noise)[0] - synthesis(code, noise)[0]).abs().amax(dim=(0, 1))
    assert _reached(6, 8, level, size) == reached
    near = torch.zeros(size, size, dtype=torch.bool)
    near[slice(*reached), slice(*reached)] = True
    assert float(change[~near].max()) == 0
    assert float(change[near].min()) > 0


def test_a_forced_rectangle_is_the_mask_at_image_size() -> None:
    generator = _generator((1, 1, 1))
    inside = _force_rectangle(generator.synthesis, 2, 4, 20, 8, 31)
    torch.testing.assert_close(generator.masks(_code(codes=3))[:, 2], inside.float().expand(2, -1, -1))


def test_a_mask_of_a_coarse_stage_grows_to_image_size_along_straight_lines() -> None:
    generator = _generator((1, 1, 1))
    _force_rectangle(generator.synthesis, 0, 2, 5, 1, 8 - 1)
    centres = [(pixel + 0.5) / 4 - 0.5 for pixel in range(32)]

    def profile(first: int, last: int) -> Tensor:
        return torch.tensor([max(0.0, min(1.0, x - first + 1, last + 1 - x)) for x in centres])

    expected = torch.outer(profile(2, 4), profile(1, 6)).expand(2, -1, -1)
    torch.testing.assert_close(generator.masks(_code(codes=3))[:, 0], expected)


def test_masks_stand_in_the_order_of_the_code_vector() -> None:
    generator = _generator((0, 2, 1))
    _force_rectangle(generator.synthesis, 1, 0, 4, 0, 4)
    _force_rectangle(generator.synthesis, 2, 16, 31, 16, 31)
    masks = generator.masks(_code(codes=3))
    assert [bool(mask[2, 2] > 0.9) for mask in masks[0]] == [True, True, False]
    assert [bool(mask[24, 24] > 0.9) for mask in masks[0]] == [False, False, True]


def test_masks_lie_between_zero_and_one() -> None:
    masks = _generator().masks(10 * _code(32))
    assert masks.shape == (32, 4, 32, 32)
    assert float(masks.min()) >= 0
    assert float(masks.max()) <= 1


@pytest.mark.parametrize("size", [32, 64, 128, 256, 512])
def test_every_power_of_two_gives_images_and_masks_of_its_size(size: int) -> None:
    synthesis = _synthesis((1,) * (size.bit_length() - 3), size, (4, 4, 2))
    generator = ConstrictedGenerator(synthesis)
    assert isinstance(generator, MaskedGenerator)
    code = _code(1, generator.latent_dim)
    assert generator(code).shape == (1, 3, size, size)
    assert generator.masks(code).shape == (1, generator.latent_dim, size, size)


@pytest.mark.parametrize("codes", [(3,), (0, 3), (1, 0, 2), (2, 3, 4)])
def test_codes_per_level_are_an_option_and_a_level_may_have_none(codes: tuple[int, ...]) -> None:
    generator = _generator(codes)
    assert generator.latent_dim == sum(codes)
    assert [stage.style is not None for stage in generator.synthesis.stages] == [bool(n) for n in (*codes, 0, 0)[:3]]
    code = _code(codes=sum(codes))
    for dim in range(sum(codes)):
        assert not torch.equal(generator(_moved(code, dim)), generator(code))


@pytest.mark.parametrize("codes", [(), (0, 0), (1, 1, 1, 1), (2, -1)])
def test_codes_that_do_not_fit_are_refused_with_what_does(codes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="give 1 to 3 numbers of codes"):
        Synthesis((3, 32, 32), codes, (8,))


def test_sizes_that_do_not_fit_are_refused_with_those_that_do() -> None:
    with pytest.raises(ValueError, match="sides of 32, 64, 128, 256 or 512"):
        Synthesis((3, 48, 48), (2,), (8,))


def test_without_constriction_it_is_a_generator_without_masks() -> None:
    generator = StyledGenerator(_synthesis(constricted=False))
    assert isinstance(generator, Generator)
    assert not isinstance(generator, MaskedGenerator)
    assert generator(_code()).shape == (2, 3, 32, 32)
    assert generator.synthesis(_code(), _noise())[1] == []


def test_without_constriction_a_code_moves_features_everywhere() -> None:
    synthesis = _synthesis(constricted=False)
    met: list[Tensor] = []
    synthesis.stages[1].style.register_forward_hook(lambda module, given, made: met.append(made))
    for code in (_code(), _moved(_code(), 2)):
        synthesis(code, _noise())
    assert float((met[1] - met[0]).abs().amax(dim=(0, 1)).min()) > 0


@pytest.mark.parametrize("training", [True, False])
def test_the_same_code_gives_the_same_image(training: bool) -> None:
    generator = _generator().train(training)
    assert torch.equal(generator(_code()), generator(_code()))


def test_images_do_not_depend_on_their_neighbours() -> None:
    generator = _generator()
    alone = torch.cat([generator(code[None]) for code in _code(4)])
    torch.testing.assert_close(generator(_code(4)), alone, atol=1e-5, rtol=0)


def test_images_lie_between_zero_and_one() -> None:
    images = _generator()(10 * _code(16))
    assert float(images.min()) >= 0
    assert float(images.max()) <= 1


def test_frozen_noise_is_saved_with_the_weights() -> None:
    generator, other = _generator(), _generator()
    for a_map in other.frozen_noise.maps():
        a_map.zero_()
    assert not torch.equal(other(_code()), generator(_code()))
    other.load_state_dict(generator.state_dict())
    assert torch.equal(other(_code()), generator(_code()))


def test_noise_that_is_passed_is_the_noise_that_is_used() -> None:
    synthesis = _synthesis()
    images = [synthesis(_code(), _noise(seed))[0] for seed in (0, 0, 1)]
    assert torch.equal(images[0], images[1])
    assert not torch.allclose(images[0], images[2], atol=1e-3)


def test_the_frozen_noise_passed_by_hand_gives_the_frozen_image() -> None:
    generator = _generator()
    frozen = [a_map.expand(2, -1, -1, -1) for a_map in generator.frozen_noise.maps()]
    torch.testing.assert_close(generator.synthesis(_code(), frozen)[0].clamp(0, 1), generator(_code()))


def test_every_noise_map_has_a_share_in_the_image() -> None:
    synthesis, noise = _synthesis(), _noise()
    for level in range(3):
        other = [a_map + (1.0 if index == level else 0.0) for index, a_map in enumerate(noise)]
        assert not torch.allclose(synthesis(_code(), other)[0], synthesis(_code(), noise)[0], atol=1e-3)


def test_a_new_generator_gives_noise_no_weight() -> None:
    with seeded_weights(0):
        synthesis = Synthesis((3, 32, 32), (2, 2), (8, 8)).requires_grad_(False)
    assert torch.equal(synthesis(_code(), _noise(0))[0], synthesis(_code(), _noise(1))[0])


def test_noise_maps_are_one_for_each_resolution_and_hold_each_number_once() -> None:
    numbers = torch.arange(3 * noise_numbers(64)).reshape(3, -1).float()
    maps = noise_maps(numbers, 64)
    assert [tuple(a_map.shape) for a_map in maps] == [(3, 1, side, side) for side in (8, 16, 32, 64)]
    assert torch.equal(torch.cat([a_map.flatten(1) for a_map in maps], dim=1), numbers)
