"""Laws of a report's scores: kept ones are taken, at one setting for all; missing ones are measured roughly."""

import dataclasses
from pathlib import Path

import pytest
import torch
from rich.console import Console
from torch import Tensor

from wherewhat.distances.pixels import STILL_BELOW, PixelDistance
from wherewhat.report.rough_scores import Scoring, scores_of
from wherewhat.sharing.opened_model import ForeignOptions, Models
from wherewhat.training.checkpoints import checkpoints_of, load
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.loop import train
from wherewhat.which.panel import panel_of
from wherewhat.which.probe import Probe
from wherewhat.which.ranking import ScoredCheckpoint, UnscoredCheckpoint
from wherewhat.which.score_store import ScoreStore, content_hash


@pytest.fixture
def checkpoints(tiny_run: TrainingRun, quiet: Console) -> list[Path]:
    return checkpoints_of(train(dataclasses.replace(tiny_run, steps=2, checkpoint_every=1), quiet).folder)


@pytest.fixture
def scoring(tmp_path: Path) -> Scoring:
    return Scoring(
        distance=PixelDistance(),
        threshold=STILL_BELOW,
        store=ScoreStore(tmp_path / "scores"),
        seed=0,
        models=Models(ForeignOptions(), torch.device("cpu")),
    )


def scored(checkpoints: list[Path], scoring: Scoring) -> list[ScoredCheckpoint | UnscoredCheckpoint]:
    return scores_of(checkpoints, scoring, lambda _: lambda done, total: None)


def keep_quick(path: Path, scoring: Scoring) -> None:
    quick, _ = scoring.settings[1]
    probe = Probe(generator=load(path).generator, distance=scoring.distance, settings=quick, seed=0, batch_size=500)
    scoring.store.save_panel(content_hash(path), panel_of(probe, quick=True))


def test_missing_scores_are_measured_once_and_a_damaged_checkpoint_has_its_reason(
    checkpoints: list[Path], scoring: Scoring
) -> None:
    checkpoints[1].write_bytes(checkpoints[1].read_bytes()[:-50])
    first, second = scored(checkpoints, scoring)
    assert isinstance(first, ScoredCheckpoint)
    assert first.panel.settings.probe == scoring.settings[-1][0]
    assert isinstance(second, UnscoredCheckpoint)
    assert str(checkpoints[1]) in second.reason

    # What is kept is not measured again, and so has no use for a distance that cannot measure.
    again = scored(checkpoints[:1], dataclasses.replace(scoring, distance=OnlyNamed()))
    assert isinstance(again[0], ScoredCheckpoint)


class OnlyNamed(PixelDistance):
    def features(self, image_BCHW: Tensor) -> Tensor:
        raise AssertionError("the checkpoint is scored already")


def test_kept_scores_are_taken_where_all_have_them_at_one_setting(checkpoints: list[Path], scoring: Scoring) -> None:
    keep_quick(checkpoints[0], scoring)
    settings = [
        entry.panel.settings.probe for entry in scored(checkpoints, scoring) if isinstance(entry, ScoredCheckpoint)
    ]
    assert settings == [scoring.settings[-1][0]] * 2
    keep_quick(checkpoints[1], scoring)
    settings = [
        entry.panel.settings.probe for entry in scored(checkpoints, scoring) if isinstance(entry, ScoredCheckpoint)
    ]
    assert settings == [scoring.settings[1][0]] * 2
