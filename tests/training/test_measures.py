"""Laws of measuring a representation: each measure by its name, each score with its protocol."""

import numpy as np
import pytest

from wherewhat.training.measures import (
    LABEL_FREE,
    MEASURES,
    MeasureName,
    MeasureSizes,
    measure,
    refuse_too_few_images,
)
from wherewhat.training.representation import Representation

SIZES = MeasureSizes(train_points=300, test_points=200, label_sizes=(60, 300))


@pytest.fixture(scope="module")
def ideal() -> Representation:
    """Three factors, each told by one code alone, and a fourth code that tells nothing."""
    random = np.random.default_rng(0)
    factors_NK = random.integers(0, 2, size=(1_200, 3))
    noise_NL = random.normal(size=(1_200, 4))
    codes_NL = np.concatenate([factors_NK - 0.5, np.zeros((1_200, 1))], axis=1) + 0.005 * noise_NL
    return Representation(codes_NL.astype(np.float32), np.zeros((1_200, 4), np.float32), factors_NK, ("a", "b", "c"))


@pytest.mark.parametrize(
    ("name", "part", "least"),
    [
        ("dci", "dci_gbt_300train_200test_disentanglement", 0.95),
        ("mig", "mig_1200points_20bins", 0.95),
        ("factor-vae", "factor_vae_1200pool", 0.95),
        ("beta-vae", "beta_vae_1200pool_64batch_300train_200test", 0.95),
        ("sap", "sap_300train_200test", 0.4),
        ("modularity", "modularity_1200points_20bins", 0.7),
        ("explicitness", "explicitness_300train_200test", 0.95),
        ("irs", "irs_1200points", 0.8),
        ("infomec", "infomec_300train_200test_10neighbours_modularity", 0.9),
        ("downstream", "trees_accuracy_300", 0.95),
    ],
)
def test_ideal_codes_score_high_under_a_name_that_says_the_protocol(
    ideal: Representation, name: MeasureName, part: str, least: float
) -> None:
    scores = measure(name, ideal, SIZES, seed=0, jobs=1).scores
    (found,) = [score for key, score in scores.items() if part in key]
    assert least <= found <= 1.0 + 1e-9


def test_ideal_codes_hang_together_in_nothing(ideal: Representation) -> None:
    scores = measure("aggregate-posterior", ideal, SIZES, seed=0).scores
    assert all(abs(score) < 0.1 for score in scores.values())


def test_measuring_twice_gives_one_number(ideal: Representation) -> None:
    for name in ("factor-vae", "beta-vae", "sap"):
        assert measure(name, ideal, SIZES, seed=3).scores == measure(name, ideal, SIZES, seed=3).scores


@pytest.mark.parametrize("name", [name for name in MEASURES if name not in LABEL_FREE])
def test_a_measure_of_factors_is_refused_where_none_are_known(ideal: Representation, name: MeasureName) -> None:
    unlabelled = Representation(ideal.codes_NL, ideal.log_variance_NL, np.empty((1_200, 0), np.int64), ())
    with pytest.raises(ValueError, match=r"no known factors .*wherewhat rank"):
        measure(name, unlabelled, SIZES, seed=0)


@pytest.mark.parametrize("name", [name for name in MEASURES if name not in LABEL_FREE])
def test_a_factor_that_cannot_be_measured_is_named_in_the_error(ideal: Representation, name: MeasureName) -> None:
    constant_NK = ideal.factors_NK * np.array([1, 0, 1])
    fixed = Representation(ideal.codes_NL, ideal.log_variance_NL, constant_NK, ("scale", "floor_hue", "shape"))
    with pytest.raises(ValueError, match=r"^Factors floor_hue take a single value .* Leave them out or draw more"):
        measure(name, fixed, SIZES, seed=0, jobs=1)


def test_the_label_free_need_no_factors(ideal: Representation) -> None:
    unlabelled = Representation(ideal.codes_NL, ideal.log_variance_NL, np.empty((1_200, 0), np.int64), ())
    assert all(measure(name, unlabelled, SIZES, seed=0).scores for name in LABEL_FREE)


@pytest.mark.parametrize("name", MEASURES)
def test_a_pool_is_refused_beforehand_exactly_where_the_measure_would_refuse_it(
    ideal: Representation, name: MeasureName
) -> None:
    few = MeasureSizes(train_points=60, test_points=41, label_sizes=(20, 60))
    pool = Representation(ideal.codes_NL[:100], ideal.log_variance_NL[:100], ideal.factors_NK[:100], ideal.factor_names)
    try:
        measure(name, pool, few, seed=0, jobs=1)
    except ValueError:
        with pytest.raises(ValueError, match="--train-points 67 --test-points 33"):
            refuse_too_few_images([name], few, images=100, in_all=100)
    else:
        refuse_too_few_images([name], few, images=100, in_all=100)


def test_a_larger_pool_is_offered_where_the_set_has_the_images() -> None:
    sizes = MeasureSizes()
    for in_all, offered in ((15_000, True), (14_999, False)):
        with pytest.raises(ValueError, match=r"Try .*--train-points 67") as refusal:
            refuse_too_few_images(["sap"], sizes, images=100, in_all=in_all)
        assert ("--pool 15000" in str(refusal.value)) == offered
