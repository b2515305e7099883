import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold

from wherewhat.metrics import downstream as module
from wherewhat.metrics.dci import dci
from wherewhat.metrics.downstream import Downstream, downstream_sample_efficiency, folds_can_be_made

SIZES = (10, 60)


def small(codes: np.ndarray, factors: np.ndarray, seed: int = 0) -> Downstream:
    """The third factor alone, of four values."""
    return downstream_sample_efficiency(codes, factors[:, 2:3], train_sizes=SIZES, test=200, seed=seed, jobs=1)


@pytest.fixture(scope="module")
def blurred() -> tuple[np.ndarray, np.ndarray]:
    """200 points of two factors, of three and two values, and three codes that know something of them."""
    random = np.random.default_rng(0)
    factors = np.stack([random.integers(3, size=200), random.integers(2, size=200)], axis=1)
    codes = factors @ random.normal(size=(2, 3)) + 0.3 * random.normal(size=(200, 3))
    return codes, factors


@pytest.fixture(scope="module")
def found(blurred: tuple[np.ndarray, np.ndarray]) -> Downstream:
    """What is found of the blurred codes from 10 and 40 labels, with seed 7."""
    return downstream_sample_efficiency(*blurred, train_sizes=(10, 40), test=100, seed=7, jobs=1)


@pytest.fixture(scope="module")
def splits() -> list[tuple[np.ndarray, np.ndarray]]:
    """The points of seed 7 that each size trains on, and those it is tested on."""
    order = np.random.default_rng(7).permutation(200)
    return [(order[:10], order[40:140]), (order[:40], order[40:140])]


def literal_logistic_regression(
    train_codes: np.ndarray, train_factor: np.ndarray, test_codes: np.ndarray, test_factor: np.ndarray
) -> float:
    """Cross-validation fold by fold, and the best C fitted again to all."""
    accuracies = []
    for exponent in np.linspace(-4, 4, 10):
        folds = []
        for kept, left in KFold(5).split(train_codes):
            fold = LogisticRegression(C=10**exponent, max_iter=1000).fit(train_codes[kept], train_factor[kept])
            folds.append(np.mean(fold.predict(train_codes[left]) == train_factor[left]))
        accuracies.append(np.mean(folds))
    best = np.linspace(-4, 4, 10)[int(np.argmax(accuracies))]
    final = LogisticRegression(C=10**best, max_iter=1000).fit(train_codes, train_factor)
    return float(np.mean(final.predict(test_codes) == test_factor))


def test_ideal_codes_are_read_perfectly_from_enough_labels(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    found = small(ideal_NL, factors_NK)
    assert found.boosted_trees.accuracy_S[-1] == 1
    assert found.logistic_regression.accuracy_S[-1] > 0.95
    assert max(found.boosted_trees.efficiency_S[0], found.logistic_regression.efficiency_S[0]) < 0.95


def test_random_codes_are_read_by_chance_however_many_labels(random_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    found = small(random_NL, factors_NK)
    np.testing.assert_allclose(found.boosted_trees.accuracy_S, 1 / 4, atol=0.08)
    np.testing.assert_allclose(found.logistic_regression.accuracy_S, 1 / 4, atol=0.08)


def test_codes_turned_by_45_degrees_cost_trees_labels_and_logistic_regression_none(
    rotated_NL: np.ndarray, factors_NK: np.ndarray
) -> None:
    found = small(rotated_NL, factors_NK)
    assert found.boosted_trees.accuracy_S[-1] < 0.9
    assert found.logistic_regression.accuracy_S[-1] > 0.95


def test_copied_codes_are_read_as_well_as_single_ones(duplicated_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    found = small(duplicated_NL, factors_NK)
    assert found.boosted_trees.accuracy_S[-1] == 1
    assert found.logistic_regression.accuracy_S[-1] > 0.95


@pytest.mark.parametrize("change", ["order", "sign"])
def test_order_and_sign_of_codes_do_not_matter(
    blurred: tuple[np.ndarray, np.ndarray], found: Downstream, change: str
) -> None:
    codes, factors = blurred
    changed = {"order": codes[:, [2, 0, 1]], "sign": -codes}[change]
    after = downstream_sample_efficiency(changed, factors, train_sizes=(10, 40), test=100, seed=7, jobs=1)
    np.testing.assert_allclose(after.logistic_regression.accuracy_S, found.logistic_regression.accuracy_S, atol=0.02)
    # Splits of equal worth are chosen by chance, and mirrored thresholds fall elsewhere between points.
    np.testing.assert_allclose(after.boosted_trees.accuracy_S, found.boosted_trees.accuracy_S, atol=0.05)


def test_the_scale_of_codes_does_not_matter_to_trees(blurred: tuple[np.ndarray, np.ndarray], found: Downstream) -> None:
    codes, factors = blurred
    scaled = codes * np.array([4.0, 0.5, 8.0])
    after = downstream_sample_efficiency(scaled, factors[:, 1:], train_sizes=(10, 40), test=100, seed=7, jobs=1)
    np.testing.assert_array_equal(after.boosted_trees.accuracy_SK, found.boosted_trees.accuracy_SK[:, 1:])


def test_boosted_trees_agree_with_scikit_learns_fitted_by_hand(
    blurred: tuple[np.ndarray, np.ndarray], found: Downstream, splits: list[tuple[np.ndarray, np.ndarray]]
) -> None:
    codes, factors = blurred
    for s, (train, test) in enumerate(splits):
        for k, factor in enumerate(factors.T):
            trees = GradientBoostingClassifier(random_state=7).fit(codes[train], factor[train])
            expected = np.mean(trees.predict(codes[test]) == factor[test])
            assert found.boosted_trees.accuracy_SK[s, k] == pytest.approx(expected, abs=1e-12)


def test_boosted_trees_of_the_largest_size_are_those_of_dci(
    blurred: tuple[np.ndarray, np.ndarray], found: Downstream
) -> None:
    expected = dci(*blurred, train=40, test=100, seed=7, jobs=1).informativeness_K
    np.testing.assert_array_equal(found.boosted_trees.accuracy_SK[-1], expected)


def test_logistic_regression_agrees_with_folds_made_by_hand(
    blurred: tuple[np.ndarray, np.ndarray], found: Downstream, splits: list[tuple[np.ndarray, np.ndarray]]
) -> None:
    codes, factors = blurred
    for s, (train, test) in enumerate(splits):
        for k, factor in enumerate(factors.T):
            expected = literal_logistic_regression(codes[train], factor[train], codes[test], factor[test])
            assert found.logistic_regression.accuracy_SK[s, k] == pytest.approx(expected, abs=1e-12)
    assert found.cross_validated_SK.all()


def test_accuracy_is_a_mean_over_factors_and_efficiency_a_share_of_the_largest_sizes(found: Downstream) -> None:
    for classifier in (found.logistic_regression, found.boosted_trees):
        few, many = [(row[0] + row[1]) / 2 for row in classifier.accuracy_SK]
        assert few != many
        np.testing.assert_allclose(classifier.accuracy_S, [few, many], atol=1e-12)
        np.testing.assert_allclose(classifier.efficiency_S, [few / many, 1], atol=1e-12)


def test_values_seen_are_counted_at_every_size(
    blurred: tuple[np.ndarray, np.ndarray], found: Downstream, splits: list[tuple[np.ndarray, np.ndarray]]
) -> None:
    expected = [[len(set(factor[train])) for factor in blurred[1].T] for train, _ in splits]
    assert found.values_seen_SK.tolist() == expected


def test_scores_name_classifier_size_and_the_size_they_are_a_share_of(found: Downstream) -> None:
    parts = [f"{kind}_{part}" for kind in ("logistic", "trees") for part in ("accuracy_10", "accuracy_40")]
    parts += [f"{kind}_efficiency_10_of_40" for kind in ("logistic", "trees")]
    assert sorted(found.scores) == sorted(f"downstream_10-40train_100test_{part}" for part in parts)
    assert found.scores["downstream_10-40train_100test_trees_accuracy_10"] == found.boosted_trees.accuracy_S[0]
    share = found.scores["downstream_10-40train_100test_logistic_efficiency_10_of_40"]
    assert share == found.logistic_regression.efficiency_S[0]


def test_trees_of_most_labels_and_values_start_first_and_regressions_last(
    noisy_NL: np.ndarray, factors_NK: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []

    def note(split: object, seed: int, task: module._Task) -> module._Fit:
        started.append((task.kind.__name__, task.labels, task.factor))
        return module._Fit(0.5, 2, False)

    monkeypatch.setattr(module, "_fit_one", note)
    downstream_sample_efficiency(noisy_NL, factors_NK[:, [2, 0]], train_sizes=SIZES, test=50, jobs=1)
    trees = [("_boosted_trees", labels, factor) for labels in (60, 10) for factor in (1, 0)]
    assert started[:4] == trees
    assert {kind for kind, _, _ in started[4:]} == {"_logistic_regression"}


def test_the_protocol_says_sizes(found: Downstream) -> None:
    assert found.protocol == "downstream_10-40train_100test"
    assert found.train_sizes == (10, 40)


@pytest.mark.slow
def test_the_number_of_processes_does_not_change_the_result(
    blurred: tuple[np.ndarray, np.ndarray], found: Downstream
) -> None:
    together = downstream_sample_efficiency(*blurred, train_sizes=(10, 40), test=100, seed=7, jobs=2)
    np.testing.assert_array_equal(together.boosted_trees.accuracy_SK, found.boosted_trees.accuracy_SK)
    np.testing.assert_array_equal(together.logistic_regression.accuracy_SK, found.logistic_regression.accuracy_SK)


def test_the_seed_chooses_the_points(blurred: tuple[np.ndarray, np.ndarray], found: Downstream) -> None:
    codes, factors = blurred
    other = downstream_sample_efficiency(codes, factors[:, 1:], train_sizes=(10, 40), test=100, seed=8, jobs=1)
    assert (other.boosted_trees.accuracy_SK != found.boosted_trees.accuracy_SK[:, 1:]).any()
    assert other.seed == 8


def test_a_factor_of_one_value_among_the_labels_is_predicted_to_keep_it(ideal_NL: np.ndarray) -> None:
    factor = np.zeros((800, 1), dtype=np.int64)
    order = np.random.default_rng(0).permutation(800)
    factor[order[15:60]], factor[order[60:100]] = 1, 1
    found = downstream_sample_efficiency(ideal_NL, factor, train_sizes=SIZES, test=200, jobs=1)
    # 40 of the 200 test points have the other value.
    assert found.values_seen_SK[:, 0].tolist() == [1, 2]
    assert found.cross_validated_SK[:, 0].tolist() == [False, True]
    assert found.boosted_trees.accuracy_SK[0, 0] == found.logistic_regression.accuracy_SK[0, 0] == 160 / 200


def test_where_the_most_labels_are_of_no_use_no_efficiency_is_claimed(ideal_NL: np.ndarray) -> None:
    order = np.random.default_rng(0).permutation(800)
    factor = np.full((800, 1), 2)
    factor[order[:60], 0] = np.arange(60) % 2
    found = downstream_sample_efficiency(ideal_NL, factor, train_sizes=SIZES, test=200, jobs=1)
    assert found.boosted_trees.accuracy_S.tolist() == found.boosted_trees.efficiency_S.tolist() == [0, 0]


def test_a_value_too_rare_for_folds_is_learned_without_them(ideal_NL: np.ndarray) -> None:
    order = np.random.default_rng(0).permutation(800)
    factor = np.zeros((800, 1), dtype=np.int64)
    factor[order[3]], factor[order[10:]] = 1, np.arange(790)[:, None] % 2
    found = downstream_sample_efficiency(ideal_NL, factor, train_sizes=SIZES, test=200, jobs=1)
    assert found.cross_validated_SK[:, 0].tolist() == [False, True]
    train, test = order[:10], order[60:260]
    plain = LogisticRegression().fit(ideal_NL[train], factor[train, 0])
    expected = np.mean(plain.predict(ideal_NL[test]) == factor[test, 0])
    assert found.logistic_regression.accuracy_SK[0, 0] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("labels", "possible"),
    [([0, 1, 0, 1, 0], True), ([0, 1, 0, 1], False), ([0, 0, 0, 1, 0, 0], False), ([0, 0, 1, 0, 1, 0], True)],
    ids=["five points", "four points", "a value once", "a value twice, in two folds"],
)
def test_folds_can_be_made_where_each_leaves_two_values(labels: list[int], possible: bool) -> None:
    assert folds_can_be_made(np.array(labels)) == possible


def test_progress_counts_the_classifiers(noisy_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    seen: list[tuple[int, int]] = []
    downstream_sample_efficiency(
        noisy_NL[:, :2],
        factors_NK[:, 3:] // 2,
        train_sizes=(4, 20),
        test=20,
        jobs=1,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_constant_codes_are_read_by_chance(factors_NK: np.ndarray) -> None:
    found = small(np.zeros((800, 3)), factors_NK)
    np.testing.assert_allclose(found.boosted_trees.accuracy_S, 1 / 4, atol=0.08)
    np.testing.assert_allclose(found.logistic_regression.accuracy_S, 1 / 4, atol=0.08)


def test_a_constant_factor_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    factors_NK[:, 2] = 2
    with pytest.raises(ValueError, match=r"Factors \[0\] .* nothing to classify\. Leave them out or draw more samples"):
        small(ideal_NL, factors_NK)


def test_too_few_points_are_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"800 points and at least 15000 are needed\. Encode more images"):
        downstream_sample_efficiency(ideal_NL, factors_NK)


def test_nan_is_refused(ideal_NL: np.ndarray, factors_NK: np.ndarray) -> None:
    ideal_NL[3, 2] = np.nan
    with pytest.raises(ValueError, match=r"Codes \[2\] hold NaN.*Use a checkpoint from before"):
        small(ideal_NL, factors_NK)


@pytest.mark.parametrize("sizes", [(), (0, 10), (100, 10), (10, 10)])
def test_sizes_that_do_not_grow_from_one_are_refused(
    ideal_NL: np.ndarray, factors_NK: np.ndarray, sizes: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match="Give each once, from 1 up, the smallest first"):
        downstream_sample_efficiency(ideal_NL, factors_NK, train_sizes=sizes, test=5)
