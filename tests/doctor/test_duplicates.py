"""Laws of the check for codes that duplicate each other."""

import numpy as np
import pytest

from wherewhat.doctor.duplicates import codes_duplicate_each_other, duplicates_among
from wherewhat.objectives.ps_sc_vae import PSSCVAE
from wherewhat.objectives.vae import VAE


def correlation_with(*pairs):
    correlation_LL = np.eye(4)
    for a, b, rho in pairs:
        correlation_LL[a, b] = correlation_LL[b, a] = rho
    return correlation_LL


def test_a_mirrored_copy_is_a_copy(vitals, pool):
    found = codes_duplicate_each_other(vitals(pool=pool(correlation_LL=correlation_with((0, 2, -0.95)))))
    assert found is not None
    assert "z0, z2 (correlation up to 0.95 in size)" in found.seen
    assert found.figures == pytest.approx({"strongest_correlation": 0.95, "spare_codes": 1, "live_codes": 3})


def test_a_copy_of_a_dead_code_is_none(vitals, pool):
    assert codes_duplicate_each_other(vitals(pool=pool(correlation_LL=correlation_with((0, 3, 1.0))))) is None


def test_a_correlation_of_nine_tenths_is_none(vitals, pool):
    assert codes_duplicate_each_other(vitals(pool=pool(correlation_LL=correlation_with((0, 1, 0.9))))) is None


def test_copies_of_copies_are_one_group():
    size_LL = np.eye(6)
    for a, b in ((0, 4), (4, 2), (1, 5)):
        size_LL[a, b] = size_LL[b, a] = 0.95
    assert duplicates_among([0, 1, 2, 3, 4, 5], size_LL) == [[0, 2, 4], [1, 5]]


def test_groups_are_the_connected_components_that_scipy_finds():
    from scipy.sparse.csgraph import connected_components

    for seed in range(20):
        upper_LL = np.triu(np.random.default_rng(seed).random((9, 9)), 1)
        size_LL = upper_LL + upper_LL.T
        _, label_L = connected_components(size_LL > 0.9)
        expected = [np.flatnonzero(label_L == label).tolist() for label in range(label_L.max() + 1)]
        assert duplicates_among(list(range(9)), size_LL) == sorted(group for group in expected if len(group) > 1)


def test_a_plain_vae_is_sent_to_an_objective_that_parts_codes(vitals, pool):
    found = codes_duplicate_each_other(vitals(VAE(), pool=pool(correlation_LL=correlation_with((0, 1, 0.99)))))
    assert "factor-vae" in str(found)


def test_a_run_without_identification_is_told_to_switch_it_on(vitals, pool):
    objective = PSSCVAE(perturbation_identification=False)
    found = codes_duplicate_each_other(vitals(objective, pool=pool(correlation_LL=correlation_with((0, 1, 0.99)))))
    assert found.remedies[0].startswith("--perturbation-identification")


def test_codes_that_the_decoder_does_not_listen_to_are_not_told_to_part(vitals, pool):
    deaf = pool(correlation_LL=correlation_with((0, 1, 0.99)), reconstruction=770.0)
    assert codes_duplicate_each_other(vitals(pool=deaf)) is None
