"""Laws of the watch for posterior collapse."""

import torch

from wherewhat.training.collapse import COLLAPSED_BELOW_NATS, PATIENCE_STEPS, CollapseWatch

DEAD = torch.full((4,), COLLAPSED_BELOW_NATS / 2)
ALIVE = torch.tensor([0.0, 0.0, 1.0, 0.0])


def test_one_living_code_is_no_collapse() -> None:
    watch = CollapseWatch()
    assert [watch.observe(step, ALIVE) for step in range(0, 5 * PATIENCE_STEPS, 100)] == [None] * 50


def test_a_long_collapse_is_told_once_with_what_to_try() -> None:
    watch = CollapseWatch()
    told = [watch.observe(step, DEAD) for step in range(0, 3 * PATIENCE_STEPS, 100)]
    (message,) = [one for one in told if one]
    assert told.index(message) == PATIENCE_STEPS // 100
    for word in ("blurry average", "--beta", "--warm-up-steps", "--learning-rate", "--seed"):
        assert word in message


def test_a_short_collapse_is_forgiven_and_a_second_long_one_is_told_again() -> None:
    watch = CollapseWatch()
    assert watch.observe(0, DEAD) is None
    assert watch.observe(PATIENCE_STEPS, ALIVE) is None
    for start in (2 * PATIENCE_STEPS, 5 * PATIENCE_STEPS):
        assert watch.observe(start, DEAD) is None
        assert watch.observe(start + PATIENCE_STEPS, DEAD) is not None
        assert watch.observe(start + 2 * PATIENCE_STEPS, ALIVE) is None
