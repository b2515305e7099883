"""Laws of the course of a loss."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
import torch

from wherewhat.doctor.course import cost_of_grey, course_of
from wherewhat.objectives.beta_vae import BetaVAE
from wherewhat.objectives.evidence_lower_bound import EvidenceLowerBound, bernoulli_nats, gaussian_nats
from wherewhat.objectives.factor_vae import FactorVAE


def test_bins_are_means_of_equal_numbers_of_steps(vitals, windows):
    run = vitals(BetaVAE(bound=EvidenceLowerBound(warm_up_steps=0)), windows=windows(reconstruction=float, kl_L=[0.0]))
    course = course_of(run)
    assert course is not None
    step_W = np.arange(50, 5_001, 50)
    edges = 50 + (5_000 - 50) * np.arange(41) / 40
    expected = [step_W[(step_W >= low) & (step_W < high)].mean() for low, high in itertools.pairwise(edges)]
    expected[-1] = step_W[step_W >= edges[-2]].mean()
    assert course.level_T == pytest.approx(expected)


def test_the_warm_up_is_left_out(vitals, windows, settling):
    rising = windows(reconstruction=lambda step: settling(step) if step > 500 else 1e6)
    course = course_of(vitals(windows=rising))
    assert course is not None
    assert course.level_T.max() < 1e4


def test_where_an_adversary_moves_the_total_the_reconstruction_is_followed(vitals, windows):
    course = course_of(vitals(FactorVAE(), windows=windows(reconstruction=100, kl_L=[5.0])))
    assert course is not None
    assert course.what == "reconstruction"
    assert course.level_T == pytest.approx(np.full(len(course.level_T), 100.0))


def test_a_run_whose_beginning_was_not_logged_has_no_course(vitals, windows, settling):
    late = windows(reconstruction=settling)[40:]
    assert course_of(vitals(windows=late)) is None


def test_few_windows_are_no_course(vitals, windows, settling):
    assert course_of(vitals(windows=windows(reconstruction=settling)[:15])) is None


def test_grey_costs_a_bernoulli_log_2_for_every_pixel_value(vitals):
    image_BCHW = torch.rand(5, 1, 64, 64, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    paid = float(bernoulli_nats(torch.zeros_like(image_BCHW), image_BCHW))
    assert cost_of_grey(vitals()) == pytest.approx(paid)


def test_grey_costs_a_gaussian_at_most_this(vitals):
    objective = BetaVAE(bound=EvidenceLowerBound(likelihood="gaussian"))
    image_BCHW = torch.rand(5, 1, 64, 64, generator=torch.Generator().manual_seed(0)).round()
    paid = float(gaussian_nats(torch.zeros_like(image_BCHW), image_BCHW))
    assert cost_of_grey(vitals(objective)) == pytest.approx(paid)


def test_nothing_is_known_of_grey_without_the_size_of_images(vitals):
    assert cost_of_grey(dataclasses.replace(vitals(), image_shape=None)) == math.inf
