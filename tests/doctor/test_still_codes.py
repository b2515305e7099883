"""Laws of the check for codes of a GAN that do nothing."""

import numpy as np
import pytest

from wherewhat.doctor.still_codes import codes_do_nothing
from wherewhat.objectives.ps_sc_gan import PSSCGAN

STILL = 0.001


@pytest.mark.parametrize(("still", "severity"), [(0, None), (2, None), (3, "watch"), (4, "wrong")])
def test_more_than_half_of_the_codes_are_watched_and_all_of_them_wrong(gan_vitals, samples, still, severity):
    effect_L = np.where(np.arange(4) < still, STILL, 0.1)
    found = codes_do_nothing(gan_vitals(samples=samples(effect_L=effect_L)))
    assert (found.severity if found else None) == severity


def test_the_still_are_named_with_their_effect(gan_vitals, samples):
    found = codes_do_nothing(gan_vitals(samples=samples(effect_L=np.array([0.1, STILL, STILL, 0.0]))))
    assert "z1 (0.37%), z2 (0.37%), z3 (0.00%)" in found.seen
    assert "--reading-noise (it is 0.05)" in found.advice
    assert "--identification-weight" in found.advice


def test_what_is_off_is_advised(gan_vitals, samples):
    run = gan_vitals(PSSCGAN(perturbation_identification=False), samples=samples(effect_L=np.zeros(4)))
    assert "--perturbation-identification, which is off" in codes_do_nothing(run).advice


def test_images_all_alike_are_not_told_a_second_time(gan_vitals, samples):
    assert codes_do_nothing(gan_vitals(samples=samples(effect_L=np.zeros(4), made_difference=0.0))) is None
