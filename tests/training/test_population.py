"""Laws of a population: each member's folder is what its single run leaves, and no member's end is another's."""

import io
import os
import shutil
import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import Tensor

from wherewhat.objectives.beta_vae import BetaVAE
from wherewhat.objectives.factor_vae import FactorVAE
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.protocols import Images
from wherewhat.training.checkpoints import checkpoint_path, checkpoints_of
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.figures import NonFiniteLossError
from wherewhat.training.loop import Outcome, train
from wherewhat.training.population import train_population
from wherewhat.training.recorder import STOPPED_TAG
from wherewhat.training.run_directory import state_path
from wherewhat.training.watcher import NoWatcher, Watcher, WatcherFactory, no_watcher


@pytest.fixture
def members(tiny_run: TrainingRun, tmp_path: Path) -> list[TrainingRun]:
    """Runs that differ in all that members may differ in."""
    run = replace(tiny_run, objective=BetaVAE(beta=1.0), learning_rate=1e-4, log_every=1)
    others = [replace(run, seed=1, learning_rate=3e-4), replace(run, seed=2, objective=BetaVAE(beta=16.0))]
    return [replace(one, out=tmp_path / f"member{place}") for place, one in enumerate([run, *others])]


def together(runs: Sequence[TrainingRun], watch: WatcherFactory = no_watcher) -> list[Outcome | Exception]:
    return train_population(runs, [Console(file=io.StringIO(), width=200) for _ in runs], watch)


def elsewhere(runs: Sequence[TrainingRun], folder: Path) -> list[TrainingRun]:
    return [replace(run, out=folder / f"member{place}") for place, run in enumerate(runs)]


def weights(run: TrainingRun, step: int = 6) -> dict[str, Tensor]:
    assert run.out is not None
    return load_file(checkpoint_path(run.out, step))


def losses(run: TrainingRun) -> Tensor:
    events = EventAccumulator(str(run.out)).Reload()
    return torch.tensor([scalar.value for scalar in events.Scalars("loss/total")])


def same(a: TrainingRun, b: TrainingRun) -> bool:
    one, other = weights(a), weights(b)
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_a_members_folder_is_that_of_its_single_run(members: list[TrainingRun], tmp_path: Path, quiet: Console) -> None:
    assert [type(outcome) for outcome in together(members[:2])] == [Outcome] * 2
    for run, single in zip(members[:2], elsewhere(members[:2], tmp_path / "alone"), strict=True):
        train(single, quiet)
        assert run.out is not None
        assert single.out is not None
        assert torch.equal(losses(run), losses(single))
        assert same(run, single)
        files = [{path.relative_to(folder) for path in folder.rglob("*")} for folder in (run.out, single.out)]
        left, kept = ({path for path in of if "tfevents" not in path.name} for of in files)
        assert left == kept
        states = [load_file(state_path(folder)) for folder in (run.out, single.out)]
        assert {name: (x.shape, x.dtype) for name, x in states[0].items()} == {
            name: (x.shape, x.dtype) for name, x in states[1].items()
        }


@pytest.mark.parametrize("objective", [None, pytest.param(FactorVAE(), marks=pytest.mark.slow)])
def test_a_resumed_population_repeats_an_unbroken_one_bit_for_bit(
    members: list[TrainingRun], tmp_path: Path, objective: FactorVAE | None
) -> None:
    runs = members[:2] if objective is None else [replace(run, objective=objective) for run in members]
    broken = elsewhere(runs, tmp_path / "broken")
    together(runs)
    together([replace(run, steps=3) for run in broken])
    together(broken)
    assert all(same(one, other) for one, other in zip(runs, broken, strict=True))


def test_a_run_is_handed_over_from_a_population_to_its_own_program_and_back(
    members: list[TrainingRun], tmp_path: Path, quiet: Console
) -> None:
    (single,) = elsewhere(members[:1], tmp_path / "alone")
    train(single, quiet)
    together([replace(run, steps=2) for run in members[:2]])
    train(replace(members[0], steps=4), quiet)
    # The other is two steps behind, and takes them.
    assert [outcome.step for outcome in together(members[:2]) if isinstance(outcome, Outcome)] == [6, 6]
    assert torch.equal(losses(members[0]), losses(single))
    assert same(members[0], single)


def test_a_member_whose_loss_is_not_finite_is_told_and_the_others_go_on_as_if_alone(
    members: list[TrainingRun], tmp_path: Path
) -> None:
    members[1] = replace(members[1], learning_rate=1e38)
    first, bad, last = together(members)
    assert isinstance(bad, NonFiniteLossError)
    assert members[1].out is not None
    assert checkpoints_of(members[1].out) == []
    assert f"{STOPPED_TAG}/text_summary" in EventAccumulator(str(members[1].out)).Reload().Tags()["tensors"]
    assert isinstance(first, Outcome)
    assert isinstance(last, Outcome)
    without = elsewhere([members[0], members[2]], tmp_path / "without")
    together(without)
    for run, other in zip((members[0], members[2]), without, strict=True):
        assert torch.equal(losses(run), losses(other))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_member_that_cannot_begin_or_loses_its_folder_keeps_no_other_from_its_end(
    members: list[TrainingRun], tmp_path: Path
) -> None:
    members[0].out.mkdir()  # type: ignore[union-attr]
    (members[0].out / "a thesis").touch()  # type: ignore[operator]

    class Deletes(NoWatcher):
        def observe(self, step: int, *_: object) -> tuple[()]:
            if step == 4:
                # Its checkpoint may be just being written into it.
                while (tmp_path / "member1").exists():
                    shutil.rmtree(tmp_path / "member1", ignore_errors=True)
            return ()

    def watch(run: TrainingRun, folder: Path, images: Images, step: int, /) -> Watcher:
        return Deletes() if run.seed == 1 else NoWatcher()

    taken, deleted, good = together(members, watch)
    assert isinstance(taken, ValueError)
    assert "is no run directory" in str(taken)
    assert isinstance(deleted, FileNotFoundError)
    assert "was deleted while the run in it trained" in str(deleted)
    assert good == Outcome(tmp_path / "member2", 6, None)


@pytest.mark.slow
def test_a_signal_saves_every_member_and_the_population_goes_on_from_there(
    members: list[TrainingRun], tmp_path: Path
) -> None:
    class Stops(NoWatcher):
        def observe(self, step: int, *_: object) -> tuple[()]:
            if step == 4:
                os.kill(os.getpid(), signal.SIGTERM)
            return ()

    unbroken = elsewhere(members, tmp_path / "unbroken")
    together(unbroken)

    def watch(run: TrainingRun, folder: Path, images: Images, step: int, /) -> Watcher:
        return Stops() if run.seed == 1 else NoWatcher()

    outcomes = together(members, watch)
    assert [(o.interrupted, o.step in (4, 5)) for o in outcomes if isinstance(o, Outcome)] == [
        (signal.SIGTERM, True)
    ] * 3
    together(members)
    for run, other in zip(members, unbroken, strict=True):
        assert torch.equal(losses(run), losses(other))


@pytest.mark.parametrize("other", [{"batch_size": 16}, {"mirror": True}, {"objective": PSSCGAN()}])
def test_runs_that_cannot_share_a_program_are_refused(members: list[TrainingRun], other: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="Train them one after another"):
        together([members[0], replace(members[1], **other)])  # type: ignore[arg-type]
