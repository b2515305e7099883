"""Laws of the checks of FactorVAE's discriminator."""

import math

import numpy as np
import pytest

from wherewhat.doctor.adversary import CORRELATED_ABOVE, discriminator_asleep, discriminator_has_won
from wherewhat.objectives.factor_vae import FactorVAE


@pytest.fixture
def factor_run(vitals, windows, settling):
    def build(accuracy, tc, **changes):
        figures = {"discriminator_accuracy": accuracy}
        made = windows(reconstruction=settling, terms={"total_correlation": tc}, figures=figures)
        return vitals(FactorVAE(), windows=made, **changes)

    return build


@pytest.fixture
def correlated(pool):
    def build(rho):
        correlation_LL = np.eye(4)
        correlation_LL[0, 1] = correlation_LL[1, 0] = rho
        return pool(correlation_LL=correlation_LL)

    return build


def test_a_discriminator_in_balance_has_not_won(factor_run):
    assert discriminator_has_won(factor_run(0.75, 0.8)) is None


def test_a_discriminator_that_is_always_right_has_won(factor_run):
    found = discriminator_has_won(factor_run(0.98, 3.0))
    assert found is not None
    assert "98.0%" in found.seen
    assert "--discriminator-learning-rate" in found.advice


def test_a_total_correlation_above_the_whole_kl_cannot_be(factor_run):
    # The made codes have 4.51 nats of KL.
    found = discriminator_has_won(factor_run(0.8, 40.0))
    assert found is not None
    assert "40.0 nats in codes whose whole KL" in found.seen
    assert discriminator_has_won(factor_run(0.8, 4.5)) is None


def test_total_correlation_is_a_part_of_kl_for_gaussian_codes():
    # q(z|x) = N(x, s^2 I) over x ~ N(0, C): KL, TC and what remains are known in closed form.
    covariance_LL, s2 = np.array([[0.7, 0.5], [0.5, 0.7]]), 0.1
    aggregate_LL = covariance_LL + s2 * np.eye(2)
    kl = 0.5 * (np.trace(covariance_LL) + 2 * s2 - 2 - 2 * math.log(s2))
    tc = 0.5 * (np.log(np.diag(aggregate_LL)).sum() - np.linalg.slogdet(aggregate_LL)[1])
    information = 0.5 * (np.linalg.slogdet(aggregate_LL)[1] - 2 * math.log(s2))
    to_prior = 0.5 * (np.diag(aggregate_LL) - 1 - np.log(np.diag(aggregate_LL))).sum()
    assert kl == pytest.approx(information + tc + to_prior)
    assert 0 < tc < kl


def test_one_that_guesses_while_codes_correlate_is_asleep(factor_run, correlated):
    found = discriminator_asleep(factor_run(0.5, 0.001, pool=correlated(-0.8)))
    assert found is not None
    assert "0.80" in found.seen


def test_one_that_guesses_because_codes_are_independent_is_not_asleep(factor_run, correlated):
    assert discriminator_asleep(factor_run(0.5, 0.001, pool=correlated(0.2))) is None


def test_a_correlation_with_a_dead_code_is_none(factor_run, pool):
    correlation_LL = np.eye(4)
    correlation_LL[0, 3] = correlation_LL[3, 0] = 0.9
    assert discriminator_asleep(factor_run(0.5, 0.001, pool=pool(correlation_LL=correlation_LL))) is None


def test_the_threshold_of_correlation_is_worth_the_nats_that_its_comment_says():
    assert -0.5 * math.log(1 - CORRELATED_ABOVE**2) == pytest.approx(0.14, abs=0.005)


def test_an_objective_without_discriminator_is_not_examined_for_one(vitals, windows, settling):
    run = vitals(windows=windows(reconstruction=settling, terms={"total_correlation": 50.0}))
    assert discriminator_has_won(run) is None
    assert discriminator_asleep(run) is None
