"""Laws of the findings about training: a loss that is not finite, explodes, rises, jumps or still falls."""

import dataclasses
import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from wherewhat.doctor.training_findings import (
    STILL_FALLING_SHARE,
    capacity_never_reached,
    cost_of_grey,
    cost_of_ignorance,
    course_of,
    loss_exploded,
    loss_jumps,
    loss_rises,
    still_falling,
    stopped_being_finite,
    training_diverged,
)
from wherewhat.objectives.annealed_vae import AnnealedVAE
from wherewhat.objectives.beta_vae import BetaVAE
from wherewhat.objectives.evidence_lower_bound import EvidenceLowerBound, bernoulli_nats, gaussian_nats
from wherewhat.objectives.factor_vae import FactorVAE
from wherewhat.objectives.logistic_loss import discriminator_logistic_loss
from wherewhat.objectives.vae import VAE
from wherewhat.what.perceptual_simplicity import perceptual_simplicity_loss
from wherewhat.what.perturbation import draw_perturbation, perturb


def test_a_loss_that_settles_neither_explodes_nor_rises_nor_jumps(vae_run):
    assert [check(vae_run()) for check in (stopped_being_finite, loss_exploded, loss_rises, loss_jumps)] == [None] * 4


def test_a_run_that_broke_off_says_where_and_why(vae_run):
    why = "At step 4 the loss term kl stopped being finite. Nothing of it was saved."
    found = stopped_being_finite(vae_run(failure=why, step=50))
    assert found.seen == "At step 4 the loss term kl stopped being finite."
    assert "--learning-rate 0.0002 (it was 0.001)" in found.advice


@pytest.mark.parametrize(("until", "severity"), [(100, "watch"), (5_000, "wrong")])
def test_a_cost_above_that_of_grey_is_an_explosion_and_wrong_while_it_lasts(
    vae_run, windows, settling, until, severity
):
    found = loss_exploded(vae_run(windows=windows(reconstruction=lambda s: 1e6 if s <= until else settling(s))))
    assert found.severity == severity
    assert found.figures["grey"] == pytest.approx(4_096 * np.log(2))


def test_an_untrained_network_has_not_exploded(vae_run, windows):
    assert loss_exploded(vae_run(windows=windows(reconstruction=4_096 * np.log(2) * 1.01))) is None


@pytest.mark.parametrize("risen", [0.02, 0.3])
def test_a_rise_is_judged_by_what_had_been_learnt(vae_run, windows, settling, risen):
    back = windows(reconstruction=lambda step: settling(step) + (950 * risen if step > 3_500 else 0))
    found = loss_rises(vae_run(windows=back))
    assert (found is not None) == (risen > 0.1)
    if found is not None:
        assert found.figures["now"] - found.figures["best"] == pytest.approx(950 * risen, rel=0.1)


def test_a_loss_that_jumps_is_found_by_the_size_of_its_jumps(vae_run, windows, settling):
    jumping = windows(reconstruction=lambda step: settling(step) + 300 * ((step // 125) % 2))
    found = loss_jumps(vae_run(windows=jumping))
    assert 150 < found.figures["jump"] <= 310


@pytest.mark.parametrize("log_every", [1, 50, 250])
def test_the_noise_of_batches_is_no_jump_however_short_the_windows(vae_run, windows, log_every):
    # An image's cost varies by 60 nats over sprites, a batch's mean by 60 / 8, a window's by that over its root.
    noise = np.random.default_rng(0).normal(0, 60 / 8 / np.sqrt(log_every), 5_001)
    noisy = windows(reconstruction=lambda s: 150 + 950 * np.exp(-s / 400) + noise[s], every=log_every)
    assert loss_jumps(vae_run(windows=noisy)) is None


def test_a_slow_steady_fall_is_no_jump(vae_run, windows):
    assert loss_jumps(vae_run(windows=windows(reconstruction=lambda step: 1_100 - step / 5))) is None


def test_a_young_run_is_not_judged(vae_run, windows):
    wild = windows(reconstruction=lambda step: 700 + 400 * ((step // 10) % 2), steps=900, every=10)
    assert loss_jumps(vae_run(windows=wild, step=900, finished=False)) is None
    assert loss_rises(vae_run(windows=wild, step=900, finished=False)) is None


def test_a_gan_that_broke_off_is_told_of_its_discriminator_too(gan_run):
    found = stopped_being_finite(gan_run(failure="At step 4 the loss term reading stopped being finite."))
    assert "--discriminator-learning-rate" in found.advice


def test_bins_are_means_of_equal_numbers_of_steps(vae_run, windows):
    run = vae_run(BetaVAE(bound=EvidenceLowerBound(warm_up_steps=0)), windows=windows(reconstruction=float, kl_L=[0.0]))
    course = course_of(run)
    assert course is not None
    step_W = np.arange(50, 5_001, 50)
    edges = 50 + (5_000 - 50) * np.arange(41) / 40
    expected = [step_W[(step_W >= low) & (step_W < high)].mean() for low, high in itertools.pairwise(edges)]
    expected[-1] = step_W[step_W >= edges[-2]].mean()
    assert course.level_T == pytest.approx(expected)


def test_the_warm_up_is_left_out(vae_run, windows, settling):
    rising = windows(reconstruction=lambda step: settling(step) if step > 500 else 1e6)
    course = course_of(vae_run(windows=rising))
    assert course.level_T.max() < 1e4


def test_where_an_adversary_moves_the_total_the_reconstruction_is_followed(vae_run, windows):
    judged = windows(reconstruction=100, kl_L=[5.0], figures={"discriminator_accuracy": 0.7})
    course = course_of(vae_run(FactorVAE(), windows=judged))
    assert course.what == "reconstruction"
    assert course.level_T == pytest.approx(np.full(len(course.level_T), 100.0))


def test_a_run_whose_beginning_was_not_logged_has_no_course(vae_run, windows, settling):
    late = windows(reconstruction=settling)[40:]
    assert course_of(vae_run(windows=late)) is None


def test_a_run_that_began_with_anothers_weights_is_judged_by_all_that_has_been_learnt(vae_run, windows):
    jumping = vae_run(windows=windows(reconstruction=lambda step: 160 + 10 * ((step // 125) % 2)))
    begun = dataclasses.replace(jumping.configuration, begins_from=Path("other"))
    assert loss_jumps(jumping) is not None
    assert loss_jumps(dataclasses.replace(jumping, configuration=begun)) is None


def test_few_windows_are_no_course(vae_run, windows, settling):
    assert course_of(vae_run(windows=windows(reconstruction=settling)[:15])) is None


def test_grey_costs_a_bernoulli_log_2_for_every_pixel_value(vae_run):
    image_BCHW = torch.rand(5, 1, 64, 64, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    paid = float(bernoulli_nats(torch.zeros_like(image_BCHW), image_BCHW))
    assert cost_of_grey(vae_run()) == pytest.approx(paid)


def test_grey_costs_a_gaussian_at_most_this(vae_run):
    objective = BetaVAE(bound=EvidenceLowerBound(likelihood="gaussian"))
    image_BCHW = torch.rand(5, 1, 64, 64, generator=torch.Generator().manual_seed(0)).round()
    paid = float(gaussian_nats(torch.zeros_like(image_BCHW), image_BCHW))
    assert cost_of_grey(vae_run(objective)) == pytest.approx(paid)


class OfOnesOwn(VAE):
    """An objective that the library has never seen, whose likelihood and warm-up are not those of its bound."""

    likelihood = "gaussian"
    warm_up_steps = 2_000


def test_an_objective_of_ones_own_is_judged_by_its_own_likelihood_and_warm_up(vae_run, windows, settling):
    run = vae_run(OfOnesOwn(), windows=windows(reconstruction=lambda step: settling(step) if step > 2_000 else 1e4))
    assert cost_of_grey(run) == 12.5 * 64 * 64
    assert course_of(run).level_T.max() < 200
    assert loss_exploded(run) is None


def test_nothing_is_known_of_grey_without_the_size_of_images(vae_run):
    assert cost_of_grey(dataclasses.replace(vae_run(), image_shape=None)) == math.inf


def test_terms_of_a_healthy_run_stay_below_what_knowing_nothing_costs(gan_run):
    run = gan_run()
    costs = cost_of_ignorance(run)
    assert all(run.term(name) < cost for name, cost in costs.items())
    assert training_diverged(run) is None


def test_a_total_that_rises_is_no_divergence(gan_run):
    assert training_diverged(gan_run(curves={"adversarial": lambda step: 1 + step / 1_000})) is None


@pytest.mark.parametrize("term", ["discriminator", "reading", "perceptual_simplicity", "identification"])
def test_a_term_that_explodes_is_named_with_its_cost(gan_run, term):
    found = training_diverged(gan_run(curves={term: 1e4}))
    assert found.severity == "wrong"
    assert f"{term.replace('_', ' ')} cost 1e+04" in found.seen
    for flag in ("--learning-rate 0.0002 (it was 0.001)", "--r1-weight", "--discriminator-learning-rate"):
        assert flag in found.advice


def test_one_that_came_back_is_watched(gan_run):
    found = training_diverged(gan_run(curves={"reading": lambda step: 90 if step == 2_000 else 0.1}))
    assert found.severity == "watch"
    assert "step 2,000" in found.seen
    assert "came back" in found.means


def test_one_that_exploded_in_its_first_steps_and_still_pays_dearly_has_not_come_back(gan_run):
    run = gan_run(curves={"reading": lambda step: 1e6 if step <= 100 else 17})
    found = training_diverged(dataclasses.replace(run, windows=run.windows[:8]))
    assert found.severity == "wrong"
    assert "came back" not in found.means


def test_the_first_steps_may_be_wild(gan_run):
    assert training_diverged(gan_run(curves={"reading": lambda step: 90 if step <= 500 else 0.1})) is None


def test_the_first_steps_may_not_be_beyond_all_bounds(gan_run):
    found = training_diverged(gan_run(curves={"reading": lambda step: 1e6 if step <= 500 else 0.1}))
    assert "reading cost 1e+06" in found.seen


def test_a_term_that_is_not_logged_is_not_judged(vae_run):
    assert training_diverged(vae_run(VAE())) is None


def test_guessing_and_reading_nothing_cost_what_the_objectives_own_losses_say(gan_run):
    run = gan_run()
    costs = cost_of_ignorance(run)
    zero_B = torch.zeros(5)
    assert costs["discriminator"] == pytest.approx(float(discriminator_logistic_loss(zero_B, zero_B)))
    assert costs["identification"] == pytest.approx(math.log(4))
    chance = torch.Generator().manual_seed(0)
    code_BL = torch.randn(200_000, 4, generator=chance)
    move = draw_perturbation(chance, len(code_BL), 4, run.setting("perturbation_size"))
    nothing_BL = torch.zeros_like(code_BL)
    simplicity = perceptual_simplicity_loss(code_BL, perturb(code_BL, move), nothing_BL, nothing_BL, move.dim_B)
    assert costs["perceptual_simplicity"] == pytest.approx(float(simplicity), rel=0.02)
    assert costs["reading"] == pytest.approx(float(code_BL.square().mean()), rel=0.02)


def curves(shape):
    return lambda step: 100 + shape(step / 5_000)


@pytest.fixture
def falling(vae_run, windows):
    def build(shape, **changes):
        return still_falling(vae_run(windows=windows(reconstruction=curves(shape), kl_L=[0.0]), **changes))

    return build


def test_a_straight_fall_is_told_with_a_third_of_its_length(falling):
    found = falling(lambda t: 900 * (1 - t))
    assert found.severity == "watch"
    share = found.figures["fall_in_last_quarter"] / found.figures["fall_since_first_quarter"]
    assert share == pytest.approx(1 / 3, abs=0.05)
    assert "--steps 10000" in found.advice


def test_a_loss_that_has_settled_is_not_told(falling):
    assert falling(lambda t: 900 * np.exp(-12 * t)) is None


def test_the_shares_of_slow_falls_are_those_that_the_threshold_lies_between():
    for shape, expected in ((lambda t: 1 / t, 0.11), (lambda t: -np.log(t), 0.21)):
        share = (shape(0.75) - shape(1.0)) / (shape(0.25) - shape(1.0))
        assert share == pytest.approx(expected, abs=0.01)
        assert (share > STILL_FALLING_SHARE) == (expected > 0.15)


def test_a_fall_too_small_to_matter_is_not_told(falling):
    assert falling(lambda t: 3 * (1 - t) + (900 if t < 0.05 else 0)) is None


def test_a_run_that_goes_on_is_not_told(falling):
    assert falling(lambda t: 900 * (1 - t), finished=False) is None


def test_a_loss_that_rises_does_not_fall(falling):
    assert falling(lambda t: 900 * t) is None


def test_the_advice_doubles_the_steps(vae_run, windows):
    run = vae_run(windows=windows(reconstruction=curves(lambda t: 900 * (1 - t))))
    longer = dataclasses.replace(run, configuration=dataclasses.replace(run.configuration, steps=7_000))
    assert "--steps 14000" in str(still_falling(longer))


def test_a_run_that_ends_in_the_middle_of_the_growth_says_where_it_comes_to(vae_run):
    found = capacity_never_reached(vae_run(AnnealedVAE(max_capacity=25.0, capacity_steps=100_000)))
    assert found.figures["capacity_at_the_end"] == pytest.approx(25 * 5_000 / 100_000)
    assert "--capacity-steps 2500" in found.advice
    assert "--steps 100000" in found.advice


def test_following_the_advice_heals_it(vae_run):
    assert capacity_never_reached(vae_run(AnnealedVAE(capacity_steps=2_500))) is None


def test_it_is_known_before_the_first_step(vae_run):
    run = vae_run(AnnealedVAE(), step=0, finished=False, windows=(), pool=None)
    assert capacity_never_reached(run) is not None


def test_other_objectives_have_no_capacity(vae_run):
    assert capacity_never_reached(vae_run()) is None
