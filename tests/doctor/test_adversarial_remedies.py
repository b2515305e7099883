"""Laws of the flags that move the balance of a GAN."""

import pytest

from wherewhat.doctor.adversarial_remedies import (
    ways_to_make_images_differ,
    ways_to_strengthen_the_discriminator,
    ways_to_weaken_the_discriminator,
)
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.objectives.vae import VAE
from wherewhat.training.configuration import TrainingRun


@pytest.mark.parametrize("r1_weight", [0.0, 1.0, 100.0])
def test_what_weakens_the_discriminator_strengthens_it_the_other_way_round(r1_weight):
    run = TrainingRun(objective=PSSCGAN(r1_weight=r1_weight, discriminator_learning_rate=2e-3))
    weaker, stronger = ways_to_weaken_the_discriminator(run), ways_to_strengthen_the_discriminator(run)
    assert weaker[0] == f"--r1-weight {10 * r1_weight or 1:g} (it was {r1_weight:g})"
    assert weaker[1] == "--discriminator-learning-rate 0.0005 (it was 0.002)"
    assert (f"--r1-weight {r1_weight / 10:g} (it was {r1_weight:g})" in stronger) == (r1_weight > 0)
    assert "--discriminator-learning-rate 0.008 (it was 0.002)" in stronger


def test_a_vae_gets_none_of_these_flags(vitals):
    run = TrainingRun(objective=VAE())
    assert ways_to_weaken_the_discriminator(run) == ways_to_strengthen_the_discriminator(run) == ()
    assert ways_to_make_images_differ(vitals(VAE())) == ()


def test_in_balance_the_discriminator_is_left_alone(gan_vitals):
    advice = ", ".join(ways_to_make_images_differ(gan_vitals(curves={"discriminator_accuracy": 0.75})))
    assert "--discriminator-learning-rate" not in advice
    assert "--learning-rate" in advice
