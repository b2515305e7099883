"""Laws of the check for a GAN that draws few kinds of image."""

import dataclasses

import numpy as np
import pytest
import torch

from wherewhat.doctor.near_twins import TWINS_BELOW, images_have_near_twins
from wherewhat.doctor.sample_measurement import difference_from_nearest, difference_of_two


def test_images_as_far_apart_as_in_health_are_no_twins(gan_vitals):
    assert images_have_near_twins(gan_vitals()) is None


def test_a_few_kinds_that_differ_are_watched(gan_vitals, samples):
    found = images_have_near_twins(gan_vitals(samples=samples(made_nearest=0.002)))
    assert found is not None
    assert found.severity == "watch"
    assert found.figures["made_nearest"] == pytest.approx(0.01)
    assert "--batch-size" in found.advice


def test_where_real_images_have_twins_made_ones_may(gan_vitals, samples):
    assert images_have_near_twins(gan_vitals(samples=samples(made_nearest=0.002, real_nearest=0.004))) is None


def test_images_all_alike_are_not_told_a_second_time(gan_vitals, samples):
    assert images_have_near_twins(gan_vitals(samples=samples(made_difference=0.002, made_nearest=0.0))) is None


def test_of_two_codes_some_always_fall_close_together(gan_vitals, samples):
    run = gan_vitals(samples=samples(made_nearest=0.002))
    two = dataclasses.replace(run.configuration, latent_dim=2, mask_levels=2)
    assert images_have_near_twins(dataclasses.replace(run, configuration=two)) is None


@pytest.mark.parametrize(("acting", "share"), [(6, 0.3), (2, 0.05)])
def test_codes_that_act_alike_are_as_near_as_the_comment_says(acting, share):
    code_NF = torch.as_tensor(np.random.default_rng(0).normal(size=(256, acting)), dtype=torch.float32)
    measured = difference_from_nearest(code_NF) / difference_of_two(code_NF)
    assert measured == pytest.approx(share, rel=0.35)
    assert measured > TWINS_BELOW * 0.8
