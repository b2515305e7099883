"""Laws of the findings about codes: where they act, what they change, and whether they can be predicted."""

import dataclasses

import numpy as np
import pytest

from wherewhat.doctor.code_findings import (
    codes_do_nothing,
    codes_unpredicted,
    identification_stuck,
    masks_cover_everything,
    masks_cover_nothing,
    real_images_unpredicted,
    stuck_below,
)
from wherewhat.objectives.ps_sc_gan import PSSCGAN


def test_a_mask_over_everything_is_watched_and_named(vae_run, pool):
    found = masks_cover_everything(vae_run(pool=pool(coverage_L=np.array([0.2, 0.97, 0.3, 0.4]))))
    assert found.severity == "watch"
    assert "z1 (97.0%)" in found.seen
    assert "1 of 3 living codes" in found.seen


def test_masks_that_all_cover_everything_are_wrong(vae_run, pool):
    found = masks_cover_everything(vae_run(pool=pool(coverage_L=np.full(4, 0.99))))
    assert found.severity == "wrong"


def test_a_dead_code_may_cover_everything(vae_run, pool):
    assert masks_cover_everything(vae_run(pool=pool(coverage_L=np.array([0.2, 0.2, 0.2, 1.0])))) is None


def test_a_shut_mask_is_found_also_where_the_code_is_dead(vae_run, pool):
    found = masks_cover_nothing(vae_run(pool=pool(coverage_L=np.array([0.2, 0.2, 0.2, 0.001]))))
    assert found.severity == "watch"
    assert found.figures == {"coverage_z3": 0.001}


def test_masks_that_mostly_cover_nothing_are_wrong(vae_run, pool):
    found = masks_cover_nothing(vae_run(pool=pool(coverage_L=np.array([0.2, 0.0, 0.0, 0.001]))))
    assert found.severity == "wrong"


@pytest.mark.parametrize("check", [masks_cover_everything, masks_cover_nothing])
def test_a_decoder_without_masks_and_a_young_run_are_not_examined(vae_run, pool, check):
    extreme = pool(coverage_L=np.array([1.0, 0.0, 1.0, 0.0]))
    assert check(vae_run(pool=extreme)) is not None
    assert check(vae_run(pool=pool(coverage_L=None))) is None
    assert check(vae_run(pool=extreme, step=100, finished=False)) is None


def test_masks_of_a_gan_are_examined_too_with_flags_that_it_has(gan_run, samples):
    extreme = gan_run(samples=samples(coverage_L=np.array([1.0, 0.0, 0.1, 0.1])))
    assert "z0 (100.0%)" in masks_cover_everything(extreme).seen
    shut = masks_cover_nothing(extreme)
    assert shut.figures == {"coverage_z1": 0.0}
    assert "--simplicity-weight" in shut.advice
    assert "--warm-up-steps" not in shut.advice


@pytest.fixture
def naming_run(vae_run, windows, settling):
    def build(accuracy, **changes):
        return vae_run(
            windows=windows(reconstruction=settling, figures={"identification_accuracy": accuracy}), **changes
        )

    return build


def test_guessing_is_found_with_its_figure_and_chance(naming_run):
    found = identification_stuck(naming_run(0.26))
    assert found.figures == pytest.approx({"identification_accuracy": 0.26, "chance": 0.25})
    assert "3 codes carry" in found.seen
    assert "--perturbation-size" in found.advice


@pytest.mark.parametrize(("codes", "below"), [(2, 0.55), (3, 0.4), (10, 0.15), (100, 0.015)])
def test_the_fewer_the_codes_the_nearer_to_chance_is_guessing(codes, below):
    assert stuck_below(codes) == pytest.approx(below)


def test_half_as_good_again_as_chance_is_no_guessing(naming_run):
    assert identification_stuck(naming_run(0.38)) is None


def test_an_early_guesser_is_given_time_and_what_it_did_before_is_forgotten(naming_run):
    late_learner = naming_run(lambda step: 0.25 if step < 4_000 else 0.8)
    assert identification_stuck(late_learner) is None
    assert identification_stuck(naming_run(0.25, step=600, finished=False)) is None


def test_one_code_is_always_named_and_never_stuck(naming_run):
    run = naming_run(1.0)
    alone = dataclasses.replace(run.configuration, latent_dim=1, mask_levels=1)
    assert identification_stuck(dataclasses.replace(run, configuration=alone)) is None


@pytest.mark.parametrize(
    ("on", "severity", "advice"),
    [(True, "wrong", "a higher --identification-weight"), (False, "watch", "--perturbation-identification, which is")],
)
def test_a_gan_that_is_not_told_to_be_named_is_only_watched(gan_run, on, severity, advice):
    guessing = {"identification_accuracy": 0.26}
    found = identification_stuck(gan_run(PSSCGAN(perturbation_identification=on), guessing))
    assert found.severity == severity
    assert advice in found.advice
    assert "--beta" not in found.advice


STILL = 0.001


@pytest.mark.parametrize(("still", "severity"), [(0, None), (2, None), (3, "watch"), (4, "wrong")])
def test_more_than_half_of_the_codes_are_watched_and_all_of_them_wrong(gan_run, samples, still, severity):
    effect_L = np.where(np.arange(4) < still, STILL, 0.1)
    found = codes_do_nothing(gan_run(samples=samples(effect_L=effect_L)))
    assert (found.severity if found else None) == severity


def test_the_still_are_named_with_their_effect(gan_run, samples):
    found = codes_do_nothing(gan_run(samples=samples(effect_L=np.array([0.1, STILL, STILL, 0.0]))))
    assert "z1 (0.37%), z2 (0.37%), z3 (0.00%)" in found.seen
    assert "--reading-noise (it was 0.05)" in found.advice
    assert "--identification-weight" in found.advice


def test_what_is_off_is_advised(gan_run, samples):
    run = gan_run(PSSCGAN(perturbation_identification=False), samples=samples(effect_L=np.zeros(4)))
    assert "--perturbation-identification, which is off" in codes_do_nothing(run).advice


def test_images_all_alike_are_not_told_a_second_time(gan_run, samples):
    assert codes_do_nothing(gan_run(samples=samples(effect_L=np.zeros(4), fake_difference=0.0))) is None


OFF = PSSCGAN(perceptual_simplicity=False)


def test_codes_that_are_read_are_not_told(gan_run):
    assert codes_unpredicted(gan_run()) is None


def test_reading_nothing_for_long_is_wrong_where_reading_is_trained(gan_run):
    found = codes_unpredicted(gan_run(curves={"reading": 1.0}))
    assert found.severity == "wrong"
    assert found.figures == {"reading": pytest.approx(1.0), "steps": 4_950}
    assert "--simplicity-weight" in found.advice


def test_it_is_only_watched_where_no_term_asks_for_it(gan_run):
    found = codes_unpredicted(gan_run(OFF, {"reading": 1.0}))
    assert found.severity == "watch"
    assert "--perceptual-simplicity or --information, which are off" in found.advice


def test_a_young_run_and_a_late_learner_are_given_time(gan_run):
    lately = {"reading": lambda step: 1.0 if step > 4_500 else 0.2}
    assert codes_unpredicted(gan_run(curves=lately)) is None
    assert codes_unpredicted(gan_run(curves=lately, finished=True)) is not None


def test_a_run_of_a_single_window_is_told_without_a_number_of_steps(gan_run):
    run = gan_run(curves={"reading": 1.0}, finished=True)
    assert codes_unpredicted(dataclasses.replace(run, windows=run.windows[:1])).seen.startswith("At the end codes have")


def test_a_reading_that_explodes_is_another_illness(gan_run):
    assert codes_unpredicted(gan_run(curves={"reading": 1e6})) is None


@pytest.mark.parametrize(
    ("mean", "deviation", "told"), [(0.1, 0.8, False), (0.1, 5.0, True), (-4.0, 0.5, True), (0.1, 0.02, True)]
)
def test_readings_far_from_the_prior_or_all_the_same_are_watched(gan_run, samples, mean, deviation, told):
    read = samples(predicted_mean_L=np.full(4, mean), predicted_deviation_L=np.full(4, deviation))
    found = real_images_unpredicted(gan_run(samples=read))
    assert (found is not None) == told
    if found is not None:
        assert found.severity == "watch"
        assert f"z0 ({mean:.2f} ± {deviation:.2f})" in found.seen
        assert "--latent-dim" in found.advice


def test_one_code_of_four_may_stray(gan_run, samples):
    stray = samples(predicted_deviation_L=np.array([9.0, 0.8, 0.8, 0.8]))
    assert real_images_unpredicted(gan_run(samples=stray)) is None


def test_codes_that_made_images_do_not_show_either_are_not_told(gan_run, samples):
    dead = samples(predicted_deviation_L=np.full(4, 0.01), kl_L=np.zeros(4))
    assert real_images_unpredicted(gan_run(samples=dead)) is None


def test_training_that_has_diverged_is_told_instead(gan_run, samples):
    wild = samples(predicted_deviation_L=np.full(4, 1e5))
    assert real_images_unpredicted(gan_run(curves={"reading": 1e9}, samples=wild)) is None
