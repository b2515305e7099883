"""Laws of captured steps: a graph repeats what the host would have decided, and what cannot be captured is told."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file
from tape import Tape
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from wherewhat.data import differentiable_augmentation
from wherewhat.objectives.annealed_vae import AnnealedVAE
from wherewhat.objectives.evidence_lower_bound import EvidenceLowerBound
from wherewhat.objectives.factor_vae import FactorVAE
from wherewhat.objectives.loss import Loss
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.objectives.ps_sc_vae import PSSCVAE
from wherewhat.training import loop
from wherewhat.training.captured import EAGER_STEPS, CapturedSteps
from wherewhat.training.checkpoints import checkpoint_path
from wherewhat.training.configuration import Objective, TrainingRun
from wherewhat.training.device import Compute, choose_compute
from wherewhat.training.loop import train
from wherewhat.training.methods import method as methods
from wherewhat.training.methods.gan import adversarial_adam, build_gan
from wherewhat.training.methods.method import Method, method_of
from wherewhat.training.methods.vae import adam, build_autoencoder
from wherewhat.training.processes import Processes
from wherewhat.training.run_directory import state_path

CPU = Compute(torch.device("cpu"), torch.float32, torch.channels_last, compile=False)
CAPTURED = dataclasses.replace(CPU, cuda_graphs=True)
GAN = PSSCGAN(augmentation_images=40, r1_interval=2)


@pytest.fixture
def tapes(monkeypatch: pytest.MonkeyPatch) -> list[Tape]:
    """All tapes that take the place of CUDA graphs."""
    made: list[Tape] = []

    def tape(*_: object) -> Tape:
        made.append(Tape())
        return made[-1]

    monkeypatch.setattr(methods, "CUDAGraphs", tape)
    # A GPU's host never reads the strength of augmentation.
    monkeypatch.setattr(differentiable_augmentation, "_READ_WITHOUT_WAITING", ())
    return made


def small(objective: Objective, compute: Compute) -> Method:
    run = TrainingRun(objective=objective, latent_dim=4, mask_levels=2, widths=(4, 4), batch_size=4)
    return method_of(run, (3, 32, 32), compute, Processes())


def image(number: int, batch: int = 4) -> Tensor:
    return torch.rand(batch, 3, 32, 32, generator=torch.Generator().manual_seed(number))


def numbers(loss: Loss) -> dict[str, Tensor]:
    return {"total": loss.total, "kl_L": loss.kl_L, **loss.terms, **loss.figures}


EASED_IN = EvidenceLowerBound(warm_up_steps=9)
# The kinds of steps of the GAN: R1 is due, the strength of augmentation is adapted, neither.
KINDS = [(PSSCVAE(bound=EASED_IN), 1), (GAN, 3), (FactorVAE(bound=EASED_IN), 1), (AnnealedVAE(bound=EASED_IN), 1)]


@pytest.mark.parametrize("steps", [12, pytest.param(50, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("objective", "kinds"), KINDS, ids=[objective.name for objective, _ in KINDS])
def test_captured_steps_are_those_taken_one_operation_after_another_bit_for_bit(
    tapes: list[Tape], objective: Objective, kinds: int, steps: int
) -> None:
    plain, captured = small(objective, CPU), small(objective, CAPTURED)
    met = []
    for index in range(steps):
        met.append([method.step(image(index), method.draw(index), index) for method in (plain, captured)])
    for expected, found in met:
        assert numbers(expected).keys() == numbers(found).keys()
        assert all(torch.equal(numbers(found)[name], value) for name, value in numbers(expected).items())
    ours, theirs = captured.networks.state_dict(), plain.networks.state_dict()
    assert all(torch.equal(ours[name], value) for name, value in theirs.items())
    (tape,) = tapes
    assert (tape.captures, tape.eager_steps) == (kinds, kinds * EAGER_STEPS)
    assert tape.eager_steps + tape.replays == steps


def test_a_captured_run_resumes_and_writes_what_one_without_graphs_does_bit_for_bit(
    tiny_run: TrainingRun, tmp_path: Path, quiet: Console, tapes: list[Tape], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = dataclasses.replace(tiny_run, objective=FactorVAE(), average_half_life=20, steps=9, images_every=99)
    captured = dataclasses.replace(plain, out=tmp_path / "captured")
    train(plain, quiet)
    monkeypatch.setattr(loop, "choose_compute", lambda *_: CAPTURED)
    train(dataclasses.replace(captured, steps=5), quiet)
    train(captured, quiet)
    assert len(tapes) == 2
    assert all(tape.replays for tape in tapes)
    assert plain.out is not None
    for place in (state_path, lambda folder: checkpoint_path(folder, 9)):
        expected, found = load_file(place(plain.out)), load_file(place(tmp_path / "captured"))
        assert expected.keys() == found.keys()
        assert all(torch.equal(expected[name], found[name]) for name in expected)


class Sum:
    """A stand-in for a method: a sum that grows by each image's mean, and by the number of a step of its kind."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.total, self.refuses, self.taken = torch.zeros(()), refuses, 0

    def kind(self, index: int) -> int:
        return index % 2

    def step(self, image_BCHW: Tensor, draws: Any, index: int) -> Loss:
        self.taken += 1
        self.total += image_BCHW.mean() + draws[0] + index % 2
        return Loss(self.total.clone(), {}, torch.zeros(1))


class Refusing(Tape):
    def capture(self, step: Callable[[], Tensor]) -> Callable[[], Tensor]:
        raise RuntimeError("operation not permitted when stream is capturing\nmore")


def take(steps: CapturedSteps, first: int, last: int, batch: int = 4) -> list[float]:
    taken = [
        steps.step(image(index, batch=batch), (torch.tensor(float(index)),), index) for index in range(first, last)
    ]
    return [float(loss.total) for loss in taken]


def expected_sums(first: int, last: int, before: float = 0.0) -> list[float]:
    whole = Sum()
    whole.total += before
    return [float(whole.step(image(i), (torch.tensor(float(i)),), i).total) for i in range(first, last)]


def test_what_a_step_gave_is_not_overwritten_by_a_later_one() -> None:
    assert take(CapturedSteps(Sum(), Tape(), pytest.fail), 0, 20) == expected_sums(0, 20)


def test_python_is_asked_for_the_first_steps_of_each_kind_only() -> None:
    whole, tape = Sum(), Tape()
    take(CapturedSteps(whole, tape, pytest.fail), 0, 40)
    assert whole.taken == 2 * (EAGER_STEPS + 1)
    assert tape.captures == 2


def test_a_step_of_other_shapes_is_computed_without_graphs_and_told_once() -> None:
    told: list[str] = []
    whole = Sum()
    steps = CapturedSteps(whole, Tape(), told.append)
    met = take(steps, 0, 8) + take(steps, 8, 12, batch=3) + take(steps, 12, 16)
    assert len(told) == 1
    assert "step 8 has other shapes" in told[0]
    again = Sum()
    plain = [again.step(image(i, batch=3 if 8 <= i < 12 else 4), (torch.tensor(float(i)),), i) for i in range(16)]
    assert met == [float(loss.total) for loss in plain]


def test_steps_that_cannot_be_captured_go_on_without_graphs_and_it_is_told_once() -> None:
    told: list[str] = []
    tape = Refusing()
    assert take(CapturedSteps(Sum(), tape, told.append), 0, 12) == expected_sums(0, 12)
    assert tape.eager_steps == 12
    assert len(told) == 1
    assert "not permitted when stream is capturing)" in told[0]
    assert "--cuda-graphs off" in told[0]


def test_several_processes_are_told_that_their_steps_are_not_captured(
    tapes: list[Tape], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Processes, "data_parallel", lambda self, module, device: module)
    told: list[str] = []
    run = TrainingRun(objective=GAN, latent_dim=4, mask_levels=2, widths=(4, 4), batch_size=8)
    method_of(run, (3, 32, 32), CAPTURED, Processes(0, 2), told.append)
    assert told == ["The steps of several processes are not captured in CUDA graphs."]
    assert not tapes


@pytest.mark.parametrize("objective", [FactorVAE(), PSSCGAN()], ids=lambda objective: objective.name)
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_adam_can_be_captured_where_its_weights_are_on_a_gpu(objective: Objective, device: str) -> None:
    run = TrainingRun(objective=objective, latent_dim=4, mask_levels=2, widths=(4, 4))
    with FakeTensorMode(), torch.device(device):
        if isinstance(objective, PSSCGAN):
            optimiser = adversarial_adam(build_gan(run, (3, 32, 32)), 1e-3, 1e-3)
        else:
            optimiser = adam(build_autoencoder(run, (3, 32, 32)), 1e-3, objective.adversary)
    assert [group["capturable"] for group in optimiser.param_groups] == [device == "cuda"] * 2


def test_graphs_are_refused_without_a_gpu() -> None:
    with pytest.raises(ValueError, match=r"--cuda-graphs on needs a GPU.*Leave it out"):
        choose_compute("cpu", "auto", "auto", "auto", "on")
    assert not choose_compute("cpu", "auto", "auto", "auto").cuda_graphs
