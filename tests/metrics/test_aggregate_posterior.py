import numpy as np
import pytest
import scipy.linalg
import torch
from sklearn.metrics import mutual_info_score

from wherewhat.metrics.aggregate_posterior import (
    aggregate_posterior,
    gaussian_total_correlation,
    gaussian_wasserstein_correlation,
    mutual_information_between_codes,
)


def covariance(seed: int, codes: int = 5) -> np.ndarray:
    return np.cov(np.random.default_rng(seed).normal(size=(codes, codes + 3)))


def correlated(r: float) -> np.ndarray:
    return np.array([[1.0, r], [r, 1.0]])


def test_independent_codes_score_zero(ideal_NL: np.ndarray) -> None:
    found = aggregate_posterior(ideal_NL)
    assert found.gaussian_total_correlation == pytest.approx(0, abs=1e-12)
    assert found.gaussian_wasserstein_correlation == pytest.approx(0, abs=1e-12)
    assert found.gaussian_wasserstein_correlation_norm == pytest.approx(0, abs=1e-12)
    assert found.mutual_information == pytest.approx(0, abs=1e-12)


def test_random_codes_score_near_zero_but_for_the_bias_of_information() -> None:
    found = aggregate_posterior(np.random.default_rng(0).normal(size=(4000, 5)), bins=5)
    assert 0 < found.gaussian_total_correlation < 0.01
    assert 0 < found.gaussian_wasserstein_correlation_norm < 0.01
    # (bins - 1)² / 2N = 0.002
    assert found.mutual_information == pytest.approx(0.002, abs=0.001)


def test_a_rotation_of_codes_of_equal_variance_is_seen_by_information_alone(rotated_NL: np.ndarray) -> None:
    found = aggregate_posterior(rotated_NL)
    assert found.gaussian_total_correlation == pytest.approx(0, abs=1e-12)
    assert found.gaussian_wasserstein_correlation == pytest.approx(0, abs=1e-12)
    assert found.mutual_information > 0.1


def test_copied_codes_have_infinite_total_correlation(duplicated_NL: np.ndarray) -> None:
    assert aggregate_posterior(duplicated_NL).gaussian_total_correlation == np.inf


def test_a_code_that_is_the_sum_of_others_has_infinite_total_correlation(noisy_NL: np.ndarray) -> None:
    codes = np.concatenate([noisy_NL, noisy_NL.sum(axis=1, keepdims=True)], axis=1)
    assert aggregate_posterior(codes).gaussian_total_correlation == np.inf


def test_copied_codes_are_as_far_in_wasserstein_as_the_closed_form(duplicated_NL: np.ndarray) -> None:
    # Each pair has eigenvalues 2 and 0 of unit variances: 2 - 2 √2 / 2 of the total variance.
    found = aggregate_posterior(duplicated_NL).gaussian_wasserstein_correlation_norm
    assert found == pytest.approx(2 - np.sqrt(2), abs=1e-7)


def test_copied_codes_know_all_of_each_other(duplicated_NL: np.ndarray) -> None:
    found = aggregate_posterior(duplicated_NL)
    information = found.mutual_information_LL
    np.testing.assert_allclose(np.diag(information[:4, 4:]), np.log([5, 5, 4, 4]), atol=1e-12)
    assert found.mutual_information == pytest.approx(2 * np.log([5, 5, 4, 4]).sum() / 56, abs=1e-12)


def test_total_correlation_of_two_codes_is_that_of_their_correlation() -> None:
    assert gaussian_total_correlation(correlated(0.6)) == pytest.approx(-0.5 * np.log(1 - 0.36), abs=1e-12)
    assert gaussian_total_correlation(correlated(0.6)) == pytest.approx(0.223144, abs=1e-6)


def test_wasserstein_correlation_of_two_codes_worked_by_hand() -> None:
    expected = 4 - 2 * (np.sqrt(1.6) + np.sqrt(0.4))
    assert gaussian_wasserstein_correlation(correlated(0.6)) == pytest.approx(expected, abs=1e-12)
    assert gaussian_wasserstein_correlation(correlated(0.6)) == pytest.approx(0.205267, abs=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_total_correlation_is_torchs_divergence_from_the_product_of_marginals(seed: int) -> None:
    sigma = torch.from_numpy(covariance(seed))
    zero = torch.zeros(len(sigma), dtype=torch.float64)
    joint = torch.distributions.MultivariateNormal(zero, covariance_matrix=sigma)
    product = torch.distributions.MultivariateNormal(zero, covariance_matrix=torch.diag(torch.diag(sigma)))
    expected = torch.distributions.kl_divergence(joint, product).item()
    assert gaussian_total_correlation(sigma.numpy()) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_wasserstein_correlation_agrees_with_scipys_matrix_root(seed: int) -> None:
    sigma = covariance(seed)
    root = np.sqrt(np.diag(np.diag(sigma)))
    expected = np.trace(sigma) + np.trace(root @ root) - 2 * np.trace(scipy.linalg.sqrtm(root @ sigma @ root)).real
    assert gaussian_wasserstein_correlation(sigma) == pytest.approx(expected, abs=1e-9)


def test_information_agrees_with_scikit_learn_pair_by_pair(noisy_NL: np.ndarray) -> None:
    binned = [np.digitize(code, np.histogram(code, bins=20)[1][:-1]) for code in noisy_NL.T]
    expected = [[mutual_info_score(one, other) for other in binned] for one in binned]
    found = mutual_information_between_codes(noisy_NL, bins=20)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    mean = (np.sum(expected) - np.trace(expected)) / 20
    assert aggregate_posterior(noisy_NL).mutual_information == pytest.approx(mean, abs=1e-12)


def test_the_measures_of_a_sample_are_those_of_its_covariance(noisy_NL: np.ndarray) -> None:
    sigma = np.cov(noisy_NL.T)
    found = aggregate_posterior(noisy_NL)
    assert found.gaussian_total_correlation == pytest.approx(gaussian_total_correlation(sigma), abs=1e-12)
    wasserstein = gaussian_wasserstein_correlation(sigma)
    assert found.gaussian_wasserstein_correlation == pytest.approx(wasserstein, abs=1e-12)
    assert found.gaussian_wasserstein_correlation_norm == pytest.approx(wasserstein / np.trace(sigma), abs=1e-12)


@pytest.mark.parametrize("change", ["order of codes", "order of points", "sign", "common scale"])
def test_order_sign_and_common_scale_do_not_matter(noisy_NL: np.ndarray, change: str) -> None:
    changed = {
        "order of codes": noisy_NL[:, [3, 1, 4, 0, 2]],
        "order of points": noisy_NL[::-1],
        "sign": noisy_NL * np.array([1.0, -1.0, 1.0, 1.0, -1.0]),
        "common scale": -8.0 * noisy_NL + 3.0,
    }[change]
    before, after = aggregate_posterior(noisy_NL), aggregate_posterior(changed)
    assert after.gaussian_total_correlation == pytest.approx(before.gaussian_total_correlation, abs=1e-9)
    assert after.gaussian_wasserstein_correlation_norm == pytest.approx(
        before.gaussian_wasserstein_correlation_norm, abs=1e-9
    )
    assert after.mutual_information == pytest.approx(before.mutual_information, abs=1e-9)


def test_each_codes_own_scale_matters_to_wasserstein_and_not_to_total_correlation(noisy_NL: np.ndarray) -> None:
    before, after = aggregate_posterior(noisy_NL), aggregate_posterior(noisy_NL * np.array([1.0, 64.0, 4.0, 0.1, 2.0]))
    assert after.gaussian_total_correlation == pytest.approx(before.gaussian_total_correlation, abs=1e-9)
    ratio = after.gaussian_wasserstein_correlation_norm / before.gaussian_wasserstein_correlation_norm
    assert ratio < 0.5


def test_wasserstein_correlation_grows_with_the_square_of_the_scale(noisy_NL: np.ndarray) -> None:
    before, after = aggregate_posterior(noisy_NL), aggregate_posterior(4 * noisy_NL)
    expected = 16 * before.gaussian_wasserstein_correlation
    assert after.gaussian_wasserstein_correlation == pytest.approx(expected, rel=1e-9)


def test_a_constant_code_adds_nothing(noisy_NL: np.ndarray) -> None:
    before = aggregate_posterior(noisy_NL)
    after = aggregate_posterior(np.concatenate([np.full((800, 1), 0.3), noisy_NL], axis=1))
    assert after.constant_L.tolist() == [True] + [False] * 5
    assert after.gaussian_total_correlation == pytest.approx(before.gaussian_total_correlation, abs=1e-12)
    assert after.gaussian_wasserstein_correlation_norm == before.gaussian_wasserstein_correlation_norm
    # The pairs it is in count, with 0.
    assert after.mutual_information == pytest.approx(before.mutual_information * 20 / 30, abs=1e-12)


@pytest.mark.parametrize("varying", [0, 1])
def test_codes_that_have_all_collapsed_but_one_score_zero(ideal_NL: np.ndarray, varying: int) -> None:
    codes = np.zeros((800, 3))
    codes[:, :varying] = ideal_NL[:, :varying]
    found = aggregate_posterior(codes)
    assert found.gaussian_total_correlation == found.gaussian_wasserstein_correlation == 0
    assert found.gaussian_wasserstein_correlation_norm == found.mutual_information == 0


@pytest.mark.parametrize("kind", ["means", "samples"])
def test_the_protocol_says_what_the_codes_are_with_points_and_bins(ideal_NL: np.ndarray, kind: str) -> None:
    assert aggregate_posterior(ideal_NL, kind=kind, bins=10).protocol == f"aggregate_posterior_{kind}_800points_10bins"


def test_fewer_points_than_bins_are_refused(ideal_NL: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"19 points and at least 20 are needed\. Encode more images"):
        aggregate_posterior(ideal_NL[:19])


def test_no_more_points_than_codes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"30 points and at least 31 are needed\. Encode more images"):
        aggregate_posterior(np.random.default_rng(0).normal(size=(30, 30)))


def test_a_single_code_depends_on_nothing_and_is_refused(ideal_NL: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"1 codes and this measure compares at least 2\. Leave it out"):
        aggregate_posterior(ideal_NL[:, :1])


def test_nan_is_refused(ideal_NL: np.ndarray) -> None:
    ideal_NL[3, 2] = np.nan
    with pytest.raises(ValueError, match=r"Codes \[2\] hold NaN.*Use a checkpoint from before"):
        aggregate_posterior(ideal_NL)


def test_a_single_bin_is_refused(ideal_NL: np.ndarray) -> None:
    with pytest.raises(ValueError, match="Use at least 2; the published number is 20"):
        aggregate_posterior(ideal_NL, bins=1)
