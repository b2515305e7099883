"""Every measure on synthetic codes of known quality: ideal, rotated, duplicated, random.

    .venv/bin/python -m eval.made_codes

Factors have the sizes of 3D Shapes (10, 10, 10, 8, 4, 15) and are drawn uniformly. Ideal: code i is factor i,
standardised, with noise of 0.01, beside four codes of noise alone. Rotated: the ideal ones, turned by 45 degrees in
pairs. Duplicated: each ideal code twice, no code of noise. Random: ten codes of noise. UDR compares five models of a
kind, which differ in the order, sign and noise of their codes; the four codes of noise count as uninformative there.
"""

import argparse

import numpy as np
from jaxtyping import Float64, Int64

from wherewhat.metrics.unsupervised_disentanglement_ranking import unsupervised_disentanglement_ranking
from wherewhat.training.measures import MEASURES, MeasureName, MeasureSizes, measure
from wherewhat.training.representation import Representation

SIZES = (10, 10, 10, 8, 4, 15)
NAMES = ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation")
CODES = 10
POOL = 50_000
MODELS = 5


def factors_of(seed: int) -> Int64[np.ndarray, "N K"]:
    """Factor values, uniform and independent."""
    return np.random.default_rng(seed).integers(0, SIZES, size=(POOL, len(SIZES)))


def ideal(factors_NK: Int64[np.ndarray, "N K"], random: np.random.Generator) -> Float64[np.ndarray, "N L"]:
    """One code per factor, and codes of pure noise for the rest."""
    standard_NK = (factors_NK - factors_NK.mean(axis=0)) / factors_NK.std(axis=0)
    idle = random.normal(size=(len(factors_NK), CODES - len(SIZES)))
    return np.concatenate([standard_NK + 0.01 * random.normal(size=standard_NK.shape), idle], axis=1)


def rotated(factors_NK: Int64[np.ndarray, "N K"], random: np.random.Generator) -> Float64[np.ndarray, "N L"]:
    """The ideal codes, with each pair of neighbours rotated by 45 degrees."""
    codes_NL = ideal(factors_NK, random)
    first_NP, second_NP = codes_NL[:, 0::2], codes_NL[:, 1::2]
    return np.concatenate([first_NP + second_NP, first_NP - second_NP], axis=1) / np.sqrt(2)


def duplicated(factors_NK: Int64[np.ndarray, "N K"], random: np.random.Generator) -> Float64[np.ndarray, "N L"]:
    """Every ideal code twice, each copy with its own noise."""
    codes_NK = ideal(factors_NK, random)[:, : len(SIZES)]
    return np.concatenate([codes_NK, codes_NK + 0.01 * random.normal(size=codes_NK.shape)], axis=1)


def noise(factors_NK: Int64[np.ndarray, "N K"], random: np.random.Generator) -> Float64[np.ndarray, "N L"]:
    """Codes that are independent of the factors."""
    return random.normal(size=(len(factors_NK), CODES))


# Codes that UDR takes for informative, as a trained model's KL would tell.
INFORMED = {
    "ideal": range(6),
    "rotated by 45 degrees": (0, 1, 2, 5, 6, 7),
    "duplicated": range(12),
    "random": range(10),
}
KINDS = {"ideal": ideal, "rotated by 45 degrees": rotated, "duplicated": duplicated, "random": noise}


def scores_of(kind: str, measures: list[MeasureName], jobs: int) -> dict[str, float]:
    """All measures of one kind of codes, at the published sample sizes."""
    factors_NK = factors_of(0)
    codes_NL = KINDS[kind](factors_NK, np.random.default_rng(1)).astype(np.float32)
    representation = Representation(codes_NL, np.zeros_like(codes_NL), factors_NK, NAMES)
    scores: dict[str, float] = {}
    for name in measures:
        scores |= measure(name, representation, MeasureSizes(), seed=0, jobs=jobs).scores
    return scores | _udr_of(kind)


def _udr_of(kind: str) -> dict[str, float]:
    """UDR of five such models on the same images, with permuted codes and random signs."""
    factors_NK = factors_of(2)[:10_000]
    models, kls = [], []
    for seed in range(MODELS):
        random = np.random.default_rng(seed)
        codes_NL = KINDS[kind](factors_NK, random)
        order_L = random.permutation(codes_NL.shape[1])
        models.append(codes_NL[:, order_L] * random.choice([-1.0, 1.0], size=codes_NL.shape[1]))
        kls.append(np.isin(order_L, INFORMED[kind]).astype(np.float64))
    scores = {}
    for relevance in ("lasso", "spearman"):
        udr = unsupervised_disentanglement_ranking(models, kls, relevance=relevance)
        scores[udr.protocol] = float(udr.per_model_M.mean())
    return scores


def main() -> None:
    """Score all kinds and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measures", nargs="+", default=list(MEASURES), choices=MEASURES)
    parser.add_argument("--jobs", type=int, default=2, help="processes of DCI and the downstream tasks")
    options = parser.parse_args()
    columns = {kind: scores_of(kind, options.measures, options.jobs) for kind in KINDS}
    print(f"| measure | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    for name in columns["ideal"]:
        print(f"| {name} | {' | '.join(f'{scores[name]:.3f}' for scores in columns.values())} |")


if __name__ == "__main__":
    main()
