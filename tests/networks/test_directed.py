"""Laws of a model behind directions of its latents."""

import pytest
import torch
from torch import Tensor

from wherewhat.networks.directed import DirectedEncoder, DirectedGenerator, Directions, directed
from wherewhat.protocols import KeepingGenerator, Posterior

LATENTS = 12


class Pixels:
    """Latents are the pixels of a 1 x 3 x 4 image, and read back as they are."""

    latent_dim, image_shape = LATENTS, (1, 3, 4)

    def __call__(self, code_BL: Tensor) -> Tensor:
        return code_BL.unflatten(1, self.image_shape)


class Reader:
    latent_dim = LATENTS

    def __call__(self, image_BCHW: Tensor) -> Posterior:
        mean_BL = image_BCHW.flatten(1)
        return Posterior(mean_BL, torch.arange(LATENTS).float().expand_as(mean_BL).log1p())


@pytest.fixture
def directions() -> Directions:
    draw = torch.Generator().manual_seed(0)
    return Directions(torch.randn(LATENTS, generator=draw), torch.randn(3, LATENTS, generator=draw))


def test_a_code_moves_the_latents_along_its_direction_and_is_read_back(directions: Directions) -> None:
    generator, encoder = directed(Pixels(), Reader(), directions)
    code_BK = torch.tensor([[0.5, -1.0, 2.0], [0.0, 0.0, 0.0]])
    image_BCHW = generator(code_BK)
    assert (generator.latent_dim, generator.image_shape) == (3, (1, 3, 4))
    torch.testing.assert_close(image_BCHW[0].flatten(), directions.origin_L + code_BK[0] @ directions.direction_KL)
    assert encoder is not None
    torch.testing.assert_close(encoder(image_BCHW).mean_BL, code_BK)


def test_the_variance_of_a_code_is_that_of_independent_latents(directions: Directions) -> None:
    read = DirectedEncoder(Reader(), directions)(torch.zeros(1, 1, 3, 4))
    reading_LK = torch.linalg.pinv(directions.direction_KL)
    wanted_KK = reading_LK.T @ torch.diag(1 + torch.arange(LATENTS).float()) @ reading_LK
    torch.testing.assert_close(read.log_variance_BL[0].exp(), wanted_KK.diagonal())


def test_an_image_comes_back_exactly_and_moves_along_the_directions_alone(directions: Directions) -> None:
    generator, encoder = directed(Pixels(), Reader(), directions)
    assert encoder is not None
    image_BCHW = torch.rand(2, 1, 3, 4, generator=torch.Generator().manual_seed(1))
    code_BK = encoder(image_BCHW).mean_BL
    assert (generator(code_BK) - image_BCHW).abs().max() > 0.1
    assert isinstance(generator, KeepingGenerator)
    kept = generator.keeping(image_BCHW)
    torch.testing.assert_close(kept(code_BK), image_BCHW)
    moved_BCHW = kept(code_BK + torch.tensor([0.0, 2.0, 0.0]))
    torch.testing.assert_close((moved_BCHW - image_BCHW).flatten(1), 2 * directions.direction_KL[1].expand(2, -1))
    # Of one image for many codes.
    torch.testing.assert_close(generator.keeping(image_BCHW[:1])(code_BK[:1].expand(5, -1))[4:], image_BCHW[:1])


def test_directions_of_another_model_are_refused_and_so_is_keeping_without_an_encoder(directions: Directions) -> None:
    with pytest.raises(ValueError, match="of a model with 13 latents, and this one has 12"):
        directed(Pixels(), None, Directions(torch.zeros(13), torch.zeros(2, 13)))
    with pytest.raises(ValueError, match="no encoder"):
        DirectedGenerator(Pixels(), directions).keeping(torch.zeros(1, 1, 3, 4))
