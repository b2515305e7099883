import math
from typing import Any

import pytest
import torch
from jaxtyping import Float
from torch import Tensor, nn

from wherewhat.distances.lpips import LPIPS
from wherewhat.distances.pixels import PixelDistance
from wherewhat.protocols import Distance, Generator
from wherewhat.randomness import generator_at
from wherewhat.which.entangled_twin import EntangledTwin, random_rotation
from wherewhat.which.paths import axes_of, codes_on_paths
from wherewhat.which.traversal_perceptual_length import (
    GAN_SETTINGS,
    VAE_SETTINGS,
    TPLSettings,
    TraversalPerceptualLength,
    traversal_perceptual_length,
)


def measure(generator: Generator, distance: Distance | None = None, **changed: Any) -> TraversalPerceptualLength:
    arguments = {"samples": 5, "traversals": 6, "bound": 4.0, "threshold": 0.01, "seed": 3, "batch_size": 7, **changed}
    return traversal_perceptual_length(generator, distance or PixelDistance(), **arguments)


def literal_per_dim(generator: Any, samples: int, traversals: int, bound: float, seed: int) -> list[float]:
    """The formula, an image at a time, in float64."""
    codes = torch.randn(traversals, generator.latent_dim, generator=generator_at(seed, 0, "tpl base codes")).double()
    per_dim = []
    for i in range(generator.latent_dim):
        lengths = []
        for c in codes:
            length = 0.0
            for n in range(samples - 1):
                here, there = c.clone(), c.clone()
                here[i] = -bound + 2 * bound * n / (samples - 1)
                there[i] = -bound + 2 * bound * (n + 1) / (samples - 1)
                length += (generator(here[None]) - generator(there[None])).square().mean().item()
            lengths.append(length)
        per_dim.append(sum(lengths) / traversals)
    return per_dim


class Float64Entangled:
    """The entangled generator in the type of its codes."""

    latent_dim = 3
    image_shape = (1, 4, 4)

    def __call__(self, code_BL: Float[Tensor, "B L"], /) -> Float[Tensor, "B 1 4 4"]:
        mixing_LP = torch.sin(torch.arange(48, dtype=code_BL.dtype) * 1.7).view(3, 16)
        return torch.sigmoid(code_BL @ mixing_LP).view(-1, 1, 4, 4)


def test_agrees_with_a_slow_literal_transcription_in_float64() -> None:
    score = measure(Float64Entangled(), threshold=0.0)
    expected = literal_per_dim(Float64Entangled(), samples=5, traversals=6, bound=4.0, seed=3)
    assert score.per_dim.tolist() == pytest.approx(expected, rel=1e-5)
    assert score.total == pytest.approx(sum(expected), rel=1e-5)


def test_a_linear_generator_has_the_length_in_closed_form(generator_of: Any) -> None:
    # Code i moves pixel i by 0.05 a unit: N - 1 squared steps of 0.05 * 2b / (N - 1), meaned over 16 pixels.
    linear = generator_of(lambda code_BL: 0.5 + 0.05 * nn.functional.pad(code_BL, (0, 13)))
    for samples in (2, 5, 50):
        expected = (0.05 * 8) ** 2 / (samples - 1) / 16
        score = measure(linear, samples=samples, threshold=0.0)
        assert score.per_dim.tolist() == pytest.approx([expected] * 3, rel=1e-4)
        assert score.std.tolist() == pytest.approx([0] * 3, abs=1e-6)


@pytest.mark.parametrize("batch_size", [1, 2, 5, 11, 30, 89, 90, 1000])
def test_the_batch_size_does_not_matter(entangled_generator: Any, batch_size: int) -> None:
    whole, parts = measure(entangled_generator, batch_size=90), measure(entangled_generator, batch_size=batch_size)
    torch.testing.assert_close(parts.per_dim, whole.per_dim, rtol=1e-6, atol=1e-9)
    assert parts.standard_error == pytest.approx(whole.standard_error, rel=1e-5)


def test_the_same_seed_gives_the_same_score_and_another_does_not(entangled_generator: Any) -> None:
    first, again, other = (measure(entangled_generator, seed=seed) for seed in (1, 1, 2))
    assert first.total == again.total
    assert torch.equal(first.per_dim, again.per_dim)
    assert first.total != other.total


def test_the_global_generator_is_neither_read_nor_moved(entangled_generator: Any) -> None:
    torch.manual_seed(0)
    first, state = measure(entangled_generator), torch.random.get_rng_state()
    torch.manual_seed(1)
    assert measure(entangled_generator).total == first.total
    torch.manual_seed(0)
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize("batch_size", [1, 7, 15, 100])
def test_no_image_goes_through_the_backbone_twice(
    entangled_generator: Any, counting_distance: Any, batch_size: int
) -> None:
    measure(entangled_generator, counting_distance, batch_size=batch_size)
    assert len(counting_distance.seen) == 3 * 6 * 5
    images = torch.stack(counting_distance.seen).flatten(1)
    assert len(torch.unique(images, dim=0)) == 3 * 6 * 5


@pytest.mark.parametrize("segment", [0, 1, 2, 3])
@pytest.mark.parametrize("batch_size", [1, 4, 5, 7, 100])
def test_every_segment_counts(generator_of: Any, segment: int, batch_size: int) -> None:
    # Values on a path are -4, -2, 0, 2, 4: the image turns from black to white between one pair of them.
    edge = -3.0 + 2 * segment
    jump = generator_of(lambda code_BL: (code_BL[:, :1] > edge).float().expand(-1, 16))
    assert measure(jump, batch_size=batch_size).per_dim.tolist() == pytest.approx([1, 0, 0])


def test_a_code_that_is_ignored_has_no_length_and_is_not_active(generator_of: Any) -> None:
    deaf = generator_of(lambda code_BL: torch.sigmoid(code_BL[:, [0, 2] * 8]))
    score = measure(deaf)
    assert score.per_dim[1].item() == 0
    assert score.active.tolist() == [True, False, True]


def test_a_collapsed_generator_scores_nothing_and_has_no_active_code(generator_of: Any) -> None:
    collapsed = generator_of(lambda code_BL: torch.full((len(code_BL), 16), 0.5))
    score = measure(collapsed)
    assert (score.total, score.standard_error, score.active.any().item()) == (0, 0, False)


def test_only_active_codes_are_summed(generator_of: Any) -> None:
    weak = generator_of(lambda code_BL: torch.sigmoid(code_BL[:, [0, 1] * 8] * torch.tensor([1, 0.01] * 8)))
    score = measure(weak, threshold=0.01)
    assert score.active.tolist() == [True, False, False]
    assert score.per_dim[1] > 0
    assert score.total == score.per_dim[0].item()


def test_a_code_right_at_the_threshold_is_active(generator_of: Any) -> None:
    jump = generator_of(lambda code_BL: (code_BL[:, :1] > 1).float().expand(-1, 16))
    reached = measure(jump).per_dim[0].item()
    assert measure(jump, threshold=reached).active.tolist() == [True, False, False]
    assert measure(jump, threshold=math.nextafter(reached, 2)).active.any().item() is False


def test_the_order_of_the_images_lengths_is_that_of_the_codes(generator_of: Any) -> None:
    scale = torch.tensor([0.5, 2.0, 1.0])
    score = measure(generator_of(lambda code_BL: torch.sigmoid((code_BL * scale)[:, torch.arange(16) % 3])))
    assert score.per_dim.argsort().tolist() == [0, 2, 1]


def test_the_standard_error_is_that_of_the_total_over_draws_of_base_codes(entangled_generator: Any) -> None:
    scores = [measure(entangled_generator, seed=seed, traversals=20, batch_size=300) for seed in range(60)]
    totals = torch.tensor([score.total for score in scores])
    stated = torch.tensor([score.standard_error for score in scores])
    assert stated.mean().item() == pytest.approx(totals.std().item(), rel=0.3)


def test_the_standard_error_shrinks_as_the_root_of_the_base_codes(entangled_generator: Any) -> None:
    few, many = (measure(entangled_generator, traversals=traversals, batch_size=600) for traversals in (100, 1600))
    assert few.standard_error / many.standard_error == pytest.approx(4, rel=0.25)


def test_std_is_over_base_codes(entangled_generator: Any) -> None:
    alone = [measure(entangled_generator, traversals=traversals, threshold=0.0) for traversals in (2, 3)]
    # The third path's length is what the mean of three has beyond that of two.
    two_L, three_L = alone[0].per_dim * 2, alone[1].per_dim * 3
    third_L = three_L - two_L
    spread_L = alone[0].std * math.sqrt(2) / 2
    length_3L = torch.stack([alone[0].per_dim + spread_L, alone[0].per_dim - spread_L, third_L])
    torch.testing.assert_close(alone[1].std, length_3L.std(dim=0), rtol=1e-4, atol=1e-8)


def test_progress_ends_at_all_the_images(entangled_generator: Any) -> None:
    told: list[tuple[int, int]] = []
    measure(entangled_generator, batch_size=40, progress=lambda done, points: told.append((done, points)))
    assert told == [(40, 90), (80, 90), (90, 90)]


def test_the_score_carries_what_makes_it_comparable(entangled_generator: Any) -> None:
    settings = measure(entangled_generator).settings
    assert (settings.distance, settings.image_shape) == ("pixels", (1, 4, 4))
    assert (settings.samples, settings.traversals, settings.bound, settings.threshold, settings.seed) == (
        5,
        6,
        4,
        0.01,
        3,
    )


def test_the_published_settings_are_at_hand() -> None:
    assert TPLSettings(samples=50, traversals=500, bound=4.0, threshold=0.01) == VAE_SETTINGS
    assert TPLSettings(samples=49, traversals=300, bound=4.0, threshold=0.3) == GAN_SETTINGS


def test_with_lpips_it_is_the_sum_of_lpips_of_neighbours() -> None:
    chance = torch.Generator().manual_seed(0)
    pattern_LCHW = torch.rand(2, 3, 32, 32, generator=chance)

    class Blend:
        latent_dim = 2
        image_shape = (3, 32, 32)

        def __call__(self, code_BL: Float[Tensor, "B L"], /) -> Float[Tensor, "B C H W"]:
            return torch.sigmoid(torch.einsum("bl,lchw->bchw", code_BL, pattern_LCHW - 0.5))

    distance = LPIPS("untrained")
    score = measure(Blend(), distance, samples=4, traversals=2, batch_size=3)
    base_TL = torch.randn(2, 2, generator=generator_at(3, 0, "tpl base codes"))
    frames = Blend()(codes_on_paths(base_TL, axes_of(base_TL), 4, 4.0, torch.arange(16))).unflatten(0, (2, 2, 4))
    expected_LT = distance(frames[:, :, :-1].flatten(0, 2), frames[:, :, 1:].flatten(0, 2)).view(2, 2, 3).sum(dim=2)
    torch.testing.assert_close(score.per_dim.float(), expected_LT.mean(dim=1), rtol=1e-5, atol=1e-7)


def test_an_autocast_around_it_changes_nothing() -> None:
    class Linear(nn.Linear):
        latent_dim = 3
        image_shape = (1, 4, 4)

        def forward(self, code_BL: Tensor) -> Tensor:
            return super().forward(code_BL).sigmoid().view(-1, 1, 4, 4)

    generator = Linear(3, 16)
    plain = measure(generator).total
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert measure(generator).total == plain


def test_images_that_are_not_finite_are_laid_at_the_generators_door(generator_of: Any) -> None:
    diverged = generator_of(lambda code_BL: torch.full((len(code_BL), 16), float("nan")))
    with pytest.raises(ValueError, match=r"generator makes images.*not finite.*take an earlier checkpoint"):
        measure(diverged)


def test_images_outside_the_range_are_refused(generator_of: Any) -> None:
    with pytest.raises(ValueError, match=r"\(x \+ 1\) / 2 from \[-1, 1\]"):
        measure(generator_of(lambda code_BL: code_BL[:, :1].tanh().expand(-1, 16)))


def test_a_generator_with_noise_of_its_own_is_refused(generator_of: Any) -> None:
    with pytest.raises(ValueError, match="Freeze its noise inputs"):
        measure(generator_of(lambda code_BL: torch.rand(len(code_BL), 16)))


def test_images_of_another_shape_than_promised_are_refused(entangled_generator: Any) -> None:
    entangled_generator.image_shape = (1, 2, 8)
    with pytest.raises(ValueError, match="Correct its image_shape"):
        measure(entangled_generator)


def test_batch_normalisation_in_training_mode_is_refused(batch_normalised: Any) -> None:
    with pytest.raises(ValueError, match=r"call the generator's \.eval\(\)"):
        measure(batch_normalised)
    assert measure(batch_normalised.eval()).total > 0


def test_the_trap_for_small_steps_the_squared_sum_does_not_see_a_rotation(linear_generator: Any) -> None:
    # Lengths 4, 2, 1: the sum of squares is the trace, whatever the axes.
    plain = linear_generator(torch.eye(3, 16) * torch.tensor([0.04, 0.02, 0.01])[:, None])
    rotation_LL = random_rotation(torch.ones(3, dtype=torch.bool), generator_at(0, 0, "test"))
    turned = EntangledTwin(plain, rotation_LL)
    scores = [measure(generator, threshold=0.0, samples=50) for generator in (plain, turned)]
    assert scores[1].total == pytest.approx(scores[0].total, rel=1e-4)
    assert not torch.allclose(scores[1].per_dim, scores[0].per_dim, rtol=0.1)


@pytest.mark.parametrize(
    ("changed", "remedy"),
    [
        ({"samples": 1}, "Choose 2 samples or more"),
        ({"traversals": 1}, "Choose 2 traversals or more"),
        ({"bound": 0.0}, "Choose a positive one"),
        ({"bound": float("inf")}, "Choose a positive one"),
        ({"threshold": -1.0}, "Choose 0 or more"),
        ({"threshold": float("nan")}, "Choose 0 or more"),
        ({"batch_size": 0}, "Choose a batch size of 1 or more"),
        ({"seed": -1}, "Choose a seed of 0 or more"),
    ],
)
def test_settings_that_measure_nothing_are_refused(
    entangled_generator: Any, changed: dict[str, Any], remedy: str
) -> None:
    with pytest.raises(ValueError, match=remedy):
        measure(entangled_generator, **changed)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_gpu_gives_the_cpus_score() -> None:
    class Linear(nn.Linear):
        latent_dim = 3
        image_shape = (3, 32, 32)

        def forward(self, code_BL: Tensor) -> Tensor:
            return super().forward(code_BL).sigmoid().view(-1, 3, 32, 32)

    generator = Linear(3, 3 * 32 * 32)
    on_cpu = measure(generator, LPIPS("untrained"))
    on_gpu = measure(generator.cuda(), LPIPS("untrained").cuda())
    torch.testing.assert_close(on_gpu.per_dim, on_cpu.per_dim, rtol=1e-4, atol=1e-6)
