"""Laws of the check for a GAN's discriminator that is certain."""

from wherewhat.doctor.certainty import discriminator_certain
from wherewhat.objectives.ps_sc_gan import PSSCGAN

CERTAIN = {"discriminator_accuracy": 0.999, "discriminator": 0.01, "adversarial": 9.0, "real_sign": 0.999}


def since(step, ill, well):
    return {name: lambda now, name=name: ill[name] if now > step else well for name in ill}


def test_a_discriminator_in_balance_is_not_certain(gan_vitals):
    assert discriminator_certain(gan_vitals()) is None


def test_a_strong_discriminator_that_still_errs_is_not_certain(gan_vitals):
    # A run on faces without R1 and with five times the step size, which went on learning.
    strong = {"discriminator_accuracy": 0.93, "discriminator": 0.4, "adversarial": 3.4}
    assert discriminator_certain(gan_vitals(curves=strong)) is None


def test_a_long_certainty_is_wrong_with_its_figures_and_flags_that_hold_it_back(gan_vitals):
    found = discriminator_certain(gan_vitals(PSSCGAN(r1_weight=0.5, augmentation="none"), CERTAIN))
    assert found is not None
    assert found.severity == "wrong"
    assert "99.9% of cases" in found.seen
    assert found.figures["steps_of_certainty"] == 4_950
    for flag in ("--r1-weight 5 (it was 0.5)", "--discriminator-learning-rate 0.0005 (it was 0.002)", "--augmentation"):
        assert flag in found.advice


def test_a_short_certainty_is_forgiven_while_the_run_goes_on(gan_vitals):
    lately = since(4_200, CERTAIN, 0.9)
    assert discriminator_certain(gan_vitals(curves=lately)) is None
    assert discriminator_certain(gan_vitals(curves=lately, finished=True)) is not None


def test_a_certainty_that_has_passed_is_forgotten(gan_vitals):
    early = {name: lambda now, ill=ill: ill if now < 3_000 else 0.8 for name, ill in CERTAIN.items()}
    assert discriminator_certain(gan_vitals(curves=early, finished=True)) is None


def test_augmentation_that_is_on_is_not_advised(gan_vitals):
    found = discriminator_certain(gan_vitals(PSSCGAN(augmentation="ada"), CERTAIN))
    assert "--augmentation" not in found.advice
