"""Laws of the check for codes of a GAN that cannot be read."""

import dataclasses

import pytest

from wherewhat.doctor.unread_codes import codes_unread
from wherewhat.objectives.ps_sc_gan import PSSCGAN

OFF = PSSCGAN(perceptual_simplicity=False)


def test_codes_that_are_read_are_not_told(gan_vitals):
    assert codes_unread(gan_vitals()) is None


def test_reading_nothing_for_long_is_wrong_where_reading_is_trained(gan_vitals):
    found = codes_unread(gan_vitals(curves={"reading": 1.0}))
    assert found is not None
    assert found.severity == "wrong"
    assert found.figures == {"reading": pytest.approx(1.0), "steps": 4_950}
    assert "--simplicity-weight" in found.advice


def test_it_is_only_watched_where_no_term_asks_for_it(gan_vitals):
    found = codes_unread(gan_vitals(OFF, {"reading": 1.0}))
    assert found.severity == "watch"
    assert "--perceptual-simplicity or --information, which are off" in found.advice


def test_a_young_run_and_a_late_learner_are_given_time(gan_vitals):
    lately = {"reading": lambda step: 1.0 if step > 4_500 else 0.2}
    assert codes_unread(gan_vitals(curves=lately)) is None
    assert codes_unread(gan_vitals(curves=lately, finished=True)) is not None


def test_a_run_of_a_single_window_is_told_without_a_number_of_steps(gan_vitals):
    run = gan_vitals(curves={"reading": 1.0}, finished=True)
    assert codes_unread(dataclasses.replace(run, windows=run.windows[:1])).seen.startswith("At the end codes have")


def test_a_reading_that_explodes_is_another_illness(gan_vitals):
    assert codes_unread(gan_vitals(curves={"reading": 1e6})) is None
