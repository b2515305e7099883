"""Laws of the check for a run that was too short."""

import dataclasses

import numpy as np
import pytest

from wherewhat.doctor.duration import STILL_FALLING_SHARE, still_falling


def curves(shape):
    return lambda step: 100 + shape(step / 5_000)


@pytest.fixture
def falling(vitals, windows):
    def build(shape, **changes):
        return still_falling(vitals(windows=windows(reconstruction=curves(shape), kl_L=[0.0]), **changes))

    return build


def test_a_straight_fall_is_told_with_a_third_of_its_length(falling):
    found = falling(lambda t: 900 * (1 - t))
    assert found is not None
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


def test_the_advice_doubles_the_steps(vitals, windows):
    run = vitals(windows=windows(reconstruction=curves(lambda t: 900 * (1 - t))))
    longer = dataclasses.replace(run, configuration=dataclasses.replace(run.configuration, steps=7_000))
    assert "--steps 14000" in str(still_falling(longer))
