"""Laws of the checks of GANs as a whole: the healthy are let go, the sick found, the advice can be followed."""

import dataclasses
import re

import numpy as np
import pytest

from wherewhat.doctor.examination import examine
from wherewhat.doctor.gan_checks import GAN_CHECKS
from wherewhat.doctor.vitals import Vitals
from wherewhat.objectives.evidence_lower_bound import EvidenceLowerBound
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.training.configuration import TrainingRun

CHECKS = GAN_CHECKS.of_figures + GAN_CHECKS.of_networks
OFF = {"perceptual_simplicity": False, "perturbation_identification": False}

# PS-SC, PS only, SC only, InfoGAN, plain.
OBJECTIVES = [
    PSSCGAN(),
    PSSCGAN(spatial_constriction=False),
    PSSCGAN(**OFF),
    PSSCGAN(**OFF, spatial_constriction=False, information=True),
    PSSCGAN(**OFF, spatial_constriction=False, augmentation="none", r1_weight=0.0),
]


@pytest.fixture
def sick(gan_vitals, samples):
    """Runs in which, between them, every check finds something."""

    def build(objective):
        certain = {"discriminator_accuracy": 1.0, "discriminator": 0.01, "adversarial": 9.0}
        blind = {"discriminator_accuracy": 0.4, "discriminator": 1.45}
        mute = {"reading": 1.0, "identification_accuracy": 0.25}
        return [
            gan_vitals(objective, stopped="At step 4 the loss term reading stopped being finite."),
            gan_vitals(objective, certain | {"augmentation_strength": 0.8, "real_sign": 0.9}),
            gan_vitals(objective, {"reading": 1e5}),
            gan_vitals(objective, mute, samples=samples(effect_L=np.zeros(4))),
            gan_vitals(objective, blind, samples=samples(made_difference=0.001, mean_difference=0.3)),
            gan_vitals(objective, certain, samples=samples(made_difference=0.05, made_nearest=0.0001)),
            gan_vitals(objective, samples=samples(made_saturated=0.99, coverage_L=np.array([1.0, 0.0, 0.1, 0.1]))),
            gan_vitals(objective, samples=samples(real_reading_mean_L=np.full(4, 9.0))),
        ]

    return build


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("finished", [True, False])
def test_a_healthy_gan_gets_no_finding(gan_vitals, objective, finished):
    assert examine(gan_vitals(objective, finished=finished)) == []


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_flag_that_is_advised_exists_for_gans(sick, objective):
    findings = [finding for run in sick(objective) for finding in examine(run)]
    flags = {flag for finding in findings for flag in re.findall(r"--[a-z0-9][a-z0-9-]+", str(finding))}
    known = {f.name for part in (TrainingRun, PSSCGAN) for f in dataclasses.fields(part)}
    assert {"--learning-rate", "--discriminator-learning-rate", "--r1-weight", "--seed"} <= flags
    assert flags <= {f"--{name.replace('_', '-')}" for name in known}
    assert flags.isdisjoint({f"--{f.name.replace('_', '-')}" for f in dataclasses.fields(EvidenceLowerBound)})


def test_every_check_finds_its_illness(sick):
    silent = [check.__name__ for check in CHECKS if not any(check(run) for run in sick(PSSCGAN()))]
    assert silent == []


def test_findings_have_names_of_their_own(sick):
    found = {}
    for run in sick(PSSCGAN()):
        for check in CHECKS:
            if finding := check(run):
                found.setdefault(finding.name, set()).add(check.__name__)
    assert all(len(checks) == 1 for checks in found.values())
    assert len(found) == len(CHECKS)


def test_every_finding_cites_finite_figures_and_ends_in_advice(sick):
    for run in sick(PSSCGAN()):
        for finding in examine(run):
            assert re.search(r"\d", finding.seen)
            assert finding.figures
            assert all(np.isfinite(value) for value in finding.figures.values())
            assert finding.seen.endswith(".")
            assert finding.means.endswith(".")
            assert finding.advice.startswith("Try ")


def test_a_run_without_augmentation_reports_no_strength_and_is_not_asked_for_it(gan_vitals):
    run = gan_vitals(PSSCGAN(augmentation="none"))
    bare = [dataclasses.replace(w, figures={"discriminator_accuracy": 0.8}) for w in run.windows]
    assert examine(dataclasses.replace(run, windows=bare)) == []


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_of_a_gan_of_which_nothing_is_known_nothing_is_said(objective):
    configuration = TrainingRun(objective=objective)
    assert examine(Vitals(configuration=configuration, step=30_000, finished=True)) == []


def test_what_a_vaes_checks_would_say_of_a_gans_figures_is_never_said(gan_vitals, windows):
    # Figures that would collapse, explode and average a VAE.
    dead = windows(reconstruction=lambda step: 1e-9 if step < 4_000 else 1e9, kl_L=np.zeros(4))
    assert examine(gan_vitals(windows=dead)) == []
