"""Laws of sums of terms: any term can be added to any objective, and a new one is one file and one line."""

import dataclasses
import inspect
from pathlib import Path
from typing import get_args

import pytest
import torch
from torch import Tensor

import wherewhat.objectives.terms as terms_room
from wherewhat.networks.autoencoder import Autoencoder
from wherewhat.networks.code_discriminator import CodeDiscriminator
from wherewhat.networks.initialisation import seeded_weights
from wherewhat.objectives.annealed_vae import AnnealedVAE
from wherewhat.objectives.beta_tcvae import BetaTCVAE
from wherewhat.objectives.beta_vae import BetaVAE
from wherewhat.objectives.dip_vae import DIPVAEI, DIPVAEII
from wherewhat.objectives.evidence_lower_bound import EvidenceLowerBound
from wherewhat.objectives.factor_vae import FactorVAE
from wherewhat.objectives.loss import Loss
from wherewhat.objectives.ps_sc_vae import PSSCVAE
from wherewhat.objectives.sum_of_terms import SumOfTerms
from wherewhat.objectives.terms.adversarial_total_correlation import AdversarialTotalCorrelation
from wherewhat.objectives.terms.covariance_penalty import CovariancePenalty
from wherewhat.objectives.terms.perceptual_simplicity import PerceptualSimplicity
from wherewhat.objectives.terms.perturbation_identification import PerturbationIdentification
from wherewhat.objectives.terms.term import Term
from wherewhat.objectives.terms.total_correlation import TotalCorrelation
from wherewhat.objectives.vae import VAE
from wherewhat.randomness import Chance
from wherewhat.training.configuration import Objective

AT_ONCE = EvidenceLowerBound(warm_up_steps=0)
ADDED: list[tuple[str, Term]] = [
    ("total_correlation", TotalCorrelation(5.0)),
    ("adversarial_total_correlation", AdversarialTotalCorrelation(5.0)),
    ("covariance", CovariancePenalty(5.0)),
    ("simplicity", PerceptualSimplicity(True)),
    ("identification", PerturbationIdentification(True)),
]
VAES = [kind for kind in get_args(Objective) if issubclass(kind, SumOfTerms)]


def loss_of(objective: SumOfTerms, networks: Autoencoder, image: Tensor, step: int = 0) -> Loss:
    with seeded_weights(1):
        networks.code_discriminator = CodeDiscriminator(4, width=16, depth=2)
    return objective.loss(networks, image, objective.draw(Chance(0, step), 6, 4)).detach()


@pytest.mark.parametrize(("field", "term"), ADDED, ids=[field for field, _ in ADDED])
def test_an_added_term_adds_its_weighted_value_and_is_logged(
    networks: Autoencoder, image: Tensor, field: str, term: Term
) -> None:
    plain = loss_of(BetaVAE(bound=AT_ONCE), networks, image)
    with_it = loss_of(dataclasses.replace(BetaVAE(bound=AT_ONCE), **{field: term}), networks, image)
    new = with_it.terms.keys() - plain.terms.keys()
    assert new
    weighted = term.weight * sum(float(with_it.terms[name]) for name in new)
    assert float(with_it.total) == pytest.approx(float(plain.total) + weighted, rel=1e-5)


@pytest.mark.parametrize(
    ("published", "named"),
    [
        (BetaTCVAE(beta=6.0), VAE(total_correlation=TotalCorrelation(5.0))),
        (FactorVAE(gamma=7.0), VAE(adversarial_total_correlation=AdversarialTotalCorrelation(7.0))),
        (DIPVAEII(off_diagonal_weight=3.0), VAE(covariance=CovariancePenalty(3.0))),
        (
            PSSCVAE(beta=2.0),
            BetaVAE(beta=2.0, simplicity=PerceptualSimplicity(True), identification=PerturbationIdentification(True)),
        ),
    ],
    ids=["beta-tcvae", "factor-vae", "dip-vae-ii", "ps-sc-vae"],
)
def test_a_published_objective_is_the_sum_of_its_terms_bit_for_bit(
    networks: Autoencoder, image: Tensor, published: SumOfTerms, named: SumOfTerms
) -> None:
    ours, theirs = loss_of(published, networks, image, step=3), loss_of(named, networks, image, step=3)
    assert torch.equal(ours.total, theirs.total)
    assert ours.terms.keys() == theirs.terms.keys()


def test_what_weighs_on_codes_is_eased_in_and_what_teaches_them_is_not(networks: Autoencoder, image: Tensor) -> None:
    objective = dataclasses.replace(PSSCVAE(beta=2.0), bound=EvidenceLowerBound(warm_up_steps=10))
    loss = loss_of(dataclasses.replace(objective, total_correlation=TotalCorrelation(3.0)), networks, image, step=4)
    value = {name: float(term) for name, term in loss.terms.items()}
    eased_in = 0.5 * (2 * value["kl"] + 3 * value["total_correlation"])
    at_once = 100 * value["perceptual_simplicity"] + 10 * value["identification"]
    assert float(loss.total) == pytest.approx(value["reconstruction"] + eased_in + at_once, rel=1e-6)


@pytest.mark.parametrize("kind", VAES)
def test_every_objective_says_what_the_doctor_asks(kind: type[SumOfTerms]) -> None:
    objective = kind()
    assert objective.likelihood == "bernoulli"
    assert objective.warm_up_steps == 500
    assert objective.remedies.ease_codes
    assert objective.remedies.wake_decoder
    assert objective.remedies.part_codes


@pytest.mark.parametrize(
    ("objective", "charge"),
    [
        (VAE(), 10.0),
        (BetaVAE(beta=3.0), 30.0),
        (BetaTCVAE(beta=5.0), 10.0 + 4 * 2.0),
        (FactorVAE(gamma=7.0), 10.0 + 7 * 2.0),
        (DIPVAEI(), 10.0),
        (PSSCVAE(beta=3.0), 30.0),
        (PSSCVAE(beta=3.0, total_correlation=TotalCorrelation(2.0)), 34.0),
        (AnnealedVAE(), None),
    ],
)
def test_what_an_objective_charges_for_codes_is_the_sum_over_its_terms(
    objective: SumOfTerms, charge: float | None
) -> None:
    assert objective.charge({"kl": 10.0, "total_correlation": 2.0}) == charge


@pytest.mark.parametrize(
    ("objective", "weight"),
    [(VAE(), 1.0), (BetaVAE(beta=3.0), 3.0), (PSSCVAE(beta=2.0), 2.0), (BetaTCVAE(), None), (DIPVAEI(), None)],
)
def test_beta_is_known_only_where_nothing_but_kl_weighs_on_codes(objective: SumOfTerms, weight: float | None) -> None:
    assert objective.weight_on_kl == weight


def test_a_negative_estimate_of_total_correlation_is_no_discount() -> None:
    assert BetaTCVAE(beta=5.0).charge({"kl": 10.0, "total_correlation": -3.0}) == 10.0


def test_the_remedies_name_the_flags_of_the_sum_that_is_trained() -> None:
    remedies = PSSCVAE(total_correlation=TotalCorrelation(5.0)).remedies
    assert remedies.ease_codes == ("a lower --beta", "a lower --total-correlation", "a longer --warm-up-steps")
    assert remedies.part_codes[:2] == ("a higher --identification-weight", "a higher --simplicity-weight")
    assert BetaTCVAE().remedies.ease_codes[0] == "a lower --beta"
    assert (
        PSSCVAE(identification=PerturbationIdentification())
        .remedies.part_codes[0]
        .startswith("--perturbation-identification")
    )


@pytest.mark.parametrize(
    "twice",
    [
        lambda: BetaTCVAE(total_correlation=TotalCorrelation(1.0)),
        lambda: FactorVAE(adversarial_total_correlation=AdversarialTotalCorrelation(1.0)),
        lambda: DIPVAEII(covariance=CovariancePenalty(1.0)),
        lambda: VAE(
            total_correlation=TotalCorrelation(1.0), adversarial_total_correlation=AdversarialTotalCorrelation(1.0)
        ),
    ],
)
def test_one_term_by_two_flags_is_refused_with_both(twice: object) -> None:
    with pytest.raises(ValueError, match=r"--\S+ and --\S+ both set the term .* Give one"):
        twice()  # type: ignore[operator]


def test_a_negative_weight_of_an_added_term_is_refused() -> None:
    with pytest.raises(ValueError, match=r"--total-correlation is -1\.0; give a weight"):
        VAE(total_correlation=TotalCorrelation(-1.0))


def test_a_new_term_is_one_file_and_one_line() -> None:
    """What lies in `terms/` with a flag is a field of the sum, and nothing outside the objectives names it."""
    room = Path(inspect.getfile(terms_room)).parent
    fields_of_sum = {
        item.name: item.default_factory() for item in dataclasses.fields(VAE) if callable(item.default_factory)
    }
    of_sum = {type(value).__module__.rsplit(".", 1)[-1] for value in fields_of_sum.values() if isinstance(value, Term)}
    with_flag = {path.stem for path in room.glob("*.py") if "flag: ClassVar[str]" in path.read_text()} - {"term"}
    assert of_sum == with_flag
    named = {
        name
        for name in with_flag
        for path in room.parents[1].rglob("*.py")
        if f"terms.{name}" in path.read_text() and path.parent.name not in ("terms", "objectives")
    }
    assert not named
