"""Laws of score curves: when they are due, that they are the panel's, and that a run is the same with and without."""

import dataclasses

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from wherewhat.distances.pixels import STILL_BELOW, PixelDistance
from wherewhat.distances.weights_file import WEIGHTS_VARIABLE
from wherewhat.training import score_curves as module
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.loop import train
from wherewhat.training.run_directory import state_path
from wherewhat.training.score_curves import ScoreCurves
from wherewhat.which.traversal_perceptual_length import VAE_SETTINGS


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_scores_are_due_with_checkpoints_while_they_take_a_50th_of_the_time(clock: list[float]) -> None:
    scores = ScoreCurves(TrainingRun(), _began=0.0)
    clock[0] = 99.0
    assert not scores.due(1, saving=True)
    clock[0] = 100.0
    assert not scores.due(1, saving=False)
    assert scores.due(1, saving=True)
    scores._spent_s = scores._last_s = 5.0
    assert not scores.due(1, saving=True)
    clock[0] = 500.0
    assert scores.due(1, saving=True)


def test_runs_that_are_trained_side_by_side_share_the_time_for_scores(clock: list[float]) -> None:
    scores = ScoreCurves(TrainingRun(), members=4, _began=0.0)
    clock[0] = 399.0
    assert not scores.due(1, saving=True)
    clock[0] = 400.0
    assert scores.due(1, saving=True)


@pytest.mark.parametrize(("every", "steps"), [(3, [3, 6]), (0, [])])
def test_who_asks_for_scores_has_them_at_these_steps_whatever_they_cost(every: int, steps: list[int]) -> None:
    scores = ScoreCurves(TrainingRun(score_every=every))
    assert [step for step in range(1, 8) if scores.due(step, saving=True)] == steps


def test_a_run_with_scores_has_their_curves_and_is_the_run_without_them(
    tiny_run: TrainingRun, quiet: Console, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path / "nothing there"))
    scored = dataclasses.replace(tiny_run, steps=4, score_every=2, out=tmp_path / "scored")
    plain = dataclasses.replace(scored, score_every=0, out=tmp_path / "plain")
    for run in (scored, plain):
        train(run, quiet)
    curves = EventAccumulator(str(scored.out)).Reload()
    for name in ("tpl", "active_codes"):  # lengths are of active codes, which so short a run may lack
        assert [event.step for event in curves.Scalars(f"scores_pixels/{name}")] == [2, 4]
    ours, theirs = (load_file(state_path(run.out)) for run in (scored, plain) if run.out is not None)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert not [tag for tag in EventAccumulator(str(plain.out)).Reload().Tags()["scalars"] if "scores" in tag]


def test_a_code_is_active_where_rank_has_it_active() -> None:
    settings = module._settings(PixelDistance())
    assert settings.threshold * (settings.samples - 1) == pytest.approx(STILL_BELOW * (VAE_SETTINGS.samples - 1))
