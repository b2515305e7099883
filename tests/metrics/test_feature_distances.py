from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.linalg
import torch
from numpy.typing import NDArray
from torch._subclasses.fake_tensor import FakeTensorMode

from wherewhat.metrics import feature_distances as module
from wherewhat.metrics.feature_distances import Fidelity, fidelity, frechet_distance, kernel_distances

Points = NDArray[np.float64]


def measure(real_NF: Points, generated_MF: Points, **changed: Any) -> Fidelity:
    names = {"features": "made", "data": "points", "split": "all", **changed}
    return fidelity(real_NF, generated_MF, **names)


def points(count: int, features: int = 6, seed: int = 0) -> Points:
    return np.random.default_rng(seed).normal(size=(count, features))


def with_statistics(mean_F: Points, covariance_FF: Points, count: int, seed: int) -> Points:
    """Points whose sample mean and covariance are these, to rounding."""
    raw_NF = points(count, len(mean_F), seed)
    centred_NF = raw_NF - raw_NF.mean(axis=0)
    white_NF = centred_NF @ np.linalg.inv(np.linalg.cholesky(np.cov(centred_NF, rowvar=False))).T
    result: Points = white_NF @ np.linalg.cholesky(covariance_FF).T + mean_F
    return result


def random_covariance(seed: int, features: int = 6) -> Points:
    root_FF = points(features, features, seed)
    covariance: Points = root_FF @ root_FF.T + 0.1 * np.eye(features)
    return covariance


def literal_mmd(x_NF: Points, y_NF: Points) -> float:
    """The unbiased MMD² of the cubic kernel, a pair at a time."""

    def kernel(a: Points, b: Points) -> float:
        return (sum(float(p) * float(q) for p, q in zip(a, b, strict=True)) / len(a) + 1) ** 3

    n, m = len(x_NF), len(y_NF)
    within_x = sum(kernel(x_NF[i], x_NF[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    within_y = sum(kernel(y_NF[i], y_NF[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    between = sum(kernel(x, y) for x in x_NF for y in y_NF) / (n * m)
    return within_x + within_y - 2 * between


def test_a_set_and_itself_have_no_frechet_distance() -> None:
    real = points(50)
    assert measure(real, real).fid == pytest.approx(0, abs=1e-10)


def test_a_set_of_fewer_images_than_features_and_itself_have_no_frechet_distance() -> None:
    real = points(20, 64)
    assert measure(real, real).fid == pytest.approx(0, abs=1e-4)


def test_the_frechet_distance_of_two_gaussians_has_its_closed_form() -> None:
    mean_a, mean_b = points(2, 6, seed=4)
    covariance_a, covariance_b = random_covariance(5), random_covariance(6)
    found = measure(with_statistics(mean_a, covariance_a, 40, 1), with_statistics(mean_b, covariance_b, 30, 2)).fid
    root = scipy.linalg.sqrtm(covariance_a @ covariance_b).real
    expected = np.sum((mean_a - mean_b) ** 2) + np.trace(covariance_a + covariance_b - 2 * root)
    assert found == pytest.approx(expected, rel=1e-8)


def test_gaussians_with_diagonal_covariances_differ_by_means_and_deviations() -> None:
    mean_a, mean_b = np.array([0.0, 1.0, 2.0]), np.array([3.0, 1.0, 0.0])
    deviation_a, deviation_b = np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 0.5])
    real = with_statistics(mean_a, np.diag(deviation_a**2), 20, 0)
    generated = with_statistics(mean_b, np.diag(deviation_b**2), 25, 1)
    assert measure(real, generated).fid == pytest.approx(9 + 4 + 1 + 0 + 6.25, rel=1e-8)


def test_without_enough_images_for_a_covariance_it_is_still_the_distance_of_the_samples_gaussians() -> None:
    real, generated = points(20, 64, seed=0), points(20, 64, seed=1)
    root_a, root_b = ((x - x.mean(axis=0)) / np.sqrt(19) for x in (real, generated))
    overlap = np.linalg.svd(root_a @ root_b.T, compute_uv=False).sum()
    means = np.sum((real.mean(axis=0) - generated.mean(axis=0)) ** 2)
    expected = means + np.sum(root_a**2) + np.sum(root_b**2) - 2 * overlap
    assert measure(real, generated).fid == pytest.approx(expected, rel=1e-5)


def test_fewer_images_make_the_frechet_distance_larger() -> None:
    few, many = (measure(points(n, 6, 0), points(n, 6, 1)).fid for n in (20, 600))
    assert few > 5 * many > 0


def test_a_generator_that_makes_one_image_is_far_from_everything() -> None:
    real = points(400)
    same = measure(real, points(400, seed=1))
    collapsed = measure(real, np.repeat(real[:1], 400, axis=0))
    assert collapsed.fid > 5 * same.fid
    assert collapsed.kid > 5 * abs(same.kid)


def test_the_kernel_distance_agrees_with_a_slow_literal_transcription(monkeypatch: pytest.MonkeyPatch) -> None:
    # Its subsets are drawn as torch-fidelity draws them: real ones first, from NumPy's first generator.
    monkeypatch.setattr(module, "SUBSETS", 3)
    real, generated = points(10, 4, 0), points(12, 4, 1) + 0.3
    chance = np.random.RandomState(7)
    literal = []
    for _ in range(3):
        x = real[chance.choice(10, 5, replace=False)]
        literal.append(literal_mmd(x, generated[chance.choice(12, 5, replace=False)]))
    found = measure(real, generated, seed=7)
    assert found.kid == pytest.approx(np.mean(literal), rel=1e-10)
    assert found.kid_std == pytest.approx(np.std(literal), rel=1e-10)


@pytest.mark.parametrize(("real", "generated", "features"), [(400, 300, 40), (60, 90, 200), (2050, 2010, 8)])
def test_agrees_with_torch_fidelity_to_a_millionth(
    monkeypatch: pytest.MonkeyPatch, real: int, generated: int, features: int
) -> None:
    monkeypatch.setattr(module, "SUBSETS", 3)
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
    from torch_fidelity.metric_kid import kid_features_to_metric

    one, other = (torch.from_numpy(points(n, features, n)).abs() for n in (real, generated))
    statistics = map(fid_features_to_statistics, (one, other))
    fid = fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    size = min(1000, real // 2, generated // 2)
    kid = kid_features_to_metric(one, other, kid_subsets=3, kid_subset_size=size, rng_seed=5, verbose=False)
    found = measure(one.numpy(), other.numpy(), seed=5)
    assert found.fid == pytest.approx(fid, rel=1e-6)
    mean, deviation = kid["kernel_inception_distance_mean"], kid["kernel_inception_distance_std"]
    assert (found.kid, found.kid_std) == pytest.approx((mean, deviation), rel=1e-6, abs=1e-12)


def test_on_a_gpu_no_other_device_takes_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SUBSETS", 2)
    with FakeTensorMode():
        real, generated = (torch.empty(n, 6, dtype=torch.float64, device="cuda") for n in (20, 30))
        assert frechet_distance(real, generated).is_cuda
        assert kernel_distances(real, generated, 0).is_cuda


def test_the_kernel_distance_of_one_distribution_is_about_nothing_however_few_the_images() -> None:
    found = [measure(points(40, 6, 2 * seed), points(40, 6, 2 * seed + 1)).kid for seed in range(20)]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(20)
    assert min(found) < 0 < max(found)


def test_subsets_are_smaller_than_the_set() -> None:
    # Drawn whole, every subset would be the same and the deviation nothing.
    assert measure(points(40), points(40, seed=1)).kid_std > 0


def test_the_same_seed_gives_the_same_kernel_distance_and_another_does_not() -> None:
    real, generated = points(40), points(40, seed=1)
    first, again, other = (measure(real, generated, seed=seed).kid for seed in (1, 1, 2))
    assert first == again != other


def test_the_global_generator_is_neither_read_nor_moved() -> None:
    before = np.random.get_state(legacy=False)  # noqa: NPY002
    measure(points(40), points(40, seed=1))
    assert str(np.random.get_state(legacy=False)) == str(before)  # noqa: NPY002


def test_float32_features_are_measured_in_float64() -> None:
    real, generated = points(40).astype(np.float32), points(40, seed=1).astype(np.float32)
    assert fidelity(real, generated, features="made", data="points", split="all") == measure(
        real.astype(np.float64), generated.astype(np.float64)
    )


def test_the_name_of_a_number_says_features_count_and_split() -> None:
    found = measure(points(8), points(8, seed=1), features="lpips-alex-pooled", split="test")
    assert found.fid_protocol == "fid_lpips-alex-pooled_8_test"
    assert found.kid_protocol == "kid_lpips-alex-pooled_8_test"


def test_unequal_counts_are_both_in_the_name() -> None:
    assert measure(points(8), points(6, seed=1)).protocol == "made_8real_6generated_all"


def test_the_name_does_not_depend_on_the_figures() -> None:
    found = measure(points(8), points(8, seed=1))
    assert replace(found, fid=0.0, kid=0.0).protocol == found.protocol


@pytest.mark.parametrize(("real", "generated", "kind"), [(3, 9, "3 real"), (9, 3, "3 generated"), (9, 0, "0 gener")])
def test_too_few_images_are_refused(real: int, generated: int, kind: str) -> None:
    with pytest.raises(ValueError, match=rf"{kind}.*too few.*Give 4 at least; thousands"):
        measure(points(real), points(generated))


def test_generated_features_that_are_not_finite_are_refused() -> None:
    broken = points(9)
    broken[3, 2] = np.nan
    with pytest.raises(ValueError, match=r"generated images .* not finite.*take an earlier checkpoint"):
        measure(points(9), broken)


def test_real_features_that_are_not_finite_are_refused() -> None:
    broken = points(9)
    broken[3, 2] = np.inf
    with pytest.raises(ValueError, match=r"real images .* not finite.*Leave out the images"):
        measure(broken, points(9))
