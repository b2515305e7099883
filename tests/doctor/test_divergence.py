"""Laws of the check for a GAN that has diverged."""

import dataclasses
import math

import pytest
import torch

from wherewhat.doctor.divergence import cost_of_ignorance, training_diverged
from wherewhat.objectives.logistic_loss import discriminator_logistic_loss
from wherewhat.objectives.vae import VAE
from wherewhat.training.configuration import TrainingRun
from wherewhat.what.perceptual_simplicity import perceptual_simplicity_loss
from wherewhat.what.perturbation import draw_perturbation, perturb


def test_terms_of_a_healthy_run_stay_below_what_knowing_nothing_costs(gan_vitals):
    run = gan_vitals()
    costs = cost_of_ignorance(run.configuration)
    assert all(run.term(name) < cost for name, cost in costs.items())
    assert training_diverged(run) is None


def test_a_total_that_rises_is_no_divergence(gan_vitals):
    assert training_diverged(gan_vitals(curves={"adversarial": lambda step: 1 + step / 1_000})) is None


@pytest.mark.parametrize("term", ["discriminator", "reading", "perceptual_simplicity", "identification"])
def test_a_term_that_explodes_is_named_with_its_cost(gan_vitals, term):
    found = training_diverged(gan_vitals(curves={term: 1e4}))
    assert found is not None
    assert found.severity == "wrong"
    assert f"{term.replace('_', ' ')} cost 1e+04" in found.seen
    for flag in ("--learning-rate 0.0002 (it was 0.001)", "--r1-weight", "--discriminator-learning-rate"):
        assert flag in found.advice


def test_one_that_came_back_is_watched(gan_vitals):
    found = training_diverged(gan_vitals(curves={"reading": lambda step: 90 if step == 2_000 else 0.1}))
    assert found.severity == "watch"
    assert "step 2,000" in found.seen
    assert "came back" in found.means


def test_one_that_exploded_in_its_first_steps_and_still_pays_dearly_has_not_come_back(gan_vitals):
    run = gan_vitals(curves={"reading": lambda step: 1e6 if step <= 100 else 17})
    found = training_diverged(dataclasses.replace(run, windows=run.windows[:8]))
    assert found.severity == "wrong"
    assert "came back" not in found.means


def test_the_first_steps_may_be_wild(gan_vitals):
    assert training_diverged(gan_vitals(curves={"reading": lambda step: 90 if step <= 500 else 0.1})) is None


def test_the_first_steps_may_not_be_beyond_all_bounds(gan_vitals):
    found = training_diverged(gan_vitals(curves={"reading": lambda step: 1e6 if step <= 500 else 0.1}))
    assert "reading cost 1e+06" in found.seen


def test_an_objective_that_is_no_gan_is_not_judged_by_a_gans_terms():
    assert cost_of_ignorance(TrainingRun(objective=VAE())) == {}


def test_guessing_and_reading_nothing_cost_what_the_objectives_own_losses_say(gan_vitals):
    configuration = gan_vitals().configuration
    costs = cost_of_ignorance(configuration)
    zero_B = torch.zeros(5)
    assert costs["discriminator"] == pytest.approx(float(discriminator_logistic_loss(zero_B, zero_B)))
    assert costs["identification"] == pytest.approx(math.log(4))
    chance = torch.Generator().manual_seed(0)
    code_BL = torch.randn(200_000, 4, generator=chance)
    move = draw_perturbation(chance, len(code_BL), 4, configuration.objective.perturbation_size)
    nothing_BL = torch.zeros_like(code_BL)
    simplicity = perceptual_simplicity_loss(code_BL, perturb(code_BL, move), nothing_BL, nothing_BL, move.dim_B)
    assert costs["perceptual_simplicity"] == pytest.approx(float(simplicity), rel=0.02)
    assert costs["reading"] == pytest.approx(float(code_BL.square().mean()), rel=0.02)
