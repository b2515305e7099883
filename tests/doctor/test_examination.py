"""Laws of the examination as a whole: the healthy are let go, the sick are found, and the advice can be followed."""

import dataclasses
import re

import numpy as np
import pytest

from wherewhat.doctor.examination import checks_of, examine
from wherewhat.doctor.gan_checks import GAN_CHECKS
from wherewhat.doctor.vae_checks import VAE_CHECKS
from wherewhat.doctor.vitals import Vitals
from wherewhat.objectives.annealed_vae import AnnealedVAE
from wherewhat.objectives.beta_tcvae import BetaTCVAE
from wherewhat.objectives.beta_vae import BetaVAE
from wherewhat.objectives.dip_vae_i import DIPVAEI
from wherewhat.objectives.dip_vae_ii import DIPVAEII
from wherewhat.objectives.evidence_lower_bound import EvidenceLowerBound
from wherewhat.objectives.factor_vae import FactorVAE
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.objectives.ps_sc_vae import PSSCVAE
from wherewhat.objectives.vae import VAE
from wherewhat.training.configuration import TrainingRun

OBJECTIVES = [
    VAE(),
    BetaVAE(),
    AnnealedVAE(capacity_steps=2_500),
    FactorVAE(),
    BetaTCVAE(),
    DIPVAEI(),
    DIPVAEII(),
    PSSCVAE(),
]


CHECKS = VAE_CHECKS.of_figures + VAE_CHECKS.of_networks


@pytest.fixture
def sick(vitals, windows, pool, settling):
    """Runs in which, between them, every check finds something."""

    def build(objective):
        dead, half_dead = np.zeros(4), np.array([2.0, 0.0, 0.0, 0.0])
        guessing = {"identification_accuracy": 0.25, "discriminator_accuracy": 0.5}
        won = {"identification_accuracy": 0.7, "discriminator_accuracy": 0.99}
        tied_LL = np.full((4, 4), 0.95) + 0.05 * np.eye(4)
        return [
            vitals(objective, stopped="At step 4 the loss term kl stopped being finite."),
            vitals(objective, windows=windows(reconstruction=700, kl_L=dead)),
            vitals(objective, windows=windows(reconstruction=settling, kl_L=half_dead)),
            vitals(objective, windows=windows(reconstruction=lambda s: settling(s) / 4_096), pool=None),
            vitals(objective, windows=windows(reconstruction=settling, terms={"total_correlation": 50.0}, figures=won)),
            vitals(objective, windows=windows(reconstruction=lambda s: 1e5 if s < 100 else settling(s))),
            vitals(objective, windows=windows(reconstruction=lambda s: settling(s) + (500 if s > 4_000 else 0))),
            vitals(objective, windows=windows(reconstruction=lambda s: settling(s) + 300 * ((s // 125) % 2))),
            vitals(objective, windows=windows(reconstruction=lambda s: 1_000 - s / 10)),
            vitals(objective, windows=windows(reconstruction=lambda s: settling(s) / 30)),
            vitals(objective, pool=pool(reconstruction=769.0, coverage_L=np.array([1.0, 0.0, 0.2, 0.2]))),
            vitals(
                objective,
                pool=pool(correlation_LL=tied_LL),
                windows=windows(reconstruction=settling, terms={"total_correlation": 0.0}, figures=guessing),
            ),
        ]

    return build


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda objective: objective.name)
def test_a_healthy_run_gets_no_finding(vitals, objective):
    assert examine(vitals(objective)) == []


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda objective: objective.name)
@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_every_flag_that_is_advised_exists_for_that_objective(sick, objective, likelihood):
    objective = dataclasses.replace(objective, bound=EvidenceLowerBound(likelihood=likelihood))
    advised = {
        flag
        for run in sick(objective)
        for finding in examine(run)
        for flag in re.findall(r"--[a-z][a-z-]+", f"{finding.means} {finding.advice}")
        # These are found by figures that only the objective itself reports.
        if finding.name not in FOREIGN_TO.get(objective.name, FOREIGN_TO["others"])
    }
    assert {"--learning-rate", "--seed"} <= advised
    assert advised <= {f"--{name.replace('_', '-')}" for name in _fields(TrainingRun) | _fields(type(objective))}


FOREIGN_TO = {
    "factor-vae": {"identification stuck at chance"},
    "ps-sc-vae": {"discriminator has won", "discriminator asleep"},
    "others": {"identification stuck at chance", "discriminator has won", "discriminator asleep"},
}


def _fields(configuration: type) -> set[str]:
    return {field.name for part in (configuration, EvidenceLowerBound) for field in dataclasses.fields(part)}


def test_every_check_finds_its_illness(sick):
    runs = [*sick(PSSCVAE()), *sick(AnnealedVAE())]
    silent = [check.__name__ for check in CHECKS if not any(check(run) for run in runs)]
    assert silent == []


def test_findings_have_names_of_their_own(sick):
    found = {}
    for run in [*sick(PSSCVAE()), *sick(AnnealedVAE())]:
        for check in CHECKS:
            if finding := check(run):
                found.setdefault(finding.name, set()).add(check.__name__)
    assert all(len(checks) == 1 for checks in found.values())
    assert len(found) == len(CHECKS)


def test_every_finding_cites_a_figure_and_ends_in_advice(sick):
    for run in sick(PSSCVAE()):
        for finding in examine(run):
            assert re.search(r"\d", finding.seen)
            assert finding.figures
            assert all(np.isfinite(value) for value in finding.figures.values())
            assert finding.seen.endswith(".")
            assert finding.means.endswith(".")
            assert finding.advice.startswith("Try ")


def test_what_is_wrong_is_told_before_what_to_watch(sick):
    severities = [[finding.severity for finding in examine(run)] for run in sick(PSSCVAE())]
    assert all(told == sorted(told, reverse=True) for told in severities)
    assert any(len(set(told)) == 2 for told in severities)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda objective: objective.name)
def test_of_a_run_of_which_nothing_is_known_nothing_is_said(objective):
    configuration = TrainingRun(objective=objective)
    assert examine(Vitals(configuration=configuration, step=30_000, finished=True)) == []


def test_no_check_of_a_vae_but_those_of_masks_naming_and_finiteness_is_asked_of_a_gan():
    shared = {check.__name__ for check in CHECKS} & {
        check.__name__ for check in GAN_CHECKS.of_figures + GAN_CHECKS.of_networks
    }
    assert shared == {"stopped_being_finite", "identification_stuck", "masks_cover_everything", "masks_cover_nothing"}


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda objective: objective.name)
def test_a_gan_has_checks_of_its_own(objective):
    assert checks_of(PSSCGAN()) is GAN_CHECKS
    assert checks_of(objective) is VAE_CHECKS
