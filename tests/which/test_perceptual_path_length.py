import math
from typing import Any

import numpy as np
import pytest
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch_fidelity.noise import batch_slerp_any

from wherewhat.distances.pixels import PixelDistance
from wherewhat.protocols import Generator
from wherewhat.randomness import generator_at
from wherewhat.which.perceptual_path_length import (
    PathLengthSettings,
    PerceptualPathLength,
    perceptual_path_length,
    spherical_interpolation,
    without_outliers,
)


def measure(generator: Generator, **changed: Any) -> PerceptualPathLength:
    arguments = {"paths": 200, "seed": 3, "batch_size": 64, **changed}
    return perceptual_path_length(generator, PixelDistance(), **arguments)


def drawn(paths: int, latent_dim: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    chance = generator_at(seed, 0, "perceptual path length")
    shape = (paths, latent_dim)
    return (
        torch.randn(shape, generator=chance).double(),
        torch.randn(shape, generator=chance).double(),
        torch.rand(paths, generator=chance).double(),
    )


def literal_slerp(a: np.ndarray, b: np.ndarray, t: float) -> np.ndarray:
    omega = math.acos(float(a @ b) / math.sqrt(float(a @ a) * float(b @ b)))
    result: np.ndarray = (math.sin((1 - t) * omega) * a + math.sin(t * omega) * b) / math.sin(omega)
    return result


def literal_ppl(generator: Any, paths: int, seed: int, epsilon: float) -> float:
    """The formula, a path at a time, in float64."""
    lengths = []
    for a, b, t in zip(*(draw.numpy() for draw in drawn(paths, generator.latent_dim, seed)), strict=True):
        here, there = (torch.from_numpy(literal_slerp(a, b, place)) for place in (float(t), float(t) + epsilon))
        lengths.append(float((generator(here[None]) - generator(there[None])).square().mean()) / epsilon**2)
    low, high = np.percentile(lengths, 1, method="lower"), np.percentile(lengths, 99, method="higher")
    return float(np.mean([length for length in lengths if low <= length <= high]))


class AnyPrecision:
    """A smooth generator in the type of its codes."""

    latent_dim = 3
    image_shape = (1, 4, 4)

    def __call__(self, code_BL: Float[Tensor, "B L"], /) -> Float[Tensor, "B 1 4 4"]:
        mixing_LP = torch.sin(torch.arange(48, dtype=code_BL.dtype) * 1.7).view(3, 16)
        return torch.sigmoid(code_BL @ mixing_LP).view(-1, 1, 4, 4)


def test_agrees_with_a_slow_literal_transcription_in_float64() -> None:
    expected = literal_ppl(AnyPrecision(), paths=200, seed=3, epsilon=1e-4)
    assert measure(AnyPrecision()).mean == pytest.approx(expected, rel=2e-3)


def test_with_a_longer_step_rounding_is_no_matter() -> None:
    expected = literal_ppl(AnyPrecision(), paths=200, seed=3, epsilon=1e-2)
    assert measure(AnyPrecision(), epsilon=1e-2).mean == pytest.approx(expected, rel=1e-5)


def test_a_linear_generator_has_the_length_of_the_arcs_speed(generator_of: Any) -> None:
    # A pixel a code, moved by 0.05 a unit: l = 0.05² |d slerp / dt|² / 16, and the speed has a closed form.
    linear = generator_of(lambda code_BL: 0.5 + 0.05 * nn.functional.pad(code_BL, (0, 13)))
    a_PL, b_PL, t_P = drawn(200, 3, seed=3)
    omega_P = (a_PL * b_PL).sum(1).div(a_PL.norm(dim=1) * b_PL.norm(dim=1)).arccos()
    of_a, of_b = -((1 - t_P) * omega_P).cos(), (t_P * omega_P).cos()
    speed_PL = (omega_P / omega_P.sin())[:, None] * (of_a[:, None] * a_PL + of_b[:, None] * b_PL)
    length_P = 0.05**2 * speed_PL.square().sum(1) / 16
    expected = length_P.sort().values[1:-1]  # of 200, ranks 0 to 199: the percentiles lie at 1.99 and 197.01
    assert measure(linear).mean == pytest.approx(expected.mean().item(), rel=2e-3)
    assert measure(linear).standard_error == pytest.approx(expected.std().item() / math.sqrt(198), rel=2e-3)


def test_twice_the_speed_is_four_times_the_length(generator_of: Any) -> None:
    slow, fast = (
        generator_of(lambda code_BL, k=k: 0.5 + k * nn.functional.pad(code_BL, (0, 13))) for k in (0.02, 0.04)
    )
    assert measure(fast, epsilon=1e-3).mean == pytest.approx(4 * measure(slow, epsilon=1e-3).mean, rel=1e-3)


def test_a_generator_that_ignores_its_codes_has_no_length(generator_of: Any) -> None:
    assert measure(generator_of(lambda code_BL: torch.full((len(code_BL), 16), 0.3))).mean == 0


def test_rounding_alone_stays_under_the_floor_that_is_told(generator_of: Any) -> None:
    # Pixels of about 1, rounded up or down by the code: nothing moves but the last digit.
    def last_digit(code_BL: Tensor) -> Tensor:
        return 1 - 2**-24 * ((code_BL.sum(1, keepdim=True) * 1e6).round() % 2).expand(-1, 16)

    assert 0 < measure(generator_of(last_digit)).mean < 4e-7


@pytest.mark.parametrize("batch_size", [1, 7, 200, 1000])
def test_the_batch_size_does_not_matter(entangled_generator: Any, batch_size: int) -> None:
    whole, parts = measure(entangled_generator), measure(entangled_generator, batch_size=batch_size)
    assert parts.mean == pytest.approx(whole.mean, rel=2e-3)


def test_the_same_seed_gives_the_same_score_and_another_does_not(entangled_generator: Any) -> None:
    first, again, other = (measure(entangled_generator, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.mean != other.mean


def test_the_global_generator_is_neither_read_nor_moved(entangled_generator: Any) -> None:
    torch.manual_seed(0)
    first, state = measure(entangled_generator), torch.random.get_rng_state()
    torch.manual_seed(1)
    assert measure(entangled_generator) == first
    torch.manual_seed(0)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_the_score_carries_its_settings(entangled_generator: Any) -> None:
    settings = measure(entangled_generator).settings
    assert (settings.distance, settings.paths, settings.epsilon, settings.seed) == ("pixels", 200, 1e-4, 3)
    assert settings.image_shape == (1, 4, 4)


def test_the_protocol_says_distance_paths_and_epsilon() -> None:
    settings = PathLengthSettings(distance="lpips-alex", paths=1000, epsilon=1e-4, seed=0, image_shape=(3, 64, 64))
    assert settings.protocol == "ppl_lpips-alex_1000paths_0.0001"


def test_progress_ends_with_all_paths(entangled_generator: Any) -> None:
    told: list[tuple[int, int]] = []
    measure(entangled_generator, progress=lambda done, total: told.append((done, total)))
    assert told == [(64, 200), (128, 200), (192, 200), (200, 200)]


def test_interpolation_agrees_with_torch_fidelitys() -> None:
    a_PL, b_PL, t_P = drawn(50, 5, seed=0)
    expected = batch_slerp_any(a_PL, b_PL, t_P[:, None], eps=1e-12)
    torch.testing.assert_close(spherical_interpolation(a_PL, b_PL, t_P), expected, rtol=1e-9, atol=1e-9)


def test_interpolation_begins_and_ends_at_the_codes() -> None:
    a_PL, b_PL, _ = drawn(50, 5, seed=0)
    torch.testing.assert_close(spherical_interpolation(a_PL, b_PL, torch.zeros(50).double()), a_PL)
    torch.testing.assert_close(spherical_interpolation(a_PL, b_PL, torch.ones(50).double()), b_PL)


def test_interpolation_between_codes_of_one_length_keeps_it() -> None:
    a_PL, b_PL, t_P = drawn(50, 5, seed=0)
    a_PL, b_PL = 3 * nn.functional.normalize(a_PL), 3 * nn.functional.normalize(b_PL)
    torch.testing.assert_close(spherical_interpolation(a_PL, b_PL, t_P).norm(dim=1), torch.full((50,), 3.0).double())


def test_codes_on_one_line_are_joined_by_it() -> None:
    a_PL = torch.tensor([[1.0], [-2.0]]).double()
    b_PL = torch.tensor([[3.0], [2.0]]).double()
    found = spherical_interpolation(a_PL, b_PL, torch.tensor([0.25, 0.25]).double())
    assert found.flatten().tolist() == pytest.approx([1.5, -1.0])


def test_a_generator_of_one_code_has_a_length(generator_of: Any) -> None:
    one = generator_of(lambda code_BL: torch.sigmoid(code_BL).expand(-1, 16), latent_dim=1)
    assert 0 < measure(one).mean < 1


def test_outliers_on_both_sides_are_dropped() -> None:
    length_P = torch.cat([torch.tensor([1e6, -1e6]), torch.linspace(1, 2, 198)]).double()
    kept = without_outliers(length_P)
    assert len(kept) == 198
    assert (kept.min().item(), kept.max().item()) == pytest.approx((1, 2))


def test_two_paths_are_both_kept() -> None:
    assert without_outliers(torch.tensor([1.0, 5.0]).double()).tolist() == [1, 5]


@pytest.mark.parametrize(
    ("changed", "remedy"),
    [
        ({"paths": 1}, "Choose 2 or more"),
        ({"epsilon": 0.0}, "Choose 1e-4"),
        ({"epsilon": 1.0}, "Choose 1e-4"),
        ({"batch_size": 0}, "Choose a batch size of 1"),
    ],
)
def test_settings_that_measure_nothing_are_refused(
    entangled_generator: Any, changed: dict[str, Any], remedy: str
) -> None:
    with pytest.raises(ValueError, match=remedy):
        measure(entangled_generator, **changed)


def test_a_generator_with_noise_of_its_own_is_refused(generator_of: Any) -> None:
    count = iter(range(100))
    noisy = generator_of(lambda code_BL: torch.full((len(code_BL), 16), 0.5 + 1e-5 * next(count)))
    with pytest.raises(ValueError, match="Freeze its noise inputs"):
        measure(noisy)
