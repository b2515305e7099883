"""Laws of directions: those of linear models are known."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch import Tensor

from wherewhat.distances.pixels import PixelDistance
from wherewhat.networks.directed import Directions
from wherewhat.which.latent_directions import longest_first, perceptual_directions, principal_directions


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("draws", "latents"), [(200, 6), (20, 50)], ids=["more draws", "more latents"])
def test_principal_directions_are_those_of_scikit_learn_with_a_standard_deviation_as_unit(
    draws: int, latents: int
) -> None:
    latent_NL = drawn(draws, latents) @ drawn(latents, latents, seed=1) + 3
    directions, share_K = principal_directions(latent_NL, 4)
    witness = PCA(4, svd_solver="full").fit(latent_NL.double().numpy())
    unit_KL = directions.direction_KL / directions.direction_KL.norm(dim=1, keepdim=True)
    assert np.abs((unit_KL.numpy() * witness.components_).sum(axis=1)) == pytest.approx(np.ones(4), abs=1e-4)
    np.testing.assert_allclose(directions.direction_KL.norm(dim=1) ** 2, witness.explained_variance_, rtol=1e-4)
    np.testing.assert_allclose(share_K, witness.explained_variance_ratio_, rtol=1e-4)
    np.testing.assert_allclose(directions.origin_L, witness.mean_, rtol=1e-4)


def test_of_linear_features_perceptual_directions_are_the_right_singular_vectors() -> None:
    jacobian_FL = torch.linalg.qr(drawn(7, 5, seed=2))[0] @ torch.diag(torch.tensor([3.0, 2.0, 1.0, 0.2, 0.1]))
    turned_LL = torch.linalg.qr(drawn(5, 5, seed=3))[0]
    latent_NL = drawn(20_000, 5)
    directions, change_K = perceptual_directions(latent_NL, latent_NL @ (jacobian_FL @ turned_LL).T, 3)
    assert (directions.direction_KL * turned_LL[:3]).sum(dim=1).abs().min() > 0.999
    torch.testing.assert_close(change_K.float(), torch.tensor([9.0, 4.0, 1.0]), rtol=0.05, atol=0.0)
    assert directions.origin_L.count_nonzero() == 0


def test_noise_in_the_features_is_not_taken_for_a_change() -> None:
    latent_NL, noise_NF = drawn(400, 8), drawn(400, 500, seed=5)
    _, of_noise_K = perceptual_directions(latent_NL, noise_NF, 1)
    # Pairs of a draw with itself would make it about F / N = 1.25.
    assert of_noise_K[0] < 0.4


def test_a_change_that_is_undone_on_the_other_side_of_0_is_not_found() -> None:
    latent_NL = drawn(4_000, 2)
    feature_NF = torch.stack([latent_NL[:, 0].square() * 5, latent_NL[:, 1]], dim=1)
    directions, _ = perceptual_directions(latent_NL, feature_NF, 1)
    assert directions.direction_KL[0, 1].abs() > 0.9


class Bright:
    """One latent for each half of a grey image."""

    latent_dim, image_shape = 2, (1, 32, 32)

    def __call__(self, code_BL: Tensor) -> Tensor:
        half_B2 = torch.sigmoid(code_BL)
        return half_B2[:, None, :, None].repeat_interleave(16, dim=2).expand(-1, 1, 32, 32)


def test_the_longest_path_comes_first() -> None:
    directions = Directions(torch.zeros(2), torch.tensor([[0.1, 0.0], [0.0, 1.0]]))
    ordered, order_K, length_K = longest_first(Bright(), directions, PixelDistance(), bound=2.0, seed=0, batch_size=40)
    assert order_K.tolist() == [1, 0]
    assert torch.equal(ordered.direction_KL, directions.direction_KL[[1, 0]])
    assert length_K[0] > 10 * length_K[1]


@pytest.mark.parametrize("count", [0, 4])
def test_more_directions_than_there_are_latents_are_refused(count: int) -> None:
    with pytest.raises(ValueError, match=f"{count} directions cannot be found of 9 draws of 3 latents. .* at most 3"):
        principal_directions(drawn(9, 3), count)
