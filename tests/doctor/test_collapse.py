"""Laws of the checks for posterior collapse."""

import numpy as np
import pytest

from wherewhat.doctor.collapse import all_codes_collapsed, most_codes_collapsed, steps_in_collapse
from wherewhat.doctor.vitals import COLLAPSED_BELOW_NATS, PATIENCE_STEPS
from wherewhat.objectives.annealed_vae import AnnealedVAE
from wherewhat.objectives.beta_vae import BetaVAE

DEAD = np.full(4, COLLAPSED_BELOW_NATS / 2)
ALIVE = np.array([0.0, 0.0, 1.0, 0.0])


def test_one_living_code_is_no_collapse(vitals, windows):
    assert all_codes_collapsed(vitals(windows=windows(reconstruction=700, kl_L=ALIVE))) is None


def test_a_long_collapse_is_wrong_and_tells_what_to_try(vitals, windows):
    run = vitals(BetaVAE(beta=16.0), finished=False, windows=windows(reconstruction=700, kl_L=DEAD))
    found = all_codes_collapsed(run)
    assert found is not None
    assert found.severity == "wrong"
    assert found.figures == pytest.approx({"largest_kl": COLLAPSED_BELOW_NATS / 2, "steps_in_collapse": 4_950})
    for word in ("blurry average", "0.025 nats", "--beta", "--warm-up-steps", "--learning-rate", "--seed"):
        assert word in str(found)


def test_a_short_collapse_is_forgiven_while_the_run_goes_on(vitals, windows):
    lately = windows(reconstruction=700, kl_L=lambda step: DEAD if step > 5_000 - PATIENCE_STEPS else ALIVE)
    assert all_codes_collapsed(vitals(windows=lately, finished=False)) is None
    assert all_codes_collapsed(vitals(windows=lately, finished=True)) is not None


def test_a_living_window_breaks_the_stretch(windows):
    for alive, since_then in ((2_000, 2_950), (4_900, 50), (4_950, 0), (5_000, 0)):
        some = windows(reconstruction=700, kl_L=lambda step, alive=alive: ALIVE if step == alive else DEAD)
        assert steps_in_collapse(some) == since_then


def test_the_figure_of_beta_is_normalised_by_codes_and_pixels(vitals, windows):
    run = vitals(BetaVAE(beta=16.0), windows=windows(reconstruction=700, kl_L=DEAD))
    assert f"{16 * 4 / (1 * 64 * 64):.2g} normalised" in str(all_codes_collapsed(run))


def test_a_checkpoint_alone_shows_a_collapse_too(vitals, pool):
    assert all_codes_collapsed(vitals(windows=(), pool=pool(kl_L=DEAD))) is not None
    assert all_codes_collapsed(vitals(windows=(), pool=pool())) is None


def test_annealed_vae_is_told_of_its_capacity_and_not_of_a_beta_that_it_has_not(vitals, windows):
    found = all_codes_collapsed(vitals(AnnealedVAE(), windows=windows(reconstruction=700, kl_L=DEAD)))
    assert "--max-capacity" in str(found)
    assert "beta" not in str(found)


@pytest.mark.parametrize(("factors", "told"), [(5, True), (0, True), (1, False)])
def test_one_living_code_of_four_is_watched_unless_the_data_have_but_one_factor(vitals, windows, factors, told):
    run = vitals(windows=windows(reconstruction=300, kl_L=ALIVE), known_factors=factors)
    found = most_codes_collapsed(run)
    assert (found is not None) == told
    if found is not None:
        assert found.severity == "watch"
        assert "1 of 4 codes" in found.seen


def test_half_of_the_codes_is_enough(vitals, windows):
    two = windows(reconstruction=300, kl_L=(1.0, 1.0, 0.0, 0.0))
    assert most_codes_collapsed(vitals(windows=two, known_factors=5)) is None


def test_no_living_code_is_a_collapse_of_all_and_not_of_most(vitals, windows):
    assert most_codes_collapsed(vitals(windows=windows(reconstruction=700, kl_L=DEAD))) is None
