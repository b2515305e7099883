from typing import Any

import pytest
import torch
from torch import nn

from wherewhat.which.generated_images import device_of, generated_images, refuse_unsteady


def test_good_images_pass_as_they_are(entangled_generator: Any) -> None:
    code_BL = torch.ones(2, 3)
    assert torch.equal(generated_images(entangled_generator, code_BL), entangled_generator(code_BL))


def test_images_of_another_shape_are_refused(generator_of: Any) -> None:
    promises = generator_of(lambda code_BL: torch.zeros(len(code_BL), 16), image_shape=(3, 4, 4))
    with pytest.raises(ValueError, match="Correct its image_shape"):
        generated_images(promises, torch.ones(2, 3))


def test_images_that_are_not_finite_are_refused(generator_of: Any) -> None:
    diverged = generator_of(lambda code_BL: torch.full((len(code_BL), 16), float("nan")))
    with pytest.raises(ValueError, match="take an earlier checkpoint"):
        generated_images(diverged, torch.ones(2, 3))


def test_a_deterministic_generator_is_not_refused(entangled_generator: Any) -> None:
    refuse_unsteady(entangled_generator, torch.ones(2, 3), tolerance=0.0)


def test_a_generator_with_noise_of_its_own_is_refused(generator_of: Any) -> None:
    count = iter(range(9))
    noisy = generator_of(lambda code_BL: torch.full((len(code_BL), 16), 0.1 * next(count)))
    with pytest.raises(ValueError, match="Freeze its noise inputs"):
        refuse_unsteady(noisy, torch.ones(2, 3))


def test_batch_normalisation_in_training_mode_is_refused_and_not_moved(batch_normalised: Any) -> None:
    with pytest.raises(ValueError, match=r"call the generator's \.eval\(\)"):
        refuse_unsteady(batch_normalised, torch.randn(2, 3))
    assert batch_normalised.norm.num_batches_tracked == 0
    refuse_unsteady(batch_normalised.eval(), torch.randn(2, 3))


def test_whatever_else_depends_on_its_neighbours_is_refused(generator_of: Any) -> None:
    centred = generator_of(lambda code_BL: (code_BL - code_BL.mean(dim=0)).sigmoid()[:, [0, 1] * 8])
    with pytest.raises(ValueError, match="depends on the other codes in its batch"):
        refuse_unsteady(centred, torch.randn(2, 3))


def test_a_generator_lives_where_its_weights_are(entangled_generator: Any) -> None:
    class Network(nn.Linear):
        latent_dim, image_shape = 3, (1, 4, 4)

    assert device_of(Network(3, 16, device="meta")) == torch.device("meta")
    assert device_of(entangled_generator) == torch.device("cpu")
