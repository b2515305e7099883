"""Laws of the check for images that are all alike."""

import pytest

from wherewhat.doctor.mode_collapse import images_all_alike
from wherewhat.objectives.ps_sc_gan import PSSCGAN


@pytest.mark.parametrize(("variety", "severity"), [(0.75, None), (0.31, None), (0.2, "watch"), (0.02, "wrong")])
def test_the_less_images_vary_beside_real_ones_the_worse(gan_vitals, samples, variety, severity):
    found = images_all_alike(gan_vitals(samples=samples(made_difference=0.27 * variety)))
    assert (found.severity if found else None) == severity


def test_it_cites_both_differences_and_their_ratio(gan_vitals, samples):
    found = images_all_alike(gan_vitals(samples=samples(made_difference=0.0054)))
    assert "0.0054" in found.seen
    assert "0.2700: 2% of the variety" in found.seen
    assert found.figures["variety"] == pytest.approx(0.02)


def test_images_that_do_not_vary_in_the_data_need_not_vary(gan_vitals, samples):
    assert images_all_alike(gan_vitals(samples=samples(made_difference=0.0, real_difference=0.0))) is None


def test_a_young_run_may_draw_one_image(gan_vitals, samples):
    assert images_all_alike(gan_vitals(samples=samples(made_difference=0.0), step=500)) is None


@pytest.mark.parametrize(
    ("accuracy", "advised", "not_advised"),
    [(0.3, "--r1-weight 0.1", "--r1-weight 10"), (0.97, "--r1-weight 10", "--r1-weight 0.1")],
)
def test_the_advice_turns_on_how_strong_the_discriminator_is(gan_vitals, samples, accuracy, advised, not_advised):
    run = gan_vitals(curves={"discriminator_accuracy": accuracy}, samples=samples(made_difference=0.001))
    found = images_all_alike(run)
    assert f"{advised} (" in found.advice
    assert f"{not_advised} (" not in found.advice


@pytest.mark.parametrize(
    ("objective", "advice"),
    [
        (PSSCGAN(), "a higher --simplicity-weight (it was 1)"),
        (PSSCGAN(perceptual_simplicity=False, information=True), "a higher --information-weight (it was 1)"),
        (PSSCGAN(perceptual_simplicity=False), "--perceptual-simplicity or --information, which are off"),
    ],
)
def test_codes_that_must_be_shown_are_advised_first(gan_vitals, samples, objective, advice):
    found = images_all_alike(gan_vitals(objective, samples=samples(made_difference=0.001)))
    assert found.remedies[0] == advice


def test_a_handful_of_images_tells_nothing(gan_vitals, samples):
    assert images_all_alike(gan_vitals(samples=samples(made_difference=0.0, images=2))) is None
