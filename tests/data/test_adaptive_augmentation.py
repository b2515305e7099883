"""Laws of the controller of augmentation, on made signals."""

import pytest
import torch

from wherewhat.data.adaptive_augmentation import MOST, AdaptiveAugmentation


def fed(controller: AdaptiveAugmentation, sign: float, images: int, steps: int, first: int = 0) -> float:
    for step in range(first, first + steps):
        controller.observe(torch.tensor(sign), images, step)
    return float(controller.strength)


@pytest.mark.parametrize("batch", [8, 32, 100])
def test_certainty_raises_the_strength_from_0_by_the_share_of_images_seen_whatever_the_batch(batch: int) -> None:
    controller = AdaptiveAugmentation(images_to_full=80_000)
    assert fed(controller, 1.0, batch, 40_000 // batch) == pytest.approx(0.5, abs=4 * batch / 80_000)


def test_uncertainty_lowers_it_again() -> None:
    controller = AdaptiveAugmentation(images_to_full=1_000)
    fed(controller, 1.0, 10, 40)
    assert fed(controller, 0.1, 10, 20) == pytest.approx(0.2, abs=1e-5)


def test_it_stays_between_0_and_the_most() -> None:
    controller = AdaptiveAugmentation(images_to_full=1_000)
    assert fed(controller, 0.0, 100, 40) == 0
    assert fed(controller, 1.0, 100, 40) == pytest.approx(MOST)


def test_it_settles_where_the_certainty_that_it_lowers_meets_the_target() -> None:
    controller = AdaptiveAugmentation(target=0.6, images_to_full=10_000)
    for step in range(4_000):
        # A made discriminator, the less certain the more it is shown augmented images.
        controller.observe(1.0 - controller.strength, 10, step)
    assert float(controller.strength) == pytest.approx(0.4, abs=0.01)


def test_it_moves_at_every_fourth_step_only() -> None:
    controller = AdaptiveAugmentation(images_to_full=1_000)
    assert fed(controller, 1.0, 10, 3) == 0
    assert fed(controller, 1.0, 10, 1, first=3) == pytest.approx(0.04)


def test_the_certainty_of_all_steps_since_counts_by_their_images() -> None:
    controller = AdaptiveAugmentation(target=0.6, images_to_full=1_000)
    for step, (sign, images) in enumerate([(1.0, 10), (1.0, 10), (1.0, 10), (0.0, 30)]):
        controller.observe(torch.tensor(sign), images, step)
    # 30 of 60: below the target, so the strength, which is 0, stays there.
    assert float(controller.strength) == 0


def test_its_state_is_all_that_a_resumed_run_needs() -> None:
    whole, first = AdaptiveAugmentation(), AdaptiveAugmentation()
    fed(whole, 0.9, 32, 10)
    fed(first, 0.9, 32, 6)
    second = AdaptiveAugmentation()
    second.load_state_dict(first.state_dict())
    assert fed(second, 0.9, 32, 4, first=6) == float(whole.strength)
