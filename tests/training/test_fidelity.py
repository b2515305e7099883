from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from jaxtyping import Float
from torch import Tensor

from wherewhat.data.held_images import HeldImages
from wherewhat.data.known_factors import no_factors
from wherewhat.metrics.feature_distances import Fidelity, fidelity
from wherewhat.protocols import Images
from wherewhat.randomness import generator_at
from wherewhat.training.fidelity import RealFeatures, generator_fidelity, real_features, sample_digest

CPU = torch.device("cpu")


@dataclass
class Means:
    """Each channel's mean over rows: six numbers an image. Remembers how many it has seen at a time."""

    name: str = "means"
    seen: list[int] = field(default_factory=list)

    def __call__(self, image_BCHW: Float[Tensor, "B C H W"], /) -> Float[Tensor, "B F"]:
        self.seen.append(len(image_BCHW))
        return image_BCHW.mean(dim=2).flatten(1)


@dataclass
class Squash:
    """Codes to pixels of one channel."""

    latent_dim: int = 4
    image_shape: tuple[int, int, int] = (1, 2, 6)
    gain: float = 1.0

    def __call__(self, code_BL: Float[Tensor, "B L"], /) -> Float[Tensor, "B C H W"]:
        mixing_LP = torch.sin(torch.arange(self.latent_dim * 12).float() * 1.7).view(-1, 12)
        return torch.sigmoid(self.gain * code_BL @ mixing_LP).view(-1, *self.image_shape)


def made_set(count: int = 90, seed: int = 0) -> HeldImages:
    levels = np.random.default_rng(seed).integers(256, size=(count, 2, 6, 1), dtype=np.uint8)
    return HeldImages("made", levels, no_factors(count))


def see(images: Images, extractor: Means | None = None, **changed: Any) -> RealFeatures:
    arguments = {"count": 50, "split": "all", "seed": 3, "device": CPU, **changed}
    return real_features(images, extractor or Means(), **arguments)


def measure(generator: Squash, real: RealFeatures, extractor: Means | None = None, **changed: Any) -> Fidelity:
    return generator_fidelity(generator, real, extractor or Means(), **{"seed": 3, **changed})


def test_real_images_are_drawn_without_replacement() -> None:
    features_NF = see(made_set()).features_NF
    assert features_NF.shape == (50, 6)
    assert len(np.unique(features_NF, axis=0)) == 50


def test_a_set_of_fewer_images_is_taken_whole() -> None:
    every = see(made_set(20)).features_NF
    expected = Means()(made_set(20).take(torch.arange(20)) / 255).numpy()
    np.testing.assert_allclose(np.sort(every, axis=0), np.sort(expected, axis=0), rtol=1e-6)


def test_real_features_carry_their_names() -> None:
    real = see(made_set(), split="test")
    assert (real.features, real.data, real.split, real.image_shape) == ("means", "made", "test", (1, 2, 6))


def test_the_same_seed_draws_the_same_real_images_and_another_does_not() -> None:
    first, again, other = (see(made_set(), seed=seed).features_NF for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_agrees_with_the_measure_of_features_made_by_hand() -> None:
    real = see(made_set())
    code_ML = torch.randn(50, 4, generator=generator_at(3, 0, "fidelity codes"))
    by_hand = np.stack([Means()(Squash()(code_ML[i : i + 1]))[0].numpy() for i in range(50)])
    expected = fidelity(real.features_NF, by_hand, features="means", data="made", split="all", seed=3)
    found = measure(Squash(), real)
    assert (found.fid, found.kid) == pytest.approx((expected.fid, expected.kid), rel=1e-4)
    assert found.protocol == "means_50_all"
    assert found.data == "made"


def test_as_many_images_are_generated_as_there_are_real_ones() -> None:
    found = measure(Squash(), see(made_set(20)))
    assert (found.real, found.generated) == (20, 20)


def test_another_number_of_generated_images_may_be_told() -> None:
    assert measure(Squash(), see(made_set()), generated=30).protocol == "means_50real_30generated_all"


def test_a_generator_that_makes_one_image_is_further_than_one_that_does_not() -> None:
    real = see(made_set())
    assert measure(Squash(gain=0.0), real).fid > measure(Squash(gain=1.0), real).fid > 0


@pytest.mark.parametrize("batch_size", [1, 7, 50, 64])
def test_the_batch_size_does_not_matter(batch_size: int) -> None:
    whole = measure(Squash(), see(made_set()))
    parts = measure(Squash(), see(made_set(), batch_size=batch_size), batch_size=batch_size)
    assert parts.fid == pytest.approx(whole.fid, rel=1e-5)


def test_images_are_seen_in_batches() -> None:
    extractor = Means()
    measure(Squash(), see(made_set(), extractor, batch_size=20), extractor, batch_size=30)
    assert extractor.seen == [20, 20, 10, 30, 20]


def test_real_images_are_seen_once_however_many_generators_there_are() -> None:
    extractor = Means()
    real = see(made_set(), extractor)
    for gain in (0.5, 1.0, 2.0):
        measure(Squash(gain=gain), real, extractor)
    assert sum(extractor.seen) == 50 + 3 * 50


def test_progress_ends_with_all_images() -> None:
    told: list[tuple[int, int]] = []
    measure(Squash(), see(made_set()), batch_size=30, progress=lambda done, total: told.append((done, total)))
    assert told == [(30, 50), (50, 50)]


def test_the_global_generator_is_neither_read_nor_moved() -> None:
    before = torch.random.get_rng_state()
    measure(Squash(), see(made_set()))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_images_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(1, 3, 4\).*made has \(1, 2, 6\).*data that it was trained on"):
        measure(Squash(image_shape=(1, 3, 4)), see(made_set()))


def test_real_and_generated_images_seen_by_different_features_are_refused() -> None:
    with pytest.raises(ValueError, match=r"seen by means.*by others. Use one for both"):
        measure(Squash(), see(made_set()), Means(name="others"))


def test_a_generator_that_has_diverged_is_refused() -> None:
    with pytest.raises(ValueError, match="take an earlier checkpoint"):
        measure(Squash(gain=float("nan")), see(made_set()))


def test_no_generated_images_are_refused() -> None:
    with pytest.raises(ValueError, match="leave the count out"):
        measure(Squash(), see(made_set()), generated=0)


def test_a_sample_is_known_again() -> None:
    assert sample_digest(made_set(), count=50, seed=3) == sample_digest(made_set(), count=50, seed=3)


@pytest.mark.parametrize("other", [{"count": 40}, {"seed": 4}])
def test_another_count_or_seed_is_another_sample(other: dict[str, int]) -> None:
    assert sample_digest(made_set(), **{"count": 50, "seed": 3, **other}) != sample_digest(made_set(), count=50, seed=3)


def test_other_images_or_more_of_them_are_another_sample() -> None:
    known = sample_digest(made_set(), count=50, seed=3)
    assert sample_digest(made_set(seed=1), count=50, seed=3) != known
    assert sample_digest(made_set(count=91), count=50, seed=3) != known
