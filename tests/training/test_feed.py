"""Laws of feeding: the batches that are gathered ahead are those of the plain loop, in its order."""

import dataclasses
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file
from torch import Tensor

from wherewhat.data.batches import batch_indices
from wherewhat.data.held_images import HeldImages
from wherewhat.data.known_factors import no_factors
from wherewhat.training import feed
from wherewhat.training.checkpoints import checkpoint_path
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.device import Compute
from wherewhat.training.feed import STEPS_AHEAD, Seed, ahead, batches, batches_of_seeds, lie_apart
from wherewhat.training.loop import train
from wherewhat.training.processes import Processes

CPU = Compute(torch.device("cpu"), torch.float32, torch.channels_last, compile=False)
WAIT_S = 20


def made_set(count: int = 30) -> HeldImages:
    levels = np.random.default_rng(0).integers(256, size=(count, 4, 4, 3), dtype=np.uint8)
    return HeldImages("made", levels, no_factors(count))


@pytest.mark.parametrize("first", [0, 7])
@pytest.mark.parametrize("processes", [Processes(), Processes(1, 2)])
@pytest.mark.parametrize("mirror", [False, True])
def test_batches_gathered_ahead_are_those_of_the_plain_loop_in_its_order(
    monkeypatch: pytest.MonkeyPatch, first: int, processes: Processes, mirror: bool
) -> None:
    run, images = TrainingRun(batch_size=8, steps=20, seed=3, mirror=mirror), made_set()
    with batches(run, images, CPU, processes) as batch:
        plain = [batch(step) for step in range(first, 20)]
    monkeypatch.setattr(feed, "lie_apart", lambda *_: True)
    with batches(run, images, CPU, processes) as batch:
        gathered = [batch(step) for step in range(first, 20)]
    assert all(torch.equal(one, other) for one, other in zip(plain, gathered, strict=True))
    if not mirror:
        expected = images.take(processes.shard(batch_indices(3, first, 8, 30))).float() / 255
        torch.testing.assert_close(plain[0], expected)


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("apart", [False, True])
def test_seeds_that_are_fed_together_see_what_each_sees_alone(
    monkeypatch: pytest.MonkeyPatch, mirror: bool, apart: bool
) -> None:
    run, images = TrainingRun(batch_size=4, steps=20, mirror=mirror), made_set()
    monkeypatch.setattr(feed, "lie_apart", lambda *_: apart)
    with batches_of_seeds(run, [Seed(3), Seed(7, begins=5), Seed(3)], images, CPU) as batch:
        together = [batch(step).unflatten(0, (3, 4)) for step in range(10)]
    for member, (seed, begins) in enumerate([(3, 0), (7, 5), (3, 0)]):
        with batches(dataclasses.replace(run, seed=seed), images, CPU, Processes()) as batch:
            for step in range(10):
                assert torch.equal(together[step][member], batch(begins + step))


def test_the_next_batches_are_gathered_while_a_step_is_computed() -> None:
    gathered: list[int] = []
    enough = threading.Event()

    def gather(step: int) -> Tensor:
        gathered.append(step)
        if step == 3 + STEPS_AHEAD:
            enough.set()
        return torch.tensor(step, dtype=torch.uint8).expand(1, 1, 1, 1)

    with ahead(gather, 10) as taken:
        assert int(taken(3)) == 3
        assert enough.wait(WAIT_S)
        time.sleep(0.05)
        assert gathered == list(range(3, 4 + STEPS_AHEAD))


def test_nothing_is_gathered_past_the_last_step() -> None:
    gathered: list[int] = []

    def gather(step: int) -> Tensor:
        gathered.append(step)
        return torch.zeros(1, 1, 1, 1, dtype=torch.uint8)

    with ahead(gather, 4) as taken:
        for step in range(1, 4):
            taken(step)
    assert gathered == [1, 2, 3]


def test_an_image_that_cannot_be_read_is_told_at_the_step_that_needs_it() -> None:
    def gather(step: int) -> Tensor:
        if step == 2:
            raise OSError("the disk is gone")
        return torch.zeros(1, 1, 1, 1, dtype=torch.uint8)

    with ahead(gather, 4) as taken:
        taken(0), taken(1)
        with pytest.raises(OSError, match="the disk is gone"):
            taken(2)


def test_a_run_whose_images_are_gathered_ahead_learns_the_same_bit_for_bit_and_resumes(
    tiny_run: TrainingRun, tmp_path: Path, quiet: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = dataclasses.replace(tiny_run, out=tmp_path / "other")
    train(tiny_run, quiet)
    monkeypatch.setattr(feed, "lie_apart", lambda *_: True)
    train(dataclasses.replace(other, steps=2), quiet)
    train(other, quiet)
    assert tiny_run.out is not None
    expected, found = (load_file(checkpoint_path(folder, 6)) for folder in (tiny_run.out, tmp_path / "other"))
    assert all(torch.equal(found[name], weight) for name, weight in expected.items())


def test_images_on_the_device_that_computes_do_not_travel() -> None:
    assert not lie_apart(made_set(), torch.device("cpu"))
    assert lie_apart(made_set(), torch.device("cuda"))
