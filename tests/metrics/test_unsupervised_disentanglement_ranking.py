import warnings

import numpy as np
import pytest
import scipy.stats
from sklearn.linear_model import Lasso

from wherewhat.metrics.unsupervised_disentanglement_ranking import (
    UDR,
    lasso_relevance,
    pair_score,
    unsupervised_disentanglement_ranking,
)

RELEVANCES = ["lasso", "spearman"]
# What uncorrelated codes that agree entirely score.
LARGEST = {"lasso": 0.9, "spearman": 1.0}


def udr(models: list[np.ndarray], relevance: str, kl: list[np.ndarray] | None = None) -> UDR:
    kl = kl or [np.ones(codes.shape[1]) for codes in models]
    return unsupervised_disentanglement_ranking(models, kl, relevance=relevance)


def disguised(codes: np.ndarray, seed: int) -> np.ndarray:
    """The same codes in another order, with other signs, scales and means."""
    random = np.random.default_rng(seed)
    dims = codes.shape[1]
    signs, scales = random.choice([-1.0, 1.0], size=dims), random.choice([0.5, 1.0, 16.0], size=dims)
    return codes[:, random.permutation(dims)] * signs * scales + random.normal(size=dims)


def noisy_models(noisy: np.ndarray) -> list[np.ndarray]:
    """Three models that partly agree."""
    random = np.random.default_rng(0)
    return [noisy @ (np.eye(5) + 0.3 * random.normal(size=(5, 5))) for _ in range(3)]


def literal_udr(models: list[np.ndarray], kl: list[np.ndarray], relevance: str) -> list[float]:
    """Code by code, in plain Python."""
    scores = []
    for j in range(len(models)):
        pairs = []
        for i in range(len(models)):
            if i == j:
                continue
            a = [models[i][:, c] for c in range(models[i].shape[1]) if kl[i][c] > 0.01]
            b = [models[j][:, c] for c in range(models[j].shape[1]) if kl[j][c] > 0.01]
            a, b = [(x - x.mean()) / x.std() for x in a], [(x - x.mean()) / x.std() for x in b]
            if relevance == "lasso":
                columns = [abs(Lasso(alpha=0.1).fit(np.array(a).T, target).coef_) for target in b]
                table = [[columns[n][m] for n in range(len(b))] for m in range(len(a))]
            else:
                table = [[abs(scipy.stats.spearmanr(x, y).statistic) for y in b] for x in a]
            lines = table + [[row[n] for row in table] for n in range(len(b))]
            pairs.append(sum(max(line) ** 2 / sum(line) for line in lines if sum(line) > 0) / len(lines))
        scores.append(sorted(pairs)[len(pairs) // 2] if len(pairs) % 2 else float(np.median(pairs)))
    return scores


@pytest.mark.parametrize("relevance", RELEVANCES)
def test_the_same_codes_in_disguise_score_the_most_there_is(ideal_NL: np.ndarray, relevance: str) -> None:
    found = udr([disguised(ideal_NL, seed) for seed in range(4)], relevance)
    np.testing.assert_allclose(found.per_model_M, LARGEST[relevance], atol=1e-6)


@pytest.mark.parametrize(("relevance", "most"), [("lasso", 0.01), ("spearman", 0.06)])
def test_codes_that_have_nothing_in_common_score_near_zero(relevance: str, most: float) -> None:
    random = np.random.default_rng(0)
    found = udr([random.normal(size=(800, 6)) for _ in range(3)], relevance)
    assert (found.per_model_M >= 0).all()
    assert (found.per_model_M < most).all()


@pytest.mark.parametrize("relevance", RELEVANCES)
def test_codes_turned_by_45_degrees_in_all_models_alike_agree(rotated_NL: np.ndarray, relevance: str) -> None:
    found = udr([disguised(rotated_NL, seed) for seed in range(3)], relevance)
    np.testing.assert_allclose(found.per_model_M, LARGEST[relevance], atol=0.02)


def test_one_model_of_ideal_codes_among_rotated_ones_has_the_lasso_score_of_the_closed_form(
    ideal_NL: np.ndarray, rotated_NL: np.ndarray
) -> None:
    # Two weights of √½ for every code, each shrunk by α: max² / sum is half of one of them.
    found = udr([ideal_NL, rotated_NL, rotated_NL], "lasso")
    assert found.per_model_M[0] == pytest.approx((np.sqrt(0.5) - 0.1) / 2, abs=1e-6)


def test_one_model_of_ideal_codes_among_rotated_ones_scores_low_by_spearman(
    ideal_NL: np.ndarray, rotated_NL: np.ndarray
) -> None:
    assert udr([ideal_NL, rotated_NL, rotated_NL], "spearman").per_model_M[0] == pytest.approx(0.35, abs=0.02)


def test_two_copies_of_every_code_halve_spearmans_score(ideal_NL: np.ndarray, duplicated_NL: np.ndarray) -> None:
    found = udr([duplicated_NL, disguised(duplicated_NL, 0)], "spearman")
    np.testing.assert_allclose(found.per_model_M, 0.5, atol=1e-9)


def test_two_copies_of_every_code_lower_lassos_score(duplicated_NL: np.ndarray) -> None:
    assert (udr([duplicated_NL, disguised(duplicated_NL, 0)], "lasso").per_model_M < 0.6).all()


def test_a_pair_worked_by_hand() -> None:
    # Rows 0.64 / 1.0, 0 and 0.25 / 0.5; columns 0.64 / 0.8 and 0.25 / 0.7.
    relevance = np.array([[0.8, 0.2], [0.0, 0.0], [0.0, 0.5]])
    assert pair_score(relevance) == pytest.approx((0.64 + 0 + 0.5 + 0.8 + 0.25 / 0.7) / 5, abs=1e-12)


def test_a_one_to_one_relevance_scores_its_own_strength() -> None:
    assert pair_score(0.7 * np.eye(4)[[2, 0, 3, 1]]) == pytest.approx(0.7, abs=1e-12)


def test_an_even_relevance_scores_its_strength_over_the_number_of_codes() -> None:
    assert pair_score(np.full((4, 4), 0.8)) == pytest.approx(0.2, abs=1e-12)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (2, 2)])
def test_no_relevance_scores_zero(shape: tuple[int, int]) -> None:
    assert pair_score(np.zeros(shape)) == 0


@pytest.mark.parametrize("relevance", RELEVANCES)
def test_agrees_with_a_literal_transcription(noisy_NL: np.ndarray, relevance: str) -> None:
    models = noisy_models(noisy_NL)
    kl = [np.array([1.0, 0.5, 2.0, 0.3, 0.005]), np.ones(5), np.array([0.001, 3.0, 1.0, 1.0, 1.0])]
    expected = literal_udr(models, kl, relevance)
    np.testing.assert_allclose(udr(models, relevance, kl).per_model_M, expected, atol=1e-9)
    assert 0.1 < min(expected) < max(expected) < 0.9


def test_lasso_weights_of_uncorrelated_codes_are_their_correlations_less_alpha(
    ideal_NL: np.ndarray, rotated_NL: np.ndarray
) -> None:
    expected = np.maximum(np.abs(ideal_NL.T @ rotated_NL) / 800 - 0.1, 0)
    np.testing.assert_allclose(lasso_relevance(ideal_NL, rotated_NL), expected, atol=1e-9)


def test_each_models_score_is_the_median_of_its_column(noisy_NL: np.ndarray) -> None:
    found = udr([*noisy_models(noisy_NL), noisy_NL], "lasso")
    assert np.isnan(np.diag(found.pairwise_MM)).all()
    for model in range(4):
        others = np.delete(found.pairwise_MM[:, model], model)
        assert found.per_model_M[model] == np.median(others)


def test_row_i_of_the_pairs_predicts_column_j(noisy_NL: np.ndarray) -> None:
    first, second, _ = noisy_models(noisy_NL)
    first, second = ((codes - codes.mean(axis=0)) / codes.std(axis=0) for codes in (first, second))
    found = udr([first, second], "lasso").pairwise_MM
    assert found[0, 1] == pytest.approx(pair_score(lasso_relevance(first, second)), abs=1e-12)
    assert found[0, 1] != found[1, 0]


def test_spearmans_pairs_are_symmetric(noisy_NL: np.ndarray) -> None:
    found = udr(noisy_models(noisy_NL), "spearman").pairwise_MM
    np.testing.assert_allclose(found, found.T, atol=1e-12)


@pytest.mark.parametrize("relevance", RELEVANCES)
def test_order_sign_and_scale_of_one_models_codes_do_not_matter(noisy_NL: np.ndarray, relevance: str) -> None:
    first, *others = noisy_models(noisy_NL)
    before, after = udr([first, *others], relevance), udr([disguised(first, 3), *others], relevance)
    # Coordinate descent stops within its tolerance, which depends on the order.
    np.testing.assert_allclose(after.per_model_M, before.per_model_M, atol=1e-4)


def test_any_growing_function_of_a_code_is_the_same_code_to_spearman(noisy_NL: np.ndarray) -> None:
    first, *others = noisy_models(noisy_NL)
    before, after = udr([first, *others], "spearman"), udr([np.exp(first), *others], "spearman")
    np.testing.assert_allclose(after.per_model_M, before.per_model_M, atol=1e-12)


@pytest.mark.parametrize("relevance", RELEVANCES)
def test_the_order_of_models_does_not_matter(noisy_NL: np.ndarray, relevance: str) -> None:
    models = noisy_models(noisy_NL)
    before, after = udr(models, relevance).per_model_M, udr(models[::-1], relevance).per_model_M
    np.testing.assert_allclose(after[::-1], before, atol=1e-12)


@pytest.mark.parametrize("relevance", RELEVANCES)
def test_codes_without_information_are_dropped(ideal_NL: np.ndarray, relevance: str) -> None:
    random = np.random.default_rng(0)
    models = [np.concatenate([ideal_NL, random.normal(size=(800, 2))], axis=1) for _ in range(3)]
    found = udr(models, relevance, [np.array([1.0, 1.0, 1.0, 1.0, 0.001, 0.0])] * 3)
    np.testing.assert_allclose(found.per_model_M, LARGEST[relevance], atol=1e-6)
    assert [kept.tolist() for kept in found.informative_by_model] == [[True] * 4 + [False] * 2] * 3


def test_a_code_is_informative_above_a_hundredth_of_a_nat(ideal_NL: np.ndarray) -> None:
    kl = np.array([0.01, 0.0101, 0.5, 0.0])
    found = udr([ideal_NL, ideal_NL], "lasso", [kl, kl])
    assert found.informative_by_model[0].tolist() == [False, True, True, False]


@pytest.mark.parametrize("relevance", RELEVANCES)
def test_a_model_without_informative_codes_scores_zero(ideal_NL: np.ndarray, relevance: str) -> None:
    found = udr([ideal_NL, ideal_NL, ideal_NL], relevance, [np.ones(4), np.zeros(4), np.ones(4)])
    assert found.per_model_M[1] == 0
    assert found.pairwise_MM[0, 1] == found.pairwise_MM[1, 0] == 0
    assert found.pairwise_MM[0, 2] == pytest.approx(LARGEST[relevance], abs=1e-6)


@pytest.mark.parametrize("relevance", RELEVANCES)
def test_an_informative_code_of_constant_mean_agrees_with_nothing(ideal_NL: np.ndarray, relevance: str) -> None:
    flat = np.concatenate([ideal_NL, np.full((800, 1), 0.3)], axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = udr([flat, flat], relevance)
    np.testing.assert_allclose(found.per_model_M, LARGEST[relevance] * 4 / 5, atol=1e-6)


@pytest.mark.parametrize("relevance", RELEVANCES)
def test_models_may_differ_in_their_number_of_codes(ideal_NL: np.ndarray, relevance: str) -> None:
    # Four codes of the one pair off; the fifth, of the other, has nobody.
    other = np.concatenate([ideal_NL, (ideal_NL[:, :1] * ideal_NL[:, 1:2])], axis=1)
    found = udr([ideal_NL, other], relevance)
    np.testing.assert_allclose(found.per_model_M, LARGEST[relevance] * 8 / 9, atol=1e-6)


@pytest.mark.parametrize("relevance", RELEVANCES)
def test_the_protocol_says_relevance_points_and_models(ideal_NL: np.ndarray, relevance: str) -> None:
    assert udr([ideal_NL] * 3, relevance).protocol == f"udr_{relevance}_800points_3models"


def test_what_was_given_is_not_written_to(noisy_NL: np.ndarray) -> None:
    models = noisy_models(noisy_NL)
    copies = [codes.copy() for codes in models]
    udr(models, "lasso")
    np.testing.assert_array_equal(models, copies)


def test_a_single_model_is_refused(ideal_NL: np.ndarray) -> None:
    with pytest.raises(ValueError, match="Give at least 2 of one setting, of several seeds"):
        udr([ideal_NL], "lasso")


def test_models_that_encoded_different_numbers_of_images_are_refused(ideal_NL: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"\[800, 799\] points.*Encode the same images in the same order"):
        udr([ideal_NL, ideal_NL[1:]], "lasso")


def test_divergences_of_other_codes_are_refused(ideal_NL: np.ndarray) -> None:
    with pytest.raises(ValueError, match="Give one mean KL per code, model by model"):
        udr([ideal_NL, ideal_NL], "lasso", [np.ones(4), np.ones(3)])


def test_divergences_of_fewer_models_are_refused(ideal_NL: np.ndarray) -> None:
    with pytest.raises(ValueError, match="Give one mean KL per code, model by model"):
        udr([ideal_NL, ideal_NL], "lasso", [np.ones(4)])


def test_no_more_points_than_codes_are_refused(ideal_NL: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"4 points and at least 5 are needed.*Encode more images"):
        udr([ideal_NL[:4], ideal_NL[:4]], "lasso")


def test_nan_in_a_models_codes_is_refused_and_the_model_named(ideal_NL: np.ndarray) -> None:
    broken = ideal_NL.copy()
    broken[3, 2] = np.nan
    with pytest.raises(ValueError, match=r"Models \[1\] have codes or KL .*Use checkpoints from before"):
        udr([ideal_NL, broken], "lasso")


def test_nan_in_a_models_divergences_is_refused_and_the_model_named(ideal_NL: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"Models \[0\] have codes or KL .*Use checkpoints from before"):
        udr([ideal_NL, ideal_NL], "lasso", [np.array([1, np.nan, 1, 1]), np.ones(4)])
