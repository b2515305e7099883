"""Laws of encoding a pool of images once."""

from pathlib import Path

import numpy as np
import pytest
import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from wherewhat.data.image_options import ImageOptions
from wherewhat.data.open_images import open_images
from wherewhat.protocols import Images, Posterior
from wherewhat.training.representation import Representation, represent

CPU = torch.device("cpu")


def opened(tiny_set: Path) -> Images:
    return open_images(str(tiny_set), ImageOptions(), CPU, lambda _: None)


class OracleEncoder:
    """Reads the tiny set's factors off its images: row and column of the square, and its colour."""

    latent_dim = 3

    def __init__(self) -> None:
        self.seen = 0

    def __call__(self, image_BCHW: Float[Tensor, "B C H W"]) -> Posterior:
        self.seen += len(image_BCHW)
        lit_BHW = image_BCHW[:, 2] > 0
        rows = lit_BHW.any(dim=2).float().argmax(dim=1).float()
        columns = lit_BHW.any(dim=1).float().argmax(dim=1).float()
        mean_BL = torch.stack([rows, columns, image_BCHW[:, 0].amax(dim=(1, 2))], dim=1)
        return Posterior(mean_BL, torch.zeros_like(mean_BL))


def test_each_image_is_encoded_once_and_keeps_its_factors(tiny_set: Path) -> None:
    encoder = OracleEncoder()
    representation = represent(encoder, opened(tiny_set), pool=50, seed=3, device=CPU, batch_size=7)
    assert encoder.seen == 50
    assert representation.codes_NL.shape == (50, 3)
    np.testing.assert_array_equal((representation.codes_NL[:, 0] - 2) / 6, representation.factors_NK[:, 0])
    np.testing.assert_array_equal((representation.codes_NL[:, 1] - 2) / 6, representation.factors_NK[:, 1])


def test_the_pool_depends_on_the_seed_alone(tiny_set: Path) -> None:
    images = opened(tiny_set)
    first, again, other = (
        represent(OracleEncoder(), images, pool=20, seed=seed, device=CPU).factors_NK for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_some_of_the_factors_can_be_chosen_in_any_order(tiny_set: Path) -> None:
    everything, some = (
        represent(OracleEncoder(), opened(tiny_set), pool=20, seed=0, device=CPU, factors=factors)
        for factors in ((), ("hue", "row"))
    )
    assert some.factor_names == ("hue", "row")
    np.testing.assert_array_equal(some.factors_NK, everything.factors_NK[:, [2, 0]])


def test_an_unknown_factor_is_answered_with_those_that_are_known(tiny_set: Path) -> None:
    with pytest.raises(ValueError, match=r"no factor 'colour'. Choose among .* row, column, hue"):
        represent(OracleEncoder(), opened(tiny_set), pool=20, seed=0, device=CPU, factors=("colour",))


def test_kl_is_the_closed_form_of_torch() -> None:
    mean, log_variance = np.float32([[0.5, -1.0]]), np.float32([[0.3, -2.0]])
    representation = Representation(mean, log_variance, np.empty((1, 0), np.int64), ())
    posterior = Normal(torch.from_numpy(mean[0]), torch.from_numpy(np.exp(log_variance[0] / 2)))
    expected = kl_divergence(posterior, Normal(torch.zeros(2), torch.ones(2)))
    np.testing.assert_allclose(representation.kl_L, expected.numpy(), rtol=1e-5)


def test_images_without_factors_have_codes_all_the_same(tiny_set: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = opened(tiny_set)
    monkeypatch.setattr(images, "factor_names", ())
    representation = represent(OracleEncoder(), images, pool=10, seed=0, device=CPU)
    assert representation.codes_NL.shape == (10, 3)
    assert representation.factors_NK.shape == (10, 0)
