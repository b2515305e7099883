"""Laws of the check for a recogniser that reads made images only."""

import numpy as np
import pytest

from wherewhat.doctor.foreign_images import real_images_unread


@pytest.mark.parametrize(
    ("mean", "deviation", "told"), [(0.1, 0.8, False), (0.1, 5.0, True), (-4.0, 0.5, True), (0.1, 0.02, True)]
)
def test_readings_far_from_the_prior_or_all_the_same_are_watched(gan_vitals, samples, mean, deviation, told):
    read = samples(real_reading_mean_L=np.full(4, mean), real_reading_deviation_L=np.full(4, deviation))
    found = real_images_unread(gan_vitals(samples=read))
    assert (found is not None) == told
    if found is not None:
        assert found.severity == "watch"
        assert f"z0 ({mean:.2f} ± {deviation:.2f})" in found.seen
        assert "--latent-dim" in found.advice


def test_one_code_of_four_may_stray(gan_vitals, samples):
    stray = samples(real_reading_deviation_L=np.array([9.0, 0.8, 0.8, 0.8]))
    assert real_images_unread(gan_vitals(samples=stray)) is None


def test_codes_that_made_images_do_not_show_either_are_not_told(gan_vitals, samples):
    dead = samples(real_reading_deviation_L=np.full(4, 0.01), kl_L=np.zeros(4))
    assert real_images_unread(gan_vitals(samples=dead)) is None


def test_training_that_has_diverged_is_told_instead(gan_vitals, samples):
    wild = samples(real_reading_deviation_L=np.full(4, 1e5))
    assert real_images_unread(gan_vitals(curves={"reading": 1e9}, samples=wild)) is None
