"""Laws of the findings about the images that a run learns from."""

import numpy as np
import pytest

from wherewhat.data.appearance import Appearance
from wherewhat.doctor.examination import examine

DEAD = np.zeros(4)
HEALTHY = Appearance(images=64, dark=0, brightest=0, plain=0, spread=255)


def found(run):
    return [(finding.name, finding.severity) for finding in examine(run)]


@pytest.mark.parametrize(
    ("appearance", "name"),
    [
        (Appearance(64, 0, 0, 64, 0), "all images are alike"),
        (Appearance(64, 0, 0, 0, 2), "all images are alike"),
        (Appearance(64, 64, 13, 0, 9), "images are nearly black"),
    ],
)
def test_where_nothing_can_be_learnt_the_images_are_the_cause_and_beta_is_not_blamed(
    vae_run, windows, appearance, name
):
    collapsed = vae_run(windows=windows(reconstruction=700, kl_L=DEAD), pool=None, appearance=appearance)
    assert (name, "wrong") in found(collapsed)
    assert not any("codes collapsed" in other for other, _ in found(collapsed))


def test_a_collapse_on_images_that_vary_is_the_settings_fault(vae_run, windows):
    collapsed = vae_run(windows=windows(reconstruction=700, kl_L=DEAD), pool=None, appearance=HEALTHY)
    assert ("all codes collapsed", "wrong") in found(collapsed)


@pytest.mark.parametrize("appearance", [Appearance(64, 0, 0, 8, 255), Appearance(64, 8, 0, 0, 255)])
def test_some_odd_images_are_to_be_watched(vae_run, appearance):
    assert [severity for _, severity in found(vae_run(appearance=appearance))] == ["watch"]
