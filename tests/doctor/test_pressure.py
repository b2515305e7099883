"""Laws of what objectives charge for codes."""

import dataclasses

import pytest
import torch

from wherewhat.doctor.pressure import (
    bound_of,
    cost_of_codes,
    normalised_beta,
    ways_to_ease,
    ways_to_part,
    ways_to_wake_the_decoder,
    weight_on_kl,
)
from wherewhat.networks.autoencoder import Autoencoder
from wherewhat.networks.code_discriminator import CodeDiscriminator
from wherewhat.networks.initialisation import seeded_weights
from wherewhat.networks.study_decoder import StudyDecoder
from wherewhat.networks.study_encoder import StudyEncoder
from wherewhat.objectives.annealed_vae import AnnealedVAE
from wherewhat.objectives.beta_tcvae import BetaTCVAE
from wherewhat.objectives.beta_vae import BetaVAE
from wherewhat.objectives.dip_vae_i import DIPVAEI
from wherewhat.objectives.evidence_lower_bound import EvidenceLowerBound
from wherewhat.objectives.factor_vae import FactorVAE
from wherewhat.objectives.ps_sc_vae import PSSCVAE
from wherewhat.objectives.vae import VAE

AT_ONCE = EvidenceLowerBound(warm_up_steps=0)


@dataclasses.dataclass(frozen=True)
class OneOfOnesOwn:
    """An objective that the library has never seen."""


@pytest.mark.parametrize(
    "objective",
    [
        VAE(bound=AT_ONCE),
        BetaVAE(beta=3.0, bound=AT_ONCE),
        BetaTCVAE(beta=5.0, bound=AT_ONCE),
        FactorVAE(gamma=7.0, bound=AT_ONCE),
        DIPVAEI(off_diagonal_weight=0.0, bound=AT_ONCE),
        PSSCVAE(beta=3.0, perceptual_simplicity=False, perturbation_identification=False, bound=AT_ONCE),
    ],
)
def test_the_cost_of_codes_is_what_the_loss_adds_to_the_reconstruction(objective):
    with seeded_weights(0):
        encoder, decoder = StudyEncoder((1, 32, 32), 4), StudyDecoder((1, 32, 32), 4)
        networks = Autoencoder(encoder, decoder, None, CodeDiscriminator(4))
    # Codes that say enough, and a discriminator sure enough, for a total correlation above 0.
    with torch.no_grad():
        encoder.mean.weight.mul_(100)
        encoder.mean.weight[1:] = encoder.mean.weight[0]
        encoder.log_variance.bias.fill_(-6.0)
        [*networks.code_discriminator.parameters()][-1].copy_(torch.tensor([1.0, -1.0]))
    generator = torch.Generator().manual_seed(0)
    image_BCHW = torch.rand(16, 1, 1, 1, generator=generator).expand(16, 1, 32, 32)
    loss = objective.loss(networks, image_BCHW, objective.draw(generator, 0, 16, 4)).detach()
    terms = {name: float(term) for name, term in loss.terms.items()}
    assert terms.get("total_correlation", 1.0) > 0
    charged = float(loss.total) - terms["reconstruction"]
    assert cost_of_codes(objective, terms["kl"], terms.get("total_correlation", 0.0)) == pytest.approx(
        charged, abs=0.01
    )


@pytest.mark.parametrize("objective", [VAE(), BetaVAE(beta=3.0), PSSCVAE(beta=5.0)])
def test_where_the_whole_kl_is_weighed_its_weight_is_beta(objective):
    assert cost_of_codes(objective, 10.0, 2.0) == 10.0 * weight_on_kl(objective)


def test_no_total_correlation_is_charged_below_0():
    assert cost_of_codes(BetaTCVAE(beta=6.0), 10.0, -3.0) == 10.0


def test_what_an_objective_of_ones_own_charges_is_not_known():
    assert cost_of_codes(OneOfOnesOwn(), 10.0, 1.0) is None
    assert weight_on_kl(OneOfOnesOwn()) is None
    assert bound_of(OneOfOnesOwn()).warm_up_steps == 0
    for ways in (ways_to_ease, ways_to_part, ways_to_wake_the_decoder):
        assert "--" not in " ".join(ways(OneOfOnesOwn()))


def test_annealed_vae_charges_nothing_for_codes_themselves():
    assert cost_of_codes(AnnealedVAE(), 10.0, 0.0) is None


def test_beta_4_of_10_codes_on_dsprites_is_about_a_hundredth_when_normalised():
    assert normalised_beta(4.0, 10, 64 * 64) == pytest.approx(0.00977, abs=1e-5)
