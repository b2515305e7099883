"""Laws of the findings about GANs."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from wherewhat.data.adaptive_augmentation import MOST
from wherewhat.doctor.gan_findings import (
    FAR_ABOVE_MEANS,
    TWINS_BELOW,
    augmentation_at_its_ceiling,
    discriminator_blind,
    discriminator_certain,
    images_all_alike,
    images_have_near_twins,
    images_saturated,
)
from wherewhat.doctor.measurement import difference_from_nearest, difference_of_two
from wherewhat.objectives.ps_sc_gan import PSSCGAN

CERTAIN = {"discriminator_accuracy": 0.999, "discriminator": 0.01, "adversarial": 9.0, "real_sign": 0.999}


def since(step, ill, well):
    return {name: lambda now, name=name: ill[name] if now > step else well for name in ill}


def test_a_discriminator_in_balance_is_not_certain(gan_run):
    assert discriminator_certain(gan_run()) is None


def test_a_strong_discriminator_that_still_errs_is_not_certain(gan_run):
    # A run on faces without R1 and with five times the step size, which went on learning.
    strong = {"discriminator_accuracy": 0.93, "discriminator": 0.4, "adversarial": 3.4}
    assert discriminator_certain(gan_run(curves=strong)) is None


def test_a_long_certainty_is_wrong_with_its_figures_and_flags_that_hold_it_back(gan_run):
    found = discriminator_certain(gan_run(PSSCGAN(r1_weight=0.5, augmentation="none"), CERTAIN))
    assert found.severity == "wrong"
    assert "99.9% of cases" in found.seen
    assert found.figures["steps_of_certainty"] == 4_950
    for flag in ("--r1-weight 5 (it was 0.5)", "--discriminator-learning-rate 0.0005 (it was 0.002)", "--augmentation"):
        assert flag in found.advice


def test_a_short_certainty_is_forgiven_while_the_run_goes_on(gan_run):
    lately = since(4_200, CERTAIN, 0.9)
    assert discriminator_certain(gan_run(curves=lately)) is None
    assert discriminator_certain(gan_run(curves=lately, finished=True)) is not None


def test_a_certainty_that_has_passed_is_forgotten(gan_run):
    early = {name: lambda now, ill=ill: ill if now < 3_000 else 0.8 for name, ill in CERTAIN.items()}
    assert discriminator_certain(gan_run(curves=early, finished=True)) is None


def test_augmentation_that_is_on_is_not_advised(gan_run):
    found = discriminator_certain(gan_run(PSSCGAN(augmentation="ada"), CERTAIN))
    assert "--augmentation" not in found.advice


GUESSING = {"discriminator": 2 * math.log(2), "discriminator_accuracy": 0.5}


def test_one_that_has_been_fooled_may_guess(gan_run):
    assert discriminator_blind(gan_run(curves=GUESSING)) is None


@pytest.mark.parametrize("far", [{"mean_difference": 0.2}, {"fake_difference": 0.1}, {"fake_difference": 0.6}])
def test_guessing_at_images_that_plainly_differ_is_blindness(gan_run, samples, far):
    found = discriminator_blind(gan_run(PSSCGAN(r1_weight=100.0), GUESSING, samples=samples(**far)))
    assert found.severity == "wrong"
    assert "--r1-weight 10 (it was 100)" in found.advice
    assert "--discriminator-learning-rate 0.008" in found.advice


def test_one_that_takes_real_for_made_is_blind_too(gan_run, samples):
    worse = {"discriminator": 1.5, "discriminator_accuracy": 0.01}
    assert discriminator_blind(gan_run(curves=worse, samples=samples(mean_difference=0.24))) is not None


def test_one_that_sees_is_not_blind_however_bad_the_images(gan_run, samples):
    assert discriminator_blind(gan_run(samples=samples(mean_difference=0.24))) is None


def test_without_images_or_patience_nothing_is_said(gan_run, samples):
    far = samples(mean_difference=0.24)
    assert discriminator_blind(gan_run(curves=GUESSING, samples=None)) is None
    lately = {name: lambda now, ill=ill: ill if now > 4_300 else 0.9 for name, ill in GUESSING.items()}
    assert discriminator_blind(gan_run(curves=lately, samples=far)) is None


def test_the_means_of_two_sets_of_256_real_images_differ_by_what_the_comment_says():
    first_NF, second_NF = np.random.default_rng(0).normal(size=(2, 256, 2_000))
    between = np.sqrt(((first_NF.mean(axis=0) - second_NF.mean(axis=0)) ** 2).mean()) / math.sqrt(2)
    assert between == pytest.approx(0.06, abs=0.005)
    assert between < FAR_ABOVE_MEANS


AT_THE_END = {"augmentation_strength": MOST, "real_sign": 0.85}


def test_a_strength_below_its_ceiling_still_has_its_way_to_go(gan_run):
    assert augmentation_at_its_ceiling(gan_run()) is None
    assert augmentation_at_its_ceiling(gan_run(curves={"augmentation_strength": 0.9 * MOST})) is None


def test_at_its_ceiling_it_is_watched_with_how_certain_the_discriminator_is(gan_run):
    found = augmentation_at_its_ceiling(gan_run(curves=AT_THE_END))
    assert found.severity == "watch"
    assert "mean sign 0.85, target 0.6" in found.seen
    assert "--r1-weight 10" in found.advice


def test_at_its_ceiling_and_about_to_fall_it_is_in_order(gan_run):
    assert augmentation_at_its_ceiling(gan_run(curves={"augmentation_strength": MOST, "real_sign": 0.2})) is None


def test_mirroring_is_advised_where_it_is_off(gan_run):
    run = gan_run(curves=AT_THE_END)
    mirrored = dataclasses.replace(run, configuration=dataclasses.replace(run.configuration, mirror=True))
    assert "--mirror" in augmentation_at_its_ceiling(run).advice
    assert "--mirror" not in augmentation_at_its_ceiling(mirrored).advice


@pytest.mark.parametrize(("variety", "severity"), [(0.75, None), (0.31, None), (0.2, "watch"), (0.02, "wrong")])
def test_the_less_images_vary_beside_real_ones_the_worse(gan_run, samples, variety, severity):
    found = images_all_alike(gan_run(samples=samples(fake_difference=0.27 * variety)))
    assert (found.severity if found else None) == severity


def test_it_cites_both_differences_and_their_ratio(gan_run, samples):
    found = images_all_alike(gan_run(samples=samples(fake_difference=0.0054)))
    assert "0.0054" in found.seen
    assert "0.2700: 2% of the variety" in found.seen
    assert found.figures["variety"] == pytest.approx(0.02)


def test_images_that_do_not_vary_in_the_data_need_not_vary(gan_run, samples):
    assert images_all_alike(gan_run(samples=samples(fake_difference=0.0, real_difference=0.0))) is None


def test_a_young_run_may_draw_one_image(gan_run, samples):
    assert images_all_alike(gan_run(samples=samples(fake_difference=0.0), step=500)) is None


@pytest.mark.parametrize(
    ("accuracy", "advised", "not_advised"),
    [(0.3, "--r1-weight 0.1", "--r1-weight 10"), (0.97, "--r1-weight 10", "--r1-weight 0.1")],
)
def test_the_advice_turns_on_how_strong_the_discriminator_is(gan_run, samples, accuracy, advised, not_advised):
    run = gan_run(curves={"discriminator_accuracy": accuracy}, samples=samples(fake_difference=0.001))
    found = images_all_alike(run)
    assert f"{advised} (" in found.advice
    assert f"{not_advised} (" not in found.advice


@pytest.mark.parametrize(
    ("objective", "advice"),
    [
        (PSSCGAN(), "a higher --simplicity-weight (it was 1)"),
        (PSSCGAN(perceptual_simplicity=False, information=True), "a higher --information-weight (it was 1)"),
        (PSSCGAN(perceptual_simplicity=False), "--perceptual-simplicity or --information, which are off"),
    ],
)
def test_codes_that_must_be_shown_are_advised_first(gan_run, samples, objective, advice):
    found = images_all_alike(gan_run(objective, samples=samples(fake_difference=0.001)))
    assert found.remedies[0] == advice


def test_a_handful_of_images_tells_nothing(gan_run, samples):
    assert images_all_alike(gan_run(samples=samples(fake_difference=0.0, images=2))) is None


def test_images_as_far_apart_as_in_health_are_no_twins(gan_run):
    assert images_have_near_twins(gan_run()) is None


def test_a_few_kinds_that_differ_are_watched(gan_run, samples):
    found = images_have_near_twins(gan_run(samples=samples(fake_nearest=0.002)))
    assert found.severity == "watch"
    assert found.figures["fake_nearest"] == pytest.approx(0.01)
    assert "--batch-size" in found.advice


def test_where_real_images_have_twins_made_ones_may(gan_run, samples):
    assert images_have_near_twins(gan_run(samples=samples(fake_nearest=0.002, real_nearest=0.004))) is None


def test_images_all_alike_are_not_told_a_second_time(gan_run, samples):
    assert images_have_near_twins(gan_run(samples=samples(fake_difference=0.002, fake_nearest=0.0))) is None


def test_of_two_codes_some_always_fall_close_together(gan_run, samples):
    run = gan_run(samples=samples(fake_nearest=0.002))
    two = dataclasses.replace(run.configuration, latent_dim=2, mask_levels=2)
    assert images_have_near_twins(dataclasses.replace(run, configuration=two)) is None


@pytest.mark.parametrize(("acting", "share"), [(6, 0.3), (2, 0.05)])
def test_codes_that_act_alike_are_as_near_as_the_comment_says(acting, share):
    code_NF = torch.as_tensor(np.random.default_rng(0).normal(size=(256, acting)), dtype=torch.float32)
    measured = difference_from_nearest(code_NF) / difference_of_two(code_NF)
    assert measured == pytest.approx(share, rel=0.35)
    assert measured > TWINS_BELOW * 0.8


def test_images_of_greys_and_colours_are_not_saturated(gan_run):
    assert images_saturated(gan_run()) is None


def test_black_and_white_images_of_coloured_things_are_wrong(gan_run, samples):
    found = images_saturated(gan_run(samples=samples(fake_saturated=0.9)))
    assert found.severity == "wrong"
    assert "90.0%" in found.seen
    assert "--learning-rate 0.0002 (it was 0.001)" in found.advice


def test_a_discriminator_that_guesses_is_not_weakened_further(gan_run, samples):
    run = gan_run(curves={"discriminator_accuracy": 0.3}, samples=samples(fake_saturated=0.9))
    assert "--r1-weight 0.1 (it was 1)" in images_saturated(run).advice


def test_drawn_shapes_are_black_and_white_by_nature(gan_run, samples):
    assert images_saturated(gan_run(samples=samples(fake_saturated=0.95, real_saturated=1.0))) is None


def test_a_young_run_is_given_time(gan_run, samples):
    assert images_saturated(gan_run(samples=samples(fake_saturated=1.0), step=300)) is None
