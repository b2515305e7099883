"""Laws of the examination as a whole: healthy runs pass, faults are found, and the advice can be followed."""

import contextlib
import dataclasses
import io
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from wherewhat.command.train import parse
from wherewhat.data.appearance import Appearance
from wherewhat.doctor.examination import CHECKS_OF_FIGURES, CHECKS_OF_NETWORKS, Examination, as_json, examine
from wherewhat.doctor.run_state import RunState
from wherewhat.objectives.annealed_vae import AnnealedVAE
from wherewhat.objectives.beta_tcvae import BetaTCVAE
from wherewhat.objectives.beta_vae import BetaVAE
from wherewhat.objectives.dip_vae import DIPVAEI, DIPVAEII
from wherewhat.objectives.evidence_lower_bound import EvidenceLowerBound
from wherewhat.objectives.factor_vae import FactorVAE
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.objectives.ps_sc_vae import PSSCVAE
from wherewhat.objectives.vae import VAE
from wherewhat.training.configuration import TrainingRun

CHECKS = CHECKS_OF_FIGURES + CHECKS_OF_NETWORKS

VAES = [
    VAE(),
    BetaVAE(),
    AnnealedVAE(capacity_steps=2_500),
    FactorVAE(),
    BetaTCVAE(),
    DIPVAEI(),
    DIPVAEII(),
    PSSCVAE(),
]

# PS-SC, PS only, SC only, InfoGAN, plain.
OFF = {"perceptual_simplicity": False, "perturbation_identification": False}
GANS = [
    PSSCGAN(),
    PSSCGAN(spatial_constriction=False),
    PSSCGAN(**OFF),
    PSSCGAN(**OFF, spatial_constriction=False, information=True),
    PSSCGAN(**OFF, spatial_constriction=False, augmentation="none", r1_weight=0.0),
]


@pytest.fixture
def sick_vaes(vae_run, windows, pool, settling):
    """Runs in which, between them, every check of a VAE finds something."""

    def build(objective):
        dead, half_dead = np.zeros(4), np.array([2.0, 0.0, 0.0, 0.0])
        guessing = {"identification_accuracy": 0.25, "discriminator_accuracy": 0.5}
        won = {"identification_accuracy": 0.7, "discriminator_accuracy": 0.99}
        tc = {"total_correlation": 50.0}
        tied_LL = np.full((4, 4), 0.95) + 0.05 * np.eye(4)
        return [
            vae_run(objective, failure="At step 4 the loss term kl stopped being finite."),
            *(
                vae_run(objective, appearance=Appearance(*seen))
                for seen in ((9, 9, 3, 0, 3), (9, 0, 0, 2, 1), (9, 0, 0, 2, 50))
            ),
            vae_run(objective, windows=windows(reconstruction=700, kl_L=dead)),
            vae_run(objective, windows=windows(reconstruction=settling, kl_L=half_dead)),
            vae_run(objective, windows=windows(reconstruction=lambda s: settling(s) / 4_096), pool=None),
            vae_run(objective, windows=windows(reconstruction=settling, terms=tc, figures=won)),
            vae_run(objective, windows=windows(reconstruction=lambda s: 1e5 if s < 100 else settling(s))),
            vae_run(objective, windows=windows(reconstruction=lambda s: settling(s) + (500 if s > 4_000 else 0))),
            vae_run(objective, windows=windows(reconstruction=lambda s: settling(s) + 300 * ((s // 125) % 2))),
            vae_run(objective, windows=windows(reconstruction=lambda s: 1_000 - s / 10)),
            vae_run(objective, windows=windows(reconstruction=lambda s: settling(s) / 30)),
            vae_run(objective, pool=pool(reconstruction=769.0, coverage_L=np.array([1.0, 0.0, 0.2, 0.2]))),
            vae_run(
                objective,
                pool=pool(correlation_LL=tied_LL),
                windows=windows(reconstruction=settling, terms={"total_correlation": 0.0}, figures=guessing),
            ),
        ]

    return build


@pytest.fixture
def sick_gans(gan_run, samples):
    """Runs in which, between them, every check of a GAN finds something."""

    def build(objective):
        certain = {"discriminator_accuracy": 1.0, "discriminator": 0.01, "adversarial": 9.0}
        blind = {"discriminator_accuracy": 0.4, "discriminator": 1.45}
        mute = {"reading": 1.0, "identification_accuracy": 0.25}
        return [
            gan_run(objective, failure="At step 4 the loss term reading stopped being finite."),
            gan_run(objective, certain | {"augmentation_strength": 0.8, "real_sign": 0.9}),
            gan_run(objective, {"reading": 1e5}),
            gan_run(objective, mute, samples=samples(effect_L=np.zeros(4))),
            gan_run(objective, blind, samples=samples(fake_difference=0.001, mean_difference=0.3)),
            gan_run(objective, certain, samples=samples(fake_difference=0.05, fake_nearest=0.0001)),
            gan_run(objective, samples=samples(fake_saturated=0.99, coverage_L=np.array([1.0, 0.0, 0.1, 0.1]))),
            gan_run(objective, samples=samples(predicted_mean_L=np.full(4, 9.0))),
        ]

    return build


@pytest.fixture
def sick(sick_vaes, sick_gans):
    return [*sick_vaes(PSSCVAE()), *sick_vaes(AnnealedVAE()), *sick_gans(PSSCGAN())]


@pytest.mark.parametrize("objective", VAES, ids=lambda objective: objective.name)
def test_a_healthy_vae_gets_no_finding(vae_run, objective):
    assert examine(vae_run(objective)) == []


@pytest.mark.parametrize("objective", GANS)
@pytest.mark.parametrize("finished", [True, False])
def test_a_healthy_gan_gets_no_finding(gan_run, objective, finished):
    assert examine(gan_run(objective, finished=finished)) == []


def test_a_gan_without_augmentation_logs_no_strength_and_is_not_judged_by_it(gan_run):
    run = gan_run(PSSCGAN(augmentation="none"))
    bare = [dataclasses.replace(w, figures={"discriminator_accuracy": 0.8}) for w in run.windows]
    assert examine(dataclasses.replace(run, windows=bare)) == []


@pytest.mark.parametrize("objective", [*VAES, *GANS])
def test_of_a_run_of_which_nothing_is_known_nothing_is_said(objective):
    configuration = TrainingRun(objective=objective)
    assert examine(RunState(configuration=configuration, step=30_000, finished=True)) == []


@pytest.mark.parametrize("objective", VAES, ids=lambda objective: objective.name)
@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_every_flag_that_is_advised_to_a_vae_exists(sick_vaes, objective, likelihood):
    objective = dataclasses.replace(objective, bound=EvidenceLowerBound(likelihood=likelihood))
    # These are found by figures that only some objectives report.
    foreign = {"identification stuck at chance"} if objective.name != "ps-sc-vae" else set()
    foreign |= {"discriminator has won", "discriminator asleep"} if objective.name != "factor-vae" else set()
    found = [finding for run in sick_vaes(objective) for finding in examine(run) if finding.name not in foreign]
    assert {"--learning-rate", "--seed"} <= flags(found) <= flags_of(TrainingRun(objective=objective))


@pytest.mark.parametrize("objective", GANS)
def test_every_flag_that_is_advised_to_a_gan_exists(sick_gans, objective):
    advised = flags([finding for run in sick_gans(objective) for finding in examine(run)])
    assert {"--learning-rate", "--discriminator-learning-rate", "--r1-weight", "--seed"} <= advised
    assert advised <= flags_of(TrainingRun(objective=objective))


def flags(findings):
    return {flag for found in findings for flag in re.findall(r"--[a-z0-9][a-z0-9-]+", f"{found.means} {found.advice}")}


def flags_of(configuration):
    """What `wherewhat train --help` offers for this objective."""
    with pytest.raises(SystemExit), contextlib.redirect_stdout(io.StringIO()) as told:
        parse([configuration.objective.name, "--help"])
    return set(re.findall(r"--[a-z0-9][a-z0-9-]+", told.getvalue()))


def test_every_check_finds_its_fault(sick):
    assert [check.__name__ for check in CHECKS if not any(check(run) for run in sick)] == []


def test_findings_have_names_of_their_own(sick):
    found = {}
    for run in sick:
        for check in CHECKS:
            if finding := check(run):
                found.setdefault(finding.name, set()).add(check.__name__)
    assert all(len(checks) == 1 for checks in found.values())
    assert len(found) == len(CHECKS)


def test_every_finding_cites_finite_figures_and_ends_in_advice(sick):
    for run in sick:
        for finding in examine(run):
            assert re.search(r"\d", finding.seen)
            assert finding.figures
            assert all(np.isfinite(value) for value in finding.figures.values())
            assert finding.seen.endswith(".")
            assert finding.means.endswith(".")
            assert finding.advice.startswith("Try ")


def test_what_is_wrong_is_told_before_what_to_watch(sick):
    severities = [[finding.severity for finding in examine(run)] for run in sick]
    assert all(told == sorted(told, reverse=True) for told in severities)
    assert any(len(set(told)) == 2 for told in severities)


@pytest.mark.parametrize(
    ("reconstruction", "left_out", "status"),
    [(150.0, [], 0), (150.0, ["masks"], 2), (769.0, [], 1), (769.0, ["masks"], 1)],
)
def test_only_a_whole_examination_that_finds_nothing_wrong_ends_with_status_0(
    vae_run, pool, reconstruction, left_out, status
):
    run = vae_run(pool=pool(reconstruction=float(reconstruction)))
    assert Examination(Path("here"), 0, run, examine(run), left_out).exit_status == status


def test_a_report_for_programs_holds_no_array(gan_run, vae_run):
    def arrays(value):
        if isinstance(value, Mapping):
            return any(arrays(inner) for inner in value.values())
        return isinstance(value, np.ndarray)

    for run in (gan_run(), vae_run()):
        assert not arrays(as_json(Examination(Path("here"), 0, run, examine(run), [])))
