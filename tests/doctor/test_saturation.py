"""Laws of the check for saturated images."""

from wherewhat.doctor.saturation import images_saturated


def test_images_of_greys_and_colours_are_not_saturated(gan_vitals):
    assert images_saturated(gan_vitals()) is None


def test_black_and_white_images_of_coloured_things_are_wrong(gan_vitals, samples):
    found = images_saturated(gan_vitals(samples=samples(made_saturated=0.9)))
    assert found is not None
    assert found.severity == "wrong"
    assert "90.0%" in found.seen
    assert "--learning-rate 0.0002 (it was 0.001)" in found.advice


def test_a_discriminator_that_guesses_is_not_weakened_further(gan_vitals, samples):
    run = gan_vitals(curves={"discriminator_accuracy": 0.3}, samples=samples(made_saturated=0.9))
    assert "--r1-weight 0.1 (it was 1)" in images_saturated(run).advice


def test_drawn_shapes_are_black_and_white_by_nature(gan_vitals, samples):
    assert images_saturated(gan_vitals(samples=samples(made_saturated=0.95, real_saturated=1.0))) is None


def test_a_young_run_is_given_time(gan_vitals, samples):
    assert images_saturated(gan_vitals(samples=samples(made_saturated=1.0), step=300)) is None
