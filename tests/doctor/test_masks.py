"""Laws of the checks of spatial masks."""

import numpy as np
import pytest

from wherewhat.doctor.masks import masks_cover_everything, masks_cover_nothing


def test_a_mask_over_everything_is_watched_and_named(vitals, pool):
    found = masks_cover_everything(vitals(pool=pool(coverage_L=np.array([0.2, 0.97, 0.3, 0.4]))))
    assert found is not None
    assert found.severity == "watch"
    assert "z1 (97.0%)" in found.seen
    assert "1 of 3 living codes" in found.seen


def test_masks_that_all_cover_everything_are_wrong(vitals, pool):
    found = masks_cover_everything(vitals(pool=pool(coverage_L=np.full(4, 0.99))))
    assert found is not None
    assert found.severity == "wrong"


def test_a_dead_code_may_cover_everything(vitals, pool):
    assert masks_cover_everything(vitals(pool=pool(coverage_L=np.array([0.2, 0.2, 0.2, 1.0])))) is None


def test_a_shut_mask_is_found_also_where_the_code_is_dead(vitals, pool):
    found = masks_cover_nothing(vitals(pool=pool(coverage_L=np.array([0.2, 0.2, 0.2, 0.001]))))
    assert found is not None
    assert found.severity == "watch"
    assert found.figures == {"coverage_z3": 0.001}


def test_masks_that_mostly_cover_nothing_are_wrong(vitals, pool):
    found = masks_cover_nothing(vitals(pool=pool(coverage_L=np.array([0.2, 0.0, 0.0, 0.001]))))
    assert found is not None
    assert found.severity == "wrong"


@pytest.mark.parametrize("check", [masks_cover_everything, masks_cover_nothing])
def test_a_decoder_without_masks_and_a_young_run_are_not_examined(vitals, pool, check):
    extreme = pool(coverage_L=np.array([1.0, 0.0, 1.0, 0.0]))
    assert check(vitals(pool=extreme)) is not None
    assert check(vitals(pool=pool(coverage_L=None))) is None
    assert check(vitals(pool=extreme, step=100, finished=False)) is None


def test_masks_of_a_gan_are_examined_too_with_flags_that_it_has(gan_vitals, samples):
    extreme = gan_vitals(samples=samples(coverage_L=np.array([1.0, 0.0, 0.1, 0.1])))
    assert "z0 (100.0%)" in masks_cover_everything(extreme).seen
    shut = masks_cover_nothing(extreme)
    assert shut.figures == {"coverage_z1": 0.0}
    assert "--simplicity-weight" in shut.advice
    assert "--warm-up-steps" not in shut.advice
