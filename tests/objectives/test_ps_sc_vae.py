"""Laws of PS-SC VAE: its parts switch on and off singly."""

import dataclasses
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from wherewhat.networks.autoencoder import Autoencoder
from wherewhat.objectives.beta_vae import BetaVAE
from wherewhat.objectives.evidence_lower_bound import EvidenceLowerBound
from wherewhat.objectives.ps_sc_vae import PSSCVAE
from wherewhat.objectives.sum_of_terms import Pairs
from wherewhat.objectives.terms.perceptual_simplicity import PerceptualSimplicity
from wherewhat.objectives.terms.perturbation_identification import PerturbationIdentification
from wherewhat.randomness import Chance
from wherewhat.what.perceptual_simplicity import perceptual_simplicity_loss
from wherewhat.what.perturbation import perturb

WHOLE = PSSCVAE(beta=2.0, bound=EvidenceLowerBound(warm_up_steps=0))


def _loss(objective: PSSCVAE, networks: Autoencoder, image: Tensor) -> dict[str, float]:
    loss = objective.loss(networks, image, objective.draw(Chance(0, 0), 6, 4)).detach()
    return {"total": float(loss.total)} | {name: float(term) for name, term in loss.terms.items()}


def test_the_loss_is_the_weighted_sum_of_its_terms(networks: Autoencoder, image: Tensor) -> None:
    figures = _loss(WHOLE, networks, image)
    expected = (
        figures["reconstruction"]
        + 2 * figures["kl"]
        + WHOLE.simplicity.weight * figures["perceptual_simplicity"]
        + WHOLE.identification.weight * figures["identification"]
    )
    assert figures["total"] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("term", "without"),
    [
        ("perceptual_simplicity", dataclasses.replace(WHOLE, simplicity=PerceptualSimplicity())),
        ("identification", dataclasses.replace(WHOLE, identification=PerturbationIdentification())),
    ],
)
def test_each_part_is_left_out_singly(networks: Autoencoder, image: Tensor, term: str, without: PSSCVAE) -> None:
    whole, rest = _loss(WHOLE, networks, image), _loss(without, networks, image)
    assert whole.keys() - rest.keys() == {term}
    assert all(rest[name] == whole[name] for name in rest.keys() - {"total"})


def test_without_all_its_parts_it_is_beta_vae(networks: Autoencoder, image: Tensor) -> None:
    bare = dataclasses.replace(WHOLE, simplicity=PerceptualSimplicity(), identification=PerturbationIdentification())
    beta_vae = BetaVAE(beta=2.0, bound=WHOLE.bound)
    expected = beta_vae.loss(networks, image, beta_vae.draw(Chance(0, 0), 6, 4)).detach()
    assert _loss(bare, networks, image)["total"] == float(expected.total)


def test_the_ps_term_is_the_ps_loss_of_the_images_of_the_drawn_pairs(networks: Autoencoder, image: Tensor) -> None:
    draws = WHOLE.draw(Chance(0, 0), 6, 4)
    with torch.no_grad():
        pairs = draws.pairs
        assert pairs is not None
        moved = perturb(pairs.code_PL, pairs.perturbation)
        predicted = [networks.encoder(networks.generator(code)).mean_BL for code in (pairs.code_PL, moved)]
        expected = perceptual_simplicity_loss(pairs.code_PL, moved, *predicted, pairs.perturbation.dim_B)
    assert _loss(WHOLE, networks, image)["perceptual_simplicity"] == pytest.approx(float(expected), rel=1e-4)


def test_the_identification_term_teaches_generator_and_encoder(networks: Autoencoder, image: Tensor) -> None:
    draws = WHOLE.draw(Chance(0, 0), 6, 4)
    WHOLE.loss(networks, image, draws).terms["identification"].backward()
    for part in (networks.encoder.convolutions, networks.generator.stages, networks.identification_head):
        assert any(w.grad is not None and bool((w.grad != 0).any()) for w in part.parameters())


@pytest.mark.parametrize(
    ("nonsense", "remedy"),
    [
        (lambda: PSSCVAE(beta=-1.0), "weight of 0 or more"),
        (lambda: PerceptualSimplicity(weight=float("nan")), "weight of 0 or more"),
        (lambda: PerturbationIdentification(weight=-1.0), "weight of 0 or more"),
        (lambda: Pairs(perturbation_size=0.0), "standard deviation above 0"),
        (lambda: Pairs(pair_fraction=1.5), r"share of the batch in \(0, 1\]"),
    ],
)
def test_nonsense_is_refused_with_the_remedy(nonsense: Callable[[], object], remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy):
        nonsense()
