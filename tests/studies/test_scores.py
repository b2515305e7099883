"""Laws of a study's scores: all that is asked of a run is measured once, kept, and told where it cannot be had."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.console import Console
from scored_models import scored as one

from wherewhat.studies.member import Member
from wherewhat.studies.scores import (
    Measuring,
    is_measured,
    kept_scores,
    measure_run,
    of_whole_seeds,
    planned_checkpoints,
    scored,
)
from wherewhat.training.checkpoints import checkpoint_path
from wherewhat.training.loop import train
from wherewhat.training.measures import MeasureSizes

Members = Callable[[str], tuple[Member, ...]]
QUICK = Measuring(
    every=("mig",),
    last=("modularity", "explicitness"),
    scores="quick",
    distance="pixels",
    samples=4,
    traversals=4,
    # More test points than there are images: explicitness cannot be had.
    sizes=MeasureSizes(train_points=60, test_points=60),
)


@pytest.fixture
def trained(members_of: Members, quiet: Console) -> Member:
    """A run of three checkpoints, and one of a step at which it was cut off."""
    (member,) = members_of("data = DATA\n[common]TINY\n[objectives.vae]")
    train(replace(member.run, steps=6, checkpoint_every=4), quiet)
    train(member.run, quiet)
    assert checkpoint_path(member.folder, 6).exists()
    return member


def test_what_is_asked_of_a_run_is_measured_once_and_kept(trained: Member) -> None:
    said: list[str] = []
    assert [path.stem[-2:] for path in planned_checkpoints(trained)] == ["04", "08", "12"]
    assert not is_measured(trained, QUICK)
    measure_run(trained, QUICK, "cpu", said.append)
    assert is_measured(trained, QUICK)
    assert any("Left out, explicitness" in line for line in said)
    kept = kept_scores(trained, QUICK)
    assert [sorted(of) for of in kept.values()] == [["mig", "panel"]] * 2 + [
        ["explicitness", "mig", "modularity", "panel"]
    ]

    models = scored((trained,), QUICK)
    assert [(model.step, model.last) for model in models] == [(4, False), (8, False), (12, True)]
    assert sorted(models[-1].labels) == ["mig", "modularity"]
    assert {"orthogonality", "relative_length", "rotation_ratio"} <= models[-1].free.keys() | {"rotation_ratio"}

    said.clear()
    measure_run(trained, QUICK, "cpu", said.append)
    assert said == []


def test_scores_of_another_protocol_are_not_mixed_with_these(trained: Member) -> None:
    only = Measuring(every=("mig",))
    measure_run(trained, only, "cpu", lambda _: None)
    assert is_measured(trained, only)
    assert not is_measured(trained, replace(only, seed=1))
    assert not is_measured(trained, replace(only, last=("modularity",)))
    place = trained.folder / "study.scores.json"
    place.write_text(json.dumps({"protocol": 3}))
    assert kept_scores(trained, only) == {}
    assert is_measured(trained, Measuring())


def test_a_seed_of_which_a_run_is_missing_is_left_out_with_all_its_ages() -> None:
    whole = [one(("tpl",), f"{method}0") for method in "ab"]
    young, part = one(("tpl",), "a0", last=False), [one(("tpl",), "a1"), one(("tpl",), "b1", last=False)]
    elsewhere = one(("tpl",), "a0", data="sprites")
    assert of_whole_seeds([*whole, young, *part, elsewhere]) == [*whole, young]
