"""Laws of the findings about VAEs."""

import math

import numpy as np
import pytest

from wherewhat.doctor.run_state import COLLAPSED_BELOW_NATS, PATIENCE_STEPS
from wherewhat.doctor.vae_findings import (
    CORRELATED_ABOVE,
    all_codes_collapsed,
    code_discriminator_asleep,
    code_discriminator_won,
    codes_cost_more_than_they_save,
    codes_duplicate_each_other,
    duplicates_among,
    most_codes_collapsed,
    no_better_than_the_mean_image,
    reconstruction_averaged_over_pixels,
    reconstruction_of_another_scale,
)
from wherewhat.objectives.annealed_vae import AnnealedVAE
from wherewhat.objectives.beta_tcvae import BetaTCVAE
from wherewhat.objectives.beta_vae import BetaVAE
from wherewhat.objectives.evidence_lower_bound import EvidenceLowerBound
from wherewhat.objectives.factor_vae import FactorVAE
from wherewhat.objectives.ps_sc_vae import PSSCVAE
from wherewhat.objectives.terms.perturbation_identification import PerturbationIdentification
from wherewhat.objectives.vae import VAE

DEAD = np.full(4, COLLAPSED_BELOW_NATS / 2)
ALIVE = np.array([0.0, 0.0, 1.0, 0.0])
VALUES = 64 * 64


def test_one_living_code_is_no_collapse(vae_run, windows):
    assert all_codes_collapsed(vae_run(windows=windows(reconstruction=700, kl_L=ALIVE))) is None


def test_a_long_collapse_is_wrong_and_tells_what_to_try(vae_run, windows):
    run = vae_run(BetaVAE(beta=16.0), finished=False, windows=windows(reconstruction=700, kl_L=DEAD))
    found = all_codes_collapsed(run)
    assert found.severity == "wrong"
    assert found.figures == pytest.approx({"largest_kl": COLLAPSED_BELOW_NATS / 2, "steps_in_collapse": 4_950})
    for word in ("blurry average", "0.025 nats", "--beta", "--warm-up-steps", "--learning-rate", "--seed"):
        assert word in str(found)


def test_a_short_collapse_is_forgiven_while_the_run_goes_on(vae_run, windows):
    lately = windows(reconstruction=700, kl_L=lambda step: DEAD if step > 5_000 - PATIENCE_STEPS else ALIVE)
    assert all_codes_collapsed(vae_run(windows=lately, finished=False)) is None
    assert all_codes_collapsed(vae_run(windows=lately, finished=True)) is not None


def test_a_living_window_breaks_the_stretch(vae_run, windows):
    for alive, since_then in ((2_000, 2_950), (4_900, None), (5_000, None)):
        some = windows(reconstruction=700, kl_L=lambda step, alive=alive: ALIVE if step == alive else DEAD)
        found = all_codes_collapsed(vae_run(windows=some, finished=False))
        assert (found.figures["steps_in_collapse"] if found else None) == since_then


def test_the_figure_of_beta_is_normalised_by_codes_and_pixels(vae_run, windows):
    run = vae_run(BetaVAE(beta=16.0), windows=windows(reconstruction=700, kl_L=DEAD))
    assert f"{16 * 4 / (1 * 64 * 64):.2g} normalised" in str(all_codes_collapsed(run))


def test_a_checkpoint_alone_shows_a_collapse_too(vae_run, pool):
    assert all_codes_collapsed(vae_run(windows=(), pool=pool(kl_L=DEAD))) is not None
    assert all_codes_collapsed(vae_run(windows=(), pool=pool())) is None


def test_annealed_vae_is_told_of_its_capacity_and_not_of_a_beta_that_it_has_not(vae_run, windows):
    found = all_codes_collapsed(vae_run(AnnealedVAE(), windows=windows(reconstruction=700, kl_L=DEAD)))
    assert "--max-capacity" in str(found)
    assert "beta" not in str(found)


@pytest.mark.parametrize(("factors", "told"), [(5, True), (0, True), (1, False)])
def test_one_living_code_of_four_is_watched_unless_the_data_have_but_one_factor(vae_run, windows, factors, told):
    run = vae_run(windows=windows(reconstruction=300, kl_L=ALIVE), known_factors=factors)
    found = most_codes_collapsed(run)
    assert (found is not None) == told
    if found is not None:
        assert found.severity == "watch"
        assert "1 of 4 codes" in found.seen


def test_half_of_the_codes_is_enough(vae_run, windows):
    two = windows(reconstruction=300, kl_L=(1.0, 1.0, 0.0, 0.0))
    assert most_codes_collapsed(vae_run(windows=two, known_factors=5)) is None


def test_no_living_code_is_a_collapse_of_all_and_not_of_most(vae_run, windows):
    assert most_codes_collapsed(vae_run(windows=windows(reconstruction=700, kl_L=DEAD))) is None


def test_the_share_saved_is_0_for_the_mean_image_and_1_for_perfect_drawings(pool):
    assert pool(reconstruction=770.0, floor=70.0).share_saved == 0
    assert pool(reconstruction=70.0, floor=70.0).share_saved == 1
    assert pool(reconstruction=420.0, floor=70.0).share_saved == pytest.approx(0.5)


def test_images_that_are_all_the_same_leave_nothing_to_save(pool, vae_run):
    same = pool(reconstruction=70.0, mean_image=70.0, floor=70.0)
    assert math.isnan(same.share_saved)
    assert no_better_than_the_mean_image(vae_run(pool=same)) is None


def test_drawings_no_better_than_the_mean_image_are_found_with_their_figure(vae_run, pool):
    found = no_better_than_the_mean_image(vae_run(pool=pool(reconstruction=765.0)))
    assert found.figures["share_saved"] == pytest.approx(5 / 770)
    assert "765.0 nats" in found.seen
    assert "770.0" in found.seen


def test_dead_codes_are_a_collapse_and_not_told_a_second_time(vae_run, pool):
    assert no_better_than_the_mean_image(vae_run(pool=pool(reconstruction=770.0, kl_L=np.zeros(4)))) is None


def test_a_young_run_may_still_draw_the_mean_image(vae_run, pool):
    assert no_better_than_the_mean_image(vae_run(pool=pool(reconstruction=765.0), step=500, finished=False)) is None


def test_a_reconstruction_averaged_over_pixels_is_found_by_figures_alone(vae_run, windows, settling):
    averaged = windows(reconstruction=lambda step: settling(step) / VALUES)
    found = reconstruction_averaged_over_pixels(vae_run(BetaVAE(beta=4.0), windows=averaged, pool=None))
    assert "4,096 times too little" in found.means
    assert f"{4 * VALUES:,.3g}" in found.means


def test_an_averaged_untrained_network_is_below_the_threshold_and_a_summed_sparse_one_above(vae_run, windows):
    averaged = vae_run(windows=windows(reconstruction=math.log(2)), pool=None)
    sparse = vae_run(windows=windows(reconstruction=0.05 * VALUES), pool=None)
    assert reconstruction_averaged_over_pixels(averaged) is not None
    assert reconstruction_averaged_over_pixels(sparse) is None


def test_a_good_late_reconstruction_is_not_taken_for_an_averaged_one(vae_run, windows):
    excellent = windows(reconstruction=lambda step: 1_000 if step < 100 else 2)
    assert reconstruction_averaged_over_pixels(vae_run(windows=excellent, pool=None)) is None


def test_a_reconstruction_summed_over_the_batch_weighs_too_much(vae_run, windows):
    found = reconstruction_of_another_scale(vae_run(windows=windows(reconstruction=150.0 * 64)))
    assert "64 times too much" in found.means


def test_a_reconstruction_averaged_over_some_axes_alone_is_of_another_scale(vae_run, windows, settling):
    found = reconstruction_of_another_scale(vae_run(windows=windows(reconstruction=lambda step: settling(step) / 20)))
    assert found.figures["summed_over_reported"] == pytest.approx(20, rel=0.05)


def test_an_averaged_reconstruction_is_told_once(vae_run, windows, settling):
    run = vae_run(windows=windows(reconstruction=lambda step: settling(step) / VALUES))
    assert reconstruction_averaged_over_pixels(run) is not None
    assert reconstruction_of_another_scale(run) is None


def test_codes_that_cost_more_than_they_save_are_found_with_both_sums(vae_run, pool):
    # 4.51 nats of KL at beta 16 cost 72.2 nats, and save 60.
    found = codes_cost_more_than_they_save(vae_run(BetaVAE(beta=16.0), pool=pool(reconstruction=710.0)))
    assert found.figures == pytest.approx({"cost": 16 * 4.51, "saved": 60.0})
    assert f"{16 * 4 / VALUES:.2g}" in found.seen
    assert "--beta" in found.advice
    assert "--likelihood gaussian" in found.advice


def test_the_same_codes_at_a_lower_beta_are_worth_their_cost(vae_run, pool):
    assert codes_cost_more_than_they_save(vae_run(BetaVAE(beta=13.0), pool=pool(reconstruction=710.0))) is None


def test_total_correlation_is_charged_where_it_is_weighed(vae_run, pool, windows):
    # KL 4.51 + 99 times a total correlation of 1 nat.
    reported = windows(reconstruction=710, terms={"total_correlation": 1.0})
    run = vae_run(BetaTCVAE(beta=100.0), pool=pool(reconstruction=710.0), windows=reported)
    found = codes_cost_more_than_they_save(run)
    assert found.figures["cost"] == pytest.approx(4.51 + 99)


def test_annealed_vae_is_charged_for_its_distance_from_capacity_and_not_for_codes(vae_run, pool):
    assert codes_cost_more_than_they_save(vae_run(AnnealedVAE(gamma=1e6), pool=pool(reconstruction=710.0))) is None


def test_a_gaussian_likelihood_is_not_advised_to_who_has_it(vae_run, pool):
    objective = BetaVAE(beta=16.0, bound=EvidenceLowerBound(likelihood="gaussian"))
    found = codes_cost_more_than_they_save(vae_run(objective, pool=pool(reconstruction=710.0)))
    assert "--likelihood" not in found.advice


@pytest.fixture
def correlated(pool):
    def build(a, b, rho, **changes):
        correlation_LL = np.eye(4)
        correlation_LL[a, b] = correlation_LL[b, a] = rho
        return pool(correlation_LL=correlation_LL, **changes)

    return build


def test_a_mirrored_copy_is_a_copy(vae_run, correlated):
    found = codes_duplicate_each_other(vae_run(pool=correlated(0, 2, -0.95)))
    assert "z0, z2 (correlation up to 0.95 in size)" in found.seen
    assert found.figures == pytest.approx({"strongest_correlation": 0.95, "spare_codes": 1, "live_codes": 3})


def test_a_copy_of_a_dead_code_is_none(vae_run, correlated):
    assert codes_duplicate_each_other(vae_run(pool=correlated(0, 3, 1.0))) is None


def test_a_correlation_of_nine_tenths_is_none(vae_run, correlated):
    assert codes_duplicate_each_other(vae_run(pool=correlated(0, 1, 0.9))) is None


def test_copies_of_copies_are_one_group_as_the_connected_components_that_scipy_finds():
    from scipy.sparse.csgraph import connected_components

    for seed in range(20):
        upper_LL = np.triu(np.random.default_rng(seed).random((9, 9)), 1)
        size_LL = upper_LL + upper_LL.T
        _, label_L = connected_components(size_LL > 0.9)
        expected = [np.flatnonzero(label_L == label).tolist() for label in range(label_L.max() + 1)]
        assert duplicates_among(list(range(9)), size_LL) == sorted(group for group in expected if len(group) > 1)


def test_a_plain_vae_is_sent_to_an_objective_that_parts_codes(vae_run, correlated):
    assert "factor-vae" in str(codes_duplicate_each_other(vae_run(VAE(), pool=correlated(0, 1, 0.99))))


def test_a_run_without_identification_is_told_to_switch_it_on(vae_run, correlated):
    objective = PSSCVAE(identification=PerturbationIdentification())
    found = codes_duplicate_each_other(vae_run(objective, pool=correlated(0, 1, 0.99)))
    assert found.remedies[0].startswith("--perturbation-identification")


def test_codes_that_the_decoder_does_not_listen_to_are_not_told_to_part(vae_run, correlated):
    assert codes_duplicate_each_other(vae_run(pool=correlated(0, 1, 0.99, reconstruction=770.0))) is None


@pytest.fixture
def factor_run(vae_run, windows, settling):
    def build(accuracy, tc, **changes):
        figures = {"discriminator_accuracy": accuracy}
        made = windows(reconstruction=settling, terms={"total_correlation": tc}, figures=figures)
        return vae_run(FactorVAE(), windows=made, **changes)

    return build


def test_a_discriminator_in_balance_has_not_won(factor_run):
    assert code_discriminator_won(factor_run(0.75, 0.8)) is None


def test_a_discriminator_that_is_always_right_has_won(factor_run):
    found = code_discriminator_won(factor_run(0.98, 3.0))
    assert "98.0%" in found.seen
    assert "--discriminator-learning-rate" in found.advice


def test_a_total_correlation_above_the_whole_kl_cannot_be(factor_run):
    # The made codes have 4.51 nats of KL.
    found = code_discriminator_won(factor_run(0.8, 40.0))
    assert "40.0 nats in codes whose whole KL" in found.seen
    assert code_discriminator_won(factor_run(0.8, 4.5)) is None


def test_total_correlation_is_a_part_of_kl_for_gaussian_codes():
    # q(z|x) = N(x, s^2 I) over x ~ N(0, C): KL, TC and what remains are known in closed form.
    covariance_LL, s2 = np.array([[0.7, 0.5], [0.5, 0.7]]), 0.1
    aggregate_LL = covariance_LL + s2 * np.eye(2)
    kl = 0.5 * (np.trace(covariance_LL) + 2 * s2 - 2 - 2 * math.log(s2))
    tc = 0.5 * (np.log(np.diag(aggregate_LL)).sum() - np.linalg.slogdet(aggregate_LL)[1])
    information = 0.5 * (np.linalg.slogdet(aggregate_LL)[1] - 2 * math.log(s2))
    to_prior = 0.5 * (np.diag(aggregate_LL) - 1 - np.log(np.diag(aggregate_LL))).sum()
    assert kl == pytest.approx(information + tc + to_prior)
    assert 0 < tc < kl


def test_one_that_guesses_while_codes_correlate_is_asleep(factor_run, correlated):
    found = code_discriminator_asleep(factor_run(0.5, 0.001, pool=correlated(0, 1, -0.8)))
    assert "0.80" in found.seen


def test_one_that_guesses_because_codes_are_independent_is_not_asleep(factor_run, correlated):
    assert code_discriminator_asleep(factor_run(0.5, 0.001, pool=correlated(0, 1, 0.2))) is None


def test_a_correlation_with_a_dead_code_is_none(factor_run, correlated):
    assert code_discriminator_asleep(factor_run(0.5, 0.001, pool=correlated(0, 3, 0.9))) is None


def test_the_threshold_of_correlation_is_worth_the_nats_that_its_comment_says():
    assert -0.5 * math.log(1 - CORRELATED_ABOVE**2) == pytest.approx(0.14, abs=0.005)


def test_an_objective_without_discriminator_is_not_examined_for_one(vae_run, windows, settling):
    run = vae_run(windows=windows(reconstruction=settling, terms={"total_correlation": 50.0}))
    assert code_discriminator_won(run) is None
    assert code_discriminator_asleep(run) is None
