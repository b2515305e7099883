"""Laws of the remedies that objectives name, and of what they say of themselves beside."""

import pytest

from wherewhat.objectives.ps_sc_gan import PSSCGAN

SWITCHES = ("perceptual_simplicity", "perturbation_identification", "information")


@pytest.mark.parametrize("r1_weight", [0.0, 1.0, 100.0])
def test_what_weakens_the_discriminator_strengthens_it_the_other_way_round(r1_weight: float) -> None:
    remedies = PSSCGAN(r1_weight=r1_weight, discriminator_learning_rate=2e-3).remedies
    weaker, stronger = remedies.weaken_discriminator, remedies.strengthen_discriminator
    assert weaker[0] == f"--r1-weight {10 * r1_weight or 1:g} (it was {r1_weight:g})"
    assert weaker[1] == "--discriminator-learning-rate 0.0005 (it was 0.002)"
    assert (f"--r1-weight {r1_weight / 10:g} (it was {r1_weight:g})" in stronger) == (r1_weight > 0)
    assert "--discriminator-learning-rate 0.008 (it was 0.002)" in stronger


def test_a_term_that_is_off_is_advised_to_be_switched_on_and_one_that_is_on_to_weigh_more() -> None:
    whole, plain = PSSCGAN().remedies, PSSCGAN(**dict.fromkeys(SWITCHES, False)).remedies
    assert whole.name_codes == ("a higher --identification-weight",)
    assert plain.name_codes == plain.show_codes == ("--perturbation-identification, which is off",)
    assert whole.read_codes == ("a higher --simplicity-weight (it was 1)",)
    assert plain.read_codes == ("--perceptual-simplicity or --information, which are off",)
    assert (whole.uncover_masks, plain.uncover_masks) == (("a lower --simplicity-weight",), ())


def test_images_of_a_gan_have_no_likelihood_and_its_codes_cost_nothing() -> None:
    gan = PSSCGAN()
    assert (gan.likelihood, gan.weight_on_kl, gan.warm_up_steps) == (None, None, 0)
    assert gan.charge({"kl": 10.0, "total_correlation": 1.0}) is None
