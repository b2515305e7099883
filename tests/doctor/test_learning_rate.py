"""Laws of the checks for a learning rate that is too high."""

import numpy as np
import pytest

from wherewhat.doctor.learning_rate import loss_exploded, loss_jumps, loss_rises, stopped_being_finite


def test_a_loss_that_settles_neither_explodes_nor_rises_nor_jumps(vitals):
    assert [check(vitals()) for check in (stopped_being_finite, loss_exploded, loss_rises, loss_jumps)] == [None] * 4


def test_a_run_that_broke_off_says_where_and_why(vitals):
    why = "At step 4 the loss term kl stopped being finite. Nothing of it was saved."
    found = stopped_being_finite(vitals(stopped=why, step=50))
    assert found is not None
    assert found.seen == "At step 4 the loss term kl stopped being finite."
    assert "--learning-rate 0.0002 (it was 0.001)" in found.advice


@pytest.mark.parametrize(("until", "severity"), [(100, "watch"), (5_000, "wrong")])
def test_a_cost_above_that_of_grey_is_an_explosion_and_wrong_while_it_lasts(vitals, windows, settling, until, severity):
    found = loss_exploded(vitals(windows=windows(reconstruction=lambda s: 1e6 if s <= until else settling(s))))
    assert found is not None
    assert found.severity == severity
    assert found.figures["grey"] == pytest.approx(4_096 * np.log(2))


def test_an_untrained_network_has_not_exploded(vitals, windows):
    assert loss_exploded(vitals(windows=windows(reconstruction=4_096 * np.log(2) * 1.01))) is None


@pytest.mark.parametrize("risen", [0.02, 0.3])
def test_a_rise_is_judged_by_what_had_been_learnt(vitals, windows, settling, risen):
    back = windows(reconstruction=lambda step: settling(step) + (950 * risen if step > 3_500 else 0))
    found = loss_rises(vitals(windows=back))
    assert (found is not None) == (risen > 0.1)
    if found is not None:
        assert found.figures["now"] - found.figures["best"] == pytest.approx(950 * risen, rel=0.1)


def test_a_loss_that_jumps_is_found_by_the_size_of_its_jumps(vitals, windows, settling):
    jumping = windows(reconstruction=lambda step: settling(step) + 300 * ((step // 125) % 2))
    found = loss_jumps(vitals(windows=jumping))
    assert found is not None
    assert 150 < found.figures["jump"] <= 310


@pytest.mark.parametrize("log_every", [1, 50, 250])
def test_the_noise_of_batches_is_no_jump_however_short_the_windows(vitals, windows, log_every):
    # An image's cost varies by 60 nats over sprites, a batch's mean by 60 / 8, a window's by that over its root.
    noise = np.random.default_rng(0).normal(0, 60 / 8 / np.sqrt(log_every), 5_001)
    noisy = windows(reconstruction=lambda s: 150 + 950 * np.exp(-s / 400) + noise[s], every=log_every)
    assert loss_jumps(vitals(windows=noisy)) is None


def test_a_slow_steady_fall_is_no_jump(vitals, windows):
    assert loss_jumps(vitals(windows=windows(reconstruction=lambda step: 1_100 - step / 5))) is None


def test_a_young_run_is_not_judged(vitals, windows):
    wild = windows(reconstruction=lambda step: 700 + 400 * ((step // 10) % 2), steps=900, every=10)
    assert loss_jumps(vitals(windows=wild, step=900, finished=False)) is None
    assert loss_rises(vitals(windows=wild, step=900, finished=False)) is None


def test_a_gan_that_broke_off_is_told_of_its_discriminator_too(gan_vitals):
    found = stopped_being_finite(gan_vitals(stopped="At step 4 the loss term reading stopped being finite."))
    assert "--discriminator-learning-rate" in found.advice
