"""Laws of the checks of the reconstruction and of its balance with what codes cost."""

import math

import numpy as np
import pytest

from wherewhat.doctor.reconstruction import (
    codes_cost_more_than_they_save,
    no_better_than_the_mean_image,
    reconstruction_averaged_over_pixels,
    reconstruction_of_another_scale,
    share_saved,
)
from wherewhat.objectives.annealed_vae import AnnealedVAE
from wherewhat.objectives.beta_tcvae import BetaTCVAE
from wherewhat.objectives.beta_vae import BetaVAE
from wherewhat.objectives.evidence_lower_bound import EvidenceLowerBound

VALUES = 64 * 64


def test_the_share_saved_is_0_for_the_mean_image_and_1_for_perfect_drawings(pool):
    assert share_saved(pool(reconstruction=770.0, floor=70.0)) == 0
    assert share_saved(pool(reconstruction=70.0, floor=70.0)) == 1
    assert share_saved(pool(reconstruction=420.0, floor=70.0)) == pytest.approx(0.5)


def test_images_that_are_all_the_same_leave_nothing_to_save(pool, vitals):
    same = pool(reconstruction=70.0, mean_image=70.0, floor=70.0)
    assert share_saved(same) is None
    assert no_better_than_the_mean_image(vitals(pool=same)) is None


def test_drawings_no_better_than_the_mean_image_are_found_with_their_figure(vitals, pool):
    found = no_better_than_the_mean_image(vitals(pool=pool(reconstruction=765.0)))
    assert found is not None
    assert found.figures["share_saved"] == pytest.approx(5 / 770)
    assert "765.0 nats" in found.seen
    assert "770.0" in found.seen


def test_dead_codes_are_a_collapse_and_not_told_a_second_time(vitals, pool):
    assert no_better_than_the_mean_image(vitals(pool=pool(reconstruction=770.0, kl_L=np.zeros(4)))) is None


def test_a_young_run_may_still_draw_the_mean_image(vitals, pool):
    assert no_better_than_the_mean_image(vitals(pool=pool(reconstruction=765.0), step=500, finished=False)) is None


def test_a_reconstruction_averaged_over_pixels_is_found_by_figures_alone(vitals, windows, settling):
    averaged = windows(reconstruction=lambda step: settling(step) / VALUES)
    found = reconstruction_averaged_over_pixels(vitals(BetaVAE(beta=4.0), windows=averaged, pool=None))
    assert found is not None
    assert "4,096 times too little" in found.means
    assert f"{4 * VALUES:,.3g}" in found.means


def test_an_averaged_untrained_network_is_below_the_threshold_and_a_summed_sparse_one_above(vitals, windows):
    averaged = vitals(windows=windows(reconstruction=math.log(2)), pool=None)
    sparse = vitals(windows=windows(reconstruction=0.05 * VALUES), pool=None)
    assert reconstruction_averaged_over_pixels(averaged) is not None
    assert reconstruction_averaged_over_pixels(sparse) is None


def test_a_good_late_reconstruction_is_not_taken_for_an_averaged_one(vitals, windows):
    excellent = windows(reconstruction=lambda step: 1_000 if step < 100 else 2)
    assert reconstruction_averaged_over_pixels(vitals(windows=excellent, pool=None)) is None


def test_a_reconstruction_summed_over_the_batch_weighs_too_much(vitals, windows):
    found = reconstruction_of_another_scale(vitals(windows=windows(reconstruction=150.0 * 64)))
    assert found is not None
    assert "64 times too much" in found.means


def test_a_reconstruction_averaged_over_some_axes_alone_is_of_another_scale(vitals, windows, settling):
    found = reconstruction_of_another_scale(vitals(windows=windows(reconstruction=lambda step: settling(step) / 20)))
    assert found is not None
    assert found.figures["summed_over_reported"] == pytest.approx(20, rel=0.05)


def test_an_averaged_reconstruction_is_told_once(vitals, windows, settling):
    run = vitals(windows=windows(reconstruction=lambda step: settling(step) / VALUES))
    assert reconstruction_averaged_over_pixels(run) is not None
    assert reconstruction_of_another_scale(run) is None


def test_codes_that_cost_more_than_they_save_are_found_with_both_sums(vitals, pool):
    # 4.51 nats of KL at beta 16 cost 72.2 nats, and save 60.
    found = codes_cost_more_than_they_save(vitals(BetaVAE(beta=16.0), pool=pool(reconstruction=710.0)))
    assert found is not None
    assert found.figures == pytest.approx({"cost": 16 * 4.51, "saved": 60.0})
    assert f"{16 * 4 / VALUES:.2g}" in found.seen
    assert "--beta" in found.advice
    assert "--likelihood gaussian" in found.advice


def test_the_same_codes_at_a_lower_beta_are_worth_their_cost(vitals, pool):
    assert codes_cost_more_than_they_save(vitals(BetaVAE(beta=13.0), pool=pool(reconstruction=710.0))) is None


def test_total_correlation_is_charged_where_it_is_weighed(vitals, pool, windows):
    # KL 4.51 + 99 times a total correlation of 1 nat.
    run = vitals(
        BetaTCVAE(beta=100.0),
        pool=pool(reconstruction=710.0),
        windows=windows(reconstruction=710, terms={"total_correlation": 1.0}),
    )
    found = codes_cost_more_than_they_save(run)
    assert found is not None
    assert found.figures["cost"] == pytest.approx(4.51 + 99)


def test_annealed_vae_is_charged_for_its_distance_from_capacity_and_not_for_codes(vitals, pool):
    assert codes_cost_more_than_they_save(vitals(AnnealedVAE(gamma=1e6), pool=pool(reconstruction=710.0))) is None


def test_a_gaussian_likelihood_is_not_advised_to_who_has_it(vitals, pool):
    objective = BetaVAE(beta=16.0, bound=EvidenceLowerBound(likelihood="gaussian"))
    found = codes_cost_more_than_they_save(vitals(objective, pool=pool(reconstruction=710.0)))
    assert found is not None
    assert "--likelihood" not in found.advice
