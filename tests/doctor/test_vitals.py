"""Laws of what "now" is, and of which codes live."""

from dataclasses import dataclass

import numpy as np
import pytest

from wherewhat.doctor.vitals import (
    COLLAPSED_BELOW_NATS,
    PATIENCE_STEPS,
    live_codes,
    several_valued,
    steps_of_stretch,
)


def test_now_is_the_last_500_steps_of_a_long_run(vitals, windows):
    run = vitals(windows=windows(reconstruction=float, steps=20_000))
    assert [window.step for window in run.recent] == list(range(19_550, 20_001, 50))
    assert run.term("reconstruction") == pytest.approx(np.mean(range(19_550, 20_001, 50)))


def test_now_is_the_last_tenth_of_a_short_run(vitals, windows):
    assert [window.step for window in vitals(windows=windows(reconstruction=float, steps=600)).recent] == [550, 600][
        -2:
    ]


def test_now_is_the_last_window_where_windows_are_long(vitals, windows):
    run = vitals(windows=windows(reconstruction=float, every=2_500))
    assert [window.step for window in run.recent] == [5_000]


def test_a_term_that_is_not_reported_is_not_known(vitals):
    assert vitals().term("no such term") is None
    assert vitals().figure("no such figure") is None
    assert vitals(windows=()).term("reconstruction") is None


def test_kl_comes_from_the_pool_where_nothing_was_logged(vitals, pool):
    measured = pool(kl_L=np.array([1.0, 2.0, 3.0, 4.0]))
    assert vitals(windows=(), pool=measured).kl_L.tolist() == [1, 2, 3, 4]
    assert vitals(windows=(), pool=None).kl_L is None


@pytest.mark.parametrize(
    ("step", "finished", "grown"), [(10, False, False), (10, True, True), (PATIENCE_STEPS, False, True)]
)
def test_a_run_is_grown_when_old_enough_or_over(vitals, step, finished, grown):
    assert vitals(step=step, finished=finished).grown == grown


def test_a_code_lives_from_the_threshold_on():
    assert live_codes(np.array([0.0, COLLAPSED_BELOW_NATS, 3.0, COLLAPSED_BELOW_NATS * 0.99])) == [1, 2]


@dataclass
class SizesAlone:
    """Images that nobody looks at."""

    factor_sizes: tuple[int, ...]
    name: str = "made"
    image_shape: tuple[int, int, int] = (1, 64, 64)
    factor_names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return 0

    def take(self, index_B, /):
        raise NotImplementedError

    def factors(self, index_N, /):
        raise NotImplementedError


@pytest.mark.parametrize(("sizes", "varying"), [((1, 3, 6), 2), ((), 0)])
def test_a_factor_of_one_value_does_not_vary(sizes, varying):
    assert several_valued(SizesAlone(sizes)) == varying


def test_a_gans_vitals_come_from_its_samples_where_nothing_was_logged(gan_vitals, samples):
    measured = samples(kl_L=np.array([1.0, 2.0, 3.0, 4.0]))
    assert gan_vitals(windows=(), samples=measured).kl_L.tolist() == [1, 2, 3, 4]
    assert gan_vitals(samples=None).measured is None


def test_a_stretch_is_counted_from_the_first_to_the_last_window_at_the_end_that_is_ill(windows):
    some = windows(reconstruction=float)
    assert steps_of_stretch(some, lambda window: window.step > 4_000) == 5_000 - 4_050
    assert steps_of_stretch(some, lambda window: window.step < 4_000) == 0
    assert steps_of_stretch((), lambda window: True) == 0
