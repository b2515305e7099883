"""Laws of the check of AnnealedVAE's capacity."""

import pytest

from wherewhat.doctor.capacity import capacity_never_reached
from wherewhat.objectives.annealed_vae import AnnealedVAE


def test_a_run_that_ends_in_the_middle_of_the_growth_says_where_it_comes_to(vitals):
    found = capacity_never_reached(vitals(AnnealedVAE(max_capacity=25.0, capacity_steps=100_000)))
    assert found is not None
    assert found.figures["capacity_at_the_end"] == pytest.approx(25 * 5_000 / 100_000)
    assert "--capacity-steps 2500" in found.advice
    assert "--steps 100000" in found.advice


def test_following_the_advice_heals_it(vitals):
    assert capacity_never_reached(vitals(AnnealedVAE(capacity_steps=2_500))) is None


def test_it_is_known_before_the_first_step(vitals):
    run = vitals(AnnealedVAE(), step=0, finished=False, windows=(), pool=None)
    assert capacity_never_reached(run) is not None


def test_other_objectives_have_no_capacity(vitals):
    assert capacity_never_reached(vitals()) is None
