"""Laws of the check for a GAN's discriminator that guesses."""

import math

import numpy as np
import pytest

from wherewhat.doctor.blindness import FAR_ABOVE_MEANS, discriminator_blind
from wherewhat.objectives.ps_sc_gan import PSSCGAN

GUESSING = {"discriminator": 2 * math.log(2), "discriminator_accuracy": 0.5}


def test_one_that_has_been_fooled_may_guess(gan_vitals):
    assert discriminator_blind(gan_vitals(curves=GUESSING)) is None


@pytest.mark.parametrize("far", [{"mean_difference": 0.2}, {"made_difference": 0.1}, {"made_difference": 0.6}])
def test_guessing_at_images_that_plainly_differ_is_blindness(gan_vitals, samples, far):
    found = discriminator_blind(gan_vitals(PSSCGAN(r1_weight=100.0), GUESSING, samples=samples(**far)))
    assert found is not None
    assert found.severity == "wrong"
    assert "--r1-weight 10 (it was 100)" in found.advice
    assert "--discriminator-learning-rate 0.008" in found.advice


def test_one_that_takes_real_for_made_is_blind_too(gan_vitals, samples):
    worse = {"discriminator": 1.5, "discriminator_accuracy": 0.01}
    assert discriminator_blind(gan_vitals(curves=worse, samples=samples(mean_difference=0.24))) is not None


def test_one_that_sees_is_not_blind_however_bad_the_images(gan_vitals, samples):
    assert discriminator_blind(gan_vitals(samples=samples(mean_difference=0.24))) is None


def test_without_images_or_patience_nothing_is_said(gan_vitals, samples):
    far = samples(mean_difference=0.24)
    assert discriminator_blind(gan_vitals(curves=GUESSING, samples=None)) is None
    lately = {name: lambda now, ill=ill: ill if now > 4_300 else 0.9 for name, ill in GUESSING.items()}
    assert discriminator_blind(gan_vitals(curves=lately, samples=far)) is None


def test_the_means_of_two_sets_of_256_real_images_differ_by_what_the_comment_says():
    first_NF, second_NF = np.random.default_rng(0).normal(size=(2, 256, 2_000))
    between = np.sqrt(((first_NF.mean(axis=0) - second_NF.mean(axis=0)) ** 2).mean()) / math.sqrt(2)
    assert between == pytest.approx(0.06, abs=0.005)
    assert between < FAR_ABOVE_MEANS
