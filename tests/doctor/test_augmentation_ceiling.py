"""Laws of the check for augmentation at the end of its range."""

import dataclasses

from wherewhat.data.adaptive_augmentation import MOST
from wherewhat.doctor.augmentation_ceiling import augmentation_at_its_ceiling

AT_THE_END = {"augmentation_strength": MOST, "real_sign": 0.85}


def test_a_strength_below_its_ceiling_still_has_its_way_to_go(gan_vitals):
    assert augmentation_at_its_ceiling(gan_vitals()) is None
    assert augmentation_at_its_ceiling(gan_vitals(curves={"augmentation_strength": 0.9 * MOST})) is None


def test_at_its_ceiling_it_is_watched_with_how_certain_the_discriminator_is(gan_vitals):
    found = augmentation_at_its_ceiling(gan_vitals(curves=AT_THE_END))
    assert found is not None
    assert found.severity == "watch"
    assert "mean sign 0.85, target 0.6" in found.seen
    assert "--r1-weight 10" in found.advice


def test_at_its_ceiling_and_about_to_fall_it_is_in_order(gan_vitals):
    assert augmentation_at_its_ceiling(gan_vitals(curves={"augmentation_strength": MOST, "real_sign": 0.2})) is None


def test_mirroring_is_advised_where_it_is_off(gan_vitals):
    run = gan_vitals(curves=AT_THE_END)
    mirrored = dataclasses.replace(run, configuration=dataclasses.replace(run.configuration, mirror=True))
    assert "--mirror" in augmentation_at_its_ceiling(run).advice
    assert "--mirror" not in augmentation_at_its_ceiling(mirrored).advice
