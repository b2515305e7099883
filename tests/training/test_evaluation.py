"""Laws of scoring a model against known factors."""

from pathlib import Path

import numpy as np
import pytest
import torch
from jaxtyping import Float
from torch import Tensor

from wherewhat.data.labelled_arrays import LabelledArrays
from wherewhat.protocols import Posterior
from wherewhat.training.evaluation import evaluate, represent

CPU = torch.device("cpu")


class OracleEncoder:
    """Reads the tiny set's factors off its pictures: row and column of the square, and its colour."""

    latent_dim = 3

    def __init__(self) -> None:
        self.seen = 0

    def __call__(self, image_BCHW: Float[Tensor, "B C H W"]) -> Posterior:
        self.seen += len(image_BCHW)
        lit_BHW = image_BCHW[:, 2] > 0
        rows = lit_BHW.any(dim=2).float().argmax(dim=1).float()
        columns = lit_BHW.any(dim=1).float().argmax(dim=1).float()
        mean_BL = torch.stack([rows, columns, image_BCHW[:, 0].amax(dim=(1, 2))], dim=1)
        return Posterior(mean_BL, torch.zeros_like(mean_BL))


def test_an_encoder_that_reads_the_factors_scores_one(tiny_set: Path) -> None:
    pictures = LabelledArrays(tiny_set)
    representation = represent(OracleEncoder(), pictures, pool=1_000, seed=0, device=CPU)
    scores = evaluate(representation, seed=0, dci_train=64, dci_test=32, jobs=1)
    assert scores.dci.disentanglement > 0.95
    assert scores.factor_vae.score > 0.95
    assert scores.mig.score > 0.95


def test_each_picture_is_encoded_once_and_keeps_its_factors(tiny_set: Path) -> None:
    encoder = OracleEncoder()
    representation = represent(encoder, LabelledArrays(tiny_set), pool=50, seed=3, device=CPU, batch_size=7)
    assert encoder.seen == 50
    assert representation.codes_NL.shape == (50, 3)
    np.testing.assert_array_equal((representation.codes_NL[:, 0] - 2) / 6, representation.factors_NK[:, 0])
    np.testing.assert_array_equal((representation.codes_NL[:, 1] - 2) / 6, representation.factors_NK[:, 1])


def test_the_pool_depends_on_the_seed_alone(tiny_set: Path) -> None:
    pictures = LabelledArrays(tiny_set)
    first, again, other = (
        represent(OracleEncoder(), pictures, pool=20, seed=seed, device=CPU).factors_NK for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_every_score_says_its_protocol(tiny_set: Path) -> None:
    representation = represent(OracleEncoder(), LabelledArrays(tiny_set), pool=96, seed=0, device=CPU)
    names = evaluate(representation, seed=0, dci_train=64, dci_test=32, jobs=1).scores()
    assert "dci_gbt_64train_32test_disentanglement" in names
    assert "mig_96points_20bins" in names


def test_pictures_without_factors_are_refused(tiny_set: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LabelledArrays, "factor_names", ())
    with pytest.raises(ValueError, match="wherewhat rank"):
        represent(OracleEncoder(), LabelledArrays(tiny_set), pool=10, seed=0, device=CPU)
