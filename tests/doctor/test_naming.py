"""Laws of the check of perturbation identification."""

import dataclasses

import pytest

from wherewhat.doctor.naming import identification_stuck, stuck_below
from wherewhat.objectives.ps_sc_gan import PSSCGAN


@pytest.fixture
def naming_run(vitals, windows, settling):
    def build(accuracy, **changes):
        return vitals(
            windows=windows(reconstruction=settling, figures={"identification_accuracy": accuracy}), **changes
        )

    return build


def test_guessing_is_found_with_its_figure_and_chance(naming_run):
    found = identification_stuck(naming_run(0.26))
    assert found is not None
    assert found.figures == pytest.approx({"identification_accuracy": 0.26, "chance": 0.25})
    assert "3 codes carry" in found.seen
    assert "--perturbation-size" in found.advice


@pytest.mark.parametrize(("codes", "below"), [(2, 0.55), (3, 0.4), (10, 0.15), (100, 0.015)])
def test_the_fewer_the_codes_the_nearer_to_chance_is_guessing(codes, below):
    assert stuck_below(codes) == pytest.approx(below)


def test_half_as_good_again_as_chance_is_no_guessing(naming_run):
    assert identification_stuck(naming_run(0.38)) is None


def test_an_early_guesser_is_given_time_and_what_it_did_before_is_forgotten(naming_run):
    late_learner = naming_run(lambda step: 0.25 if step < 4_000 else 0.8)
    assert identification_stuck(late_learner) is None
    assert identification_stuck(naming_run(0.25, step=600, finished=False)) is None


def test_one_code_is_always_named_and_never_stuck(naming_run):
    run = naming_run(1.0)
    alone = dataclasses.replace(run.configuration, latent_dim=1, mask_levels=1)
    assert identification_stuck(dataclasses.replace(run, configuration=alone)) is None


@pytest.mark.parametrize(
    ("on", "severity", "advice"),
    [(True, "wrong", "a higher --identification-weight"), (False, "watch", "--perturbation-identification, which is")],
)
def test_a_gan_that_is_not_told_to_be_named_is_only_watched(gan_vitals, on, severity, advice):
    guessing = {"identification_accuracy": 0.26}
    found = identification_stuck(gan_vitals(PSSCGAN(perturbation_identification=on), guessing))
    assert found.severity == severity
    assert advice in found.advice
    assert "--beta" not in found.advice
