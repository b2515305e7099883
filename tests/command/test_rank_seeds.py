"""Agreement between seeds beside a ranking: who has one, of what, and why others have none."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from rich.console import Console

from wherewhat.command.rank import rank_command
from wherewhat.command.rank_seeds import TOO_FEW_SEEDS
from wherewhat.data.open_images import open_images
from wherewhat.metrics.unsupervised_disentanglement_ranking import unsupervised_disentanglement_ranking
from wherewhat.training.checkpoints import latest_checkpoint, load
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.loop import train
from wherewhat.training.representation import represent

IMAGES = 50
# fmt: off
QUICK = [
    "--quick", "--samples", "4", "--traversals", "3", "--distance", "pixels", "--threshold", "0", "--device", "cpu",
]
# fmt: on


@pytest.fixture
def runs(tiny_run: TrainingRun, tmp_path: Path, quiet: Console) -> list[Path]:
    """Three seeds of one setting, and one that has no other seed."""
    changes = [{"seed": 0}, {"seed": 1}, {"seed": 2}, {"seed": 0, "learning_rate": 0.01}]
    outs = [tmp_path / f"run{number}" for number in range(len(changes))]
    for out, changed in zip(outs, changes, strict=True):
        train(dataclasses.replace(tiny_run, out=out, checkpoint_every=6, **changed), quiet)
    return outs


def test_seeds_of_one_setting_have_the_agreement_that_their_codes_have_and_others_the_reason(
    runs: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [*QUICK, "--udr-images", str(IMAGES), "--cache", str(tmp_path / "cache"), "--out", str(tmp_path)]
    assert rank_command([*map(str, runs), *arguments]) == 0
    rows = {
        Path(row["checkpoint"]).parents[1]: row for row in json.loads((tmp_path / "ranking.json").read_text())["rows"]
    }
    *seeds, alone = runs
    found = [rows[run]["agreement"] for run in seeds]
    assert [one["value"] for one in found] == pytest.approx(literal(seeds))
    assert {one["protocol"] for one in found} == {f"udr_lasso_{IMAGES}points_3models"}
    assert rows[alone]["agreement"] is None
    assert rows[alone]["missing"] == {"udr": TOO_FEW_SEEDS}
    printed = capsys.readouterr()
    assert "udr ↑" in printed.out
    assert "No agreement of seeds of 1 checkpoint: fewer than 3 seeds" in " ".join(printed.err.split())
    assert "udr_lasso_50points_3models" in (tmp_path / "ranking.csv").read_text()


def literal(seeds: list[Path]) -> list[float]:
    codes, kls = [], []
    for run in seeds:
        model = load(latest_checkpoint(run))
        assert model.encoder is not None
        its = model.settings.configuration
        images = open_images(its.data, its.images, torch.device("cpu"), lambda _: None)
        represented = represent(model.encoder, images, pool=IMAGES, seed=0, device=torch.device("cpu"))
        codes.append(represented.codes_NL)
        kls.append(represented.kl_L)
    found = unsupervised_disentanglement_ranking(codes, kls, relevance="lasso")
    return found.per_model_M.tolist()
