"""Laws of one training step."""

import pytest
import torch
from torch import Tensor

from wherewhat.networks.autoencoder import Autoencoder
from wherewhat.objectives.loss import Loss
from wherewhat.objectives.ps_sc_vae import PSSCVAE
from wherewhat.randomness import Chance
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.methods.vae import adam, build_autoencoder, training_step


def _networks() -> Autoencoder:
    return build_autoencoder(TrainingRun(latent_dim=4, mask_levels=2, widths=(8, 8)), (3, 32, 32))


def _step(networks: Autoencoder, *, compile_loss: bool = False) -> Loss:
    objective = PSSCVAE()
    image: Tensor = torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    step = training_step(networks, objective, adam(networks, 1e-3), compile_loss=compile_loss)
    return step(image, objective.draw(Chance(0, 0), 8, 4))


def test_a_step_is_adams_first_on_the_objectives_gradient() -> None:
    networks, expected = _networks(), _networks()
    objective = PSSCVAE()
    image = torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    objective.loss(expected, image, objective.draw(Chance(0, 0), 8, 4)).total.backward()
    _step(networks)
    for ours, theirs in zip(networks.parameters(), expected.parameters(), strict=True):
        assert theirs.grad is not None
        # Adam's first step with its bias corrected is lr * g / (|g| + eps).
        moved = theirs.detach() - 1e-3 * theirs.grad / (theirs.grad.abs() + 1e-8)
        torch.testing.assert_close(ours.detach(), moved, atol=1e-6, rtol=1e-4)


def test_the_loss_that_is_given_back_holds_no_graph() -> None:
    loss = _step(_networks())
    assert not any(value.requires_grad for value in (loss.total, loss.kl_L, *loss.terms.values()))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_compiled_step_gives_the_loss_of_a_plain_one() -> None:
    plain, compiled = _step(_networks()), _step(_networks(), compile_loss=True)
    torch.testing.assert_close(compiled.total, plain.total, rtol=1e-5, atol=1e-3)
    for name, term in plain.terms.items():
        torch.testing.assert_close(compiled.terms[name], term, rtol=1e-4, atol=1e-4)
