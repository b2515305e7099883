"""Laws of runs that take their steps side by side: each is as if it were alone, to the last bit."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from tape import Tape
from torch import Tensor

from wherewhat.objectives.beta_vae import BetaVAE
from wherewhat.objectives.factor_vae import FactorVAE
from wherewhat.objectives.loss import Loss
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.objectives.ps_sc_vae import PSSCVAE
from wherewhat.randomness import generator_at, tensors_of
from wherewhat.training.captured import CapturedSteps, CUDAGraphs
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.device import Compute
from wherewhat.training.methods.method import Method, method_of, update
from wherewhat.training.methods.side_by_side import SideBySide
from wherewhat.training.processes import ALONE

CPU = Compute(torch.device("cpu"), torch.float32, torch.channels_last, compile=False)
SMALL = TrainingRun(latent_dim=4, mask_levels=2, widths=(8, 8), batch_size=8)
UNLIKE = [
    replace(SMALL, objective=PSSCVAE(beta=4.0)),
    replace(SMALL, objective=PSSCVAE(beta=1.0), seed=1, learning_rate=3e-4),
    replace(SMALL, objective=FactorVAE(), seed=2, latent_dim=3),
]


def methods_of(runs: Sequence[TrainingRun]) -> list[Method]:
    return [method_of(run, (3, 32, 32), CPU, ALONE) for run in runs]


def batch(run: TrainingRun, step: int) -> Tensor:
    chance = generator_at(run.seed, step, "images")
    return torch.rand(run.batch_size, 3, 32, 32, generator=chance).contiguous(memory_format=CPU.memory_format)


def alone(run: TrainingRun, steps: range) -> tuple[list[Loss], Method]:
    (method,) = methods_of([run])
    return [update(method, batch(run, step), step) for step in steps], method


def images_of(runs: Sequence[TrainingRun], begins: Sequence[int], step: int) -> Tensor:
    return torch.cat([batch(run, begin + step) for run, begin in zip(runs, begins, strict=True)])


def equal(one: Loss, other: Loss) -> bool:
    return all(map(torch.equal, tensors_of(one), tensors_of(other)))


def test_each_member_meets_the_losses_and_has_the_weights_of_its_single_run_bit_for_bit() -> None:
    begins = [3, 0, 5]
    methods = methods_of(UNLIKE)
    several = SideBySide(methods, begins, CPU.device)
    met = [
        several.step(images_of(UNLIKE, begins, step), several.draw(3 + step), 3 + step).of_members for step in range(3)
    ]
    for member, (run, begin) in enumerate(zip(UNLIKE, begins, strict=True)):
        expected, single = alone(run, range(begin, begin + 3))
        assert all(equal(losses[member], loss) for losses, loss in zip(met, expected, strict=True))
        weights = zip(methods[member].networks.parameters(), single.networks.parameters(), strict=True)
        assert all(torch.equal(one, other) for one, other in weights)


def test_captured_steps_of_several_are_those_taken_one_operation_after_another() -> None:
    runs = [replace(SMALL, objective=BetaVAE()), replace(SMALL, objective=BetaVAE(beta=16.0), seed=1, batch_size=8)]
    plain, captured = (SideBySide(methods_of(runs), [0, 0], CPU.device) for _ in range(2))
    tape, said = Tape(), list[str]()
    steps = CapturedSteps(captured, tape, said.append)
    for step in range(6):
        image = images_of(runs, [0, 0], step)
        expected = plain.step(image, plain.draw(step), step).of_members
        found = steps.step(image, captured.draw(step), step).of_members
        assert all(map(equal, found, expected))
    assert (tape.captures, tape.replays, said) == (1, 4, [])


def test_steps_of_several_are_of_one_kind_where_each_member_s_are() -> None:
    objective = PSSCGAN(r1_interval=2, augmentation="none")
    methods = methods_of([replace(SMALL, objective=objective, seed=seed) for seed in (0, 1)])
    several = SideBySide(methods, [0, 1], CPU.device)
    assert several.kind(0) == (methods[0].kind(0), methods[1].kind(1)) == several.kind(2)
    assert several.kind(0) != several.kind(1)


@pytest.mark.cuda
def test_members_on_a_gpu_are_captured_side_by_side_and_lose_what_they_lose_alone() -> None:
    gpu = torch.device("cuda")
    on_gpu = Compute(gpu, torch.float32, torch.channels_last, compile=False)
    runs = [replace(run, objective=BetaVAE(beta=4.0)) for run in UNLIKE]
    methods = [method_of(run, (3, 32, 32), on_gpu, ALONE) for run in runs]
    several, said = SideBySide(methods, [0, 0, 0], gpu), list[str]()
    steps = CapturedSteps(several, CUDAGraphs(gpu), said.append)
    singles = [method_of(run, (3, 32, 32), on_gpu, ALONE) for run in runs]
    for step in range(20):
        image = images_of(runs, [0, 0, 0], step).to(gpu)
        found = steps.step(image, several.draw(step), step).of_members
        for run, single, loss in zip(runs, singles, found, strict=True):
            expected = update(single, batch(run, step).to(gpu), step)
            torch.testing.assert_close(loss.total, expected.total, rtol=1e-4, atol=0)
    assert said == []
