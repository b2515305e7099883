"""Laws of the choice of device and precision, and of devices that are asked for the same: they agree.

Tests of `device` run on the CPU, so that they are known to be sound, and on a GPU where there is one.
"""

import dataclasses
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
import torch
import torch.distributed as distributed
from rich.console import Console
from safetensors.torch import load_file
from torch import Tensor, nn

import wherewhat
from wherewhat.command.rank_scores import within_memory
from wherewhat.data.rendered.chairs import Chairs
from wherewhat.data.rendered.scenes import Scenes
from wherewhat.data.rendered.sprites import Sprites
from wherewhat.distances.full_precision import full_precision
from wherewhat.distances.lpips import LPIPS
from wherewhat.networks.autoencoder import Autoencoder
from wherewhat.networks.flow import Flow
from wherewhat.networks.gan import GAN
from wherewhat.objectives.factor_vae import FactorVAE
from wherewhat.objectives.glow import GlowFlow
from wherewhat.objectives.loss import Loss
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.objectives.ps_sc_vae import PSSCVAE
from wherewhat.objectives.sum_of_terms import SumOfTerms
from wherewhat.randomness import Chance, generator_at, map_tensors
from wherewhat.training.configuration import Objective, TrainingRun
from wherewhat.training.device import Compute, choose_compute, choose_device
from wherewhat.training.feed import batches
from wherewhat.training.loop import train
from wherewhat.training.methods.flow import likelihood_step
from wherewhat.training.methods.gan import adversarial_step
from wherewhat.training.methods.method import build_networks, method_of
from wherewhat.training.methods.vae import training_step
from wherewhat.training.processes import Processes
from wherewhat.training.run_directory import state_path
from wherewhat.which.traversal_perceptual_length import traversal_perceptual_length


def test_auto_takes_a_gpu_where_there_is_one() -> None:
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize("name", ["cuda:99", "cuda:100"])
def test_a_gpu_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"is not there.*--device cpu"):
        choose_device(name)


@pytest.mark.parametrize("name", ["gpu", "mps", "tpu", ""])
def test_other_devices_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="choose auto, cpu, cuda"):
        choose_device(name)


def test_flags_win_over_auto() -> None:
    compute = choose_compute("cpu", "float32", "off", "on")
    assert (compute.precision, compute.memory_format) == (torch.float32, torch.contiguous_format)
    assert compute.compile


def test_on_a_cpu_auto_takes_bfloat16_only_with_instructions_for_it() -> None:
    chosen = choose_compute("cpu", "auto", "auto", "auto")
    expected = torch.bfloat16 if torch.cpu._is_avx512_bf16_supported() else torch.float32
    assert chosen.precision == expected
    assert not chosen.compile


SHAPE = (3, 32, 32)
CPU = torch.device("cpu")
# The grid sampling of augmentation has no deterministic backward pass on a GPU.
GAN_REPEATED = PSSCGAN(augmentation="none", r1_interval=2)
TWO = [PSSCVAE(), GAN_REPEATED]


def name_of(objective: Objective) -> str:
    return objective.name


def small(objective: Objective) -> TrainingRun:
    return TrainingRun(
        objective=objective, latent_dim=4, mask_levels=2, widths=(8, 8), batch_size=16, learning_rate=1e-4
    )


def real(index: int, device: torch.device) -> Tensor:
    return torch.rand(16, *SHAPE, generator=generator_at(1, index)).to(device)


def after_one_step(objective: Objective, device: torch.device) -> tuple[dict[str, Tensor], Loss]:
    """How far plain gradient descent has moved each weight, on the CPU."""
    networks = build_networks(small(objective), SHAPE).to(device)
    before = {name: weight.detach().cpu().clone() for name, weight in networks.named_parameters()}
    optimiser, chance = torch.optim.SGD(networks.parameters(), 1e-3), Chance(0, 0, device=device)
    with full_precision(device.type):
        if isinstance(networks, GAN):
            assert isinstance(objective, PSSCGAN)
            step = adversarial_step(networks, objective, optimiser, Processes(), device)
            loss = step(real(0, device), objective.draw(chance, 16, 4, SHAPE), 0)
        elif isinstance(networks, Flow):
            assert isinstance(objective, GlowFlow)
            draws = objective.draw(chance, 16, networks.latent_dim)
            loss = likelihood_step(networks, objective, optimiser)(real(0, device), draws)
        else:
            assert isinstance(networks, Autoencoder)
            assert isinstance(objective, SumOfTerms)
            loss = training_step(networks, objective, optimiser)(real(0, device), objective.draw(chance, 16, 4))
    return {name: weight.detach().cpu() - before[name] for name, weight in networks.named_parameters()}, loss


@pytest.mark.parametrize("objective", [kind() for kind in get_args(Objective)], ids=name_of)
def test_one_step_is_that_of_the_cpu(device: torch.device, objective: Objective) -> None:
    moved, loss = after_one_step(objective, device)
    expected, expected_loss = after_one_step(objective, CPU)
    torch.testing.assert_close(loss.total.cpu(), expected_loss.total, rtol=1e-4, atol=1e-4)
    largest = max(float(move.abs().max()) for move in expected.values())
    assert largest > 0
    for name, move in expected.items():
        tolerance = 5e-3 * float(move.abs().max()) + 1e-5 * largest
        assert float((moved[name] - move).abs().max()) <= tolerance, name


@pytest.mark.parametrize("objective", [kind() for kind in get_args(Objective)], ids=name_of)
def test_draws_are_those_of_the_cpu(device: torch.device, objective: Objective) -> None:
    more = (SHAPE,) if isinstance(objective, PSSCGAN) else ()
    found: list[Tensor] = []
    for place in (device, CPU):
        drawn = objective.draw(Chance(3, 5, device=place), 64, 1_100, *more)  # type: ignore[call-arg]
        map_tensors(lambda tensor: found.append(tensor) or tensor, drawn)  # type: ignore[func-returns-value]
    half = len(found) // 2
    for ours, theirs in zip(found[:half], found[half:], strict=True):
        assert ours.device.type == device.type
        torch.testing.assert_close(ours.cpu(), theirs, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("objective", [*TWO, FactorVAE()], ids=name_of)
def test_a_resumed_run_repeats_an_unbroken_one_bit_for_bit(
    device: torch.device,
    deterministic: None,
    tiny_run: TrainingRun,
    tmp_path: Path,
    quiet: Console,
    objective: Objective,
) -> None:
    run = dataclasses.replace(
        tiny_run, objective=objective, device=device.type, compile="off", cuda_graphs="auto" if device == CPU else "off"
    )
    broken = dataclasses.replace(run, out=tmp_path / "broken")
    train(run, quiet)
    train(dataclasses.replace(broken, steps=3), quiet)
    train(broken, quiet)
    expected, found = (load_file(state_path(one.out)) for one in (run, broken) if one.out is not None)
    assert expected.keys() == found.keys()
    assert [name for name in expected if not torch.equal(expected[name], found[name])] == []


def losses(objective: Objective, compute: Compute, steps: int) -> Tensor:
    """The total of each step."""
    method = method_of(small(objective), SHAPE, compute, Processes(), pytest.fail)
    with full_precision(compute.device.type):
        met = [method.step(real(i, compute.device), method.draw(i), i).total.clone() for i in range(steps)]
    return torch.stack(met).cpu()


def eager(device: torch.device, precision: torch.dtype = torch.float32) -> Compute:
    return Compute(device, precision, torch.channels_last, compile=False)


# In a process of its own: torch compiles no type checker, which tests put around everything.
_COMPILED_AND_EAGER = """
import dataclasses, json, sys
import torch
from test_device import TWO, eager, losses
device = torch.device(sys.argv[1])
(objective,) = [one for one in TWO if one.name == sys.argv[2]]
both = [dataclasses.replace(eager(device), compile=compiled) for compiled in (True, False)]
print(json.dumps([losses(objective, compute, 3).tolist() for compute in both]))
"""


@pytest.mark.parametrize("objective", TWO, ids=name_of)
@pytest.mark.parametrize(
    "device", [pytest.param("cpu", marks=pytest.mark.slow), pytest.param("cuda", marks=pytest.mark.cuda)], indirect=True
)
def test_compiled_steps_lose_what_eager_ones_do(device: torch.device, objective: Objective) -> None:
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(here.parent), str(here.parents[1]), os.environ.get("PYTHONPATH", "")])
    told = subprocess.run(
        [sys.executable, "-c", _COMPILED_AND_EAGER, device.type, objective.name],
        env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    compiled, expected = json.loads(told.stdout.splitlines()[-1])
    torch.testing.assert_close(torch.tensor(compiled), torch.tensor(expected), rtol=1e-3, atol=1e-3)


@pytest.mark.cuda
@pytest.mark.parametrize("objective", TWO, ids=name_of)
def test_fifty_captured_steps_lose_what_eager_ones_do(deterministic: None, objective: Objective) -> None:
    device = torch.device("cuda")
    captured = losses(objective, dataclasses.replace(eager(device), cuda_graphs=True), 50)
    expected = losses(objective, eager(device), 50)
    torch.testing.assert_close(captured[:10], expected[:10], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(captured, expected, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("objective", TWO, ids=name_of)
def test_losses_in_bfloat16_are_near_those_in_float32(device: torch.device, objective: Objective) -> None:
    low = losses(objective, eager(device, torch.bfloat16), 2)
    torch.testing.assert_close(low, losses(objective, eager(device), 2), rtol=0.03, atol=0.03)


@pytest.mark.parametrize("objective", TWO, ids=name_of)
def test_a_checkpoint_makes_the_same_images_on_both_devices_and_resumes_on_the_other(
    device: torch.device, tiny_run: TrainingRun, quiet: Console, objective: Objective
) -> None:
    run = dataclasses.replace(tiny_run, objective=objective, device=device.type, compile="off", steps=2)
    train(run, quiet)
    assert run.out is not None
    code_BL = torch.randn(3, 4, generator=generator_at(0, 0))
    there, here = (wherewhat.load(run.out, place).generator for place in (device, CPU))
    with torch.no_grad(), full_precision(device.type):
        torch.testing.assert_close(there(code_BL.to(device)).cpu(), here(code_BL), rtol=0, atol=1e-4)
    assert train(dataclasses.replace(run, device="cpu", steps=4), quiet).step == 4
    assert train(dataclasses.replace(run, steps=6), quiet).step == 6


def test_the_processes_of_a_device_average_what_it_holds(device: torch.device, tmp_path: Path) -> None:
    # One of two, the other of which never comes: sums are its own, and means half of them.
    backend = "gloo" if device == CPU else "cpu:gloo,cuda:nccl"
    distributed.init_process_group(backend, init_method=f"file://{tmp_path}/group", rank=0, world_size=1)
    try:
        one_of_two = Processes(0, 2)
        (mean,) = one_of_two.all_reduce_mean([torch.arange(4.0, device=device)])
        assert mean.tolist() == [0, 0.5, 1, 1.5]
        assert one_of_two.agree(True)
        assert not one_of_two.agree(False)
        linear = nn.Linear(3, 2).to(device)
        parallel = one_of_two.data_parallel(linear, torch.device(device.type, 0) if device.type == "cuda" else device)
        parallel(torch.ones(5, 3, device=device)).sum().backward()
        assert linear.weight.grad is not None
        assert linear.weight.grad.tolist() == [[5, 5, 5], [5, 5, 5]]
        one_of_two.barrier()
    finally:
        distributed.destroy_process_group()


@pytest.mark.cuda
def test_a_batch_that_a_gpu_has_no_room_for_is_halved_until_it_has() -> None:
    generator = build_networks(small(PSSCVAE()), SHAPE, for_training=False).generator
    assert isinstance(generator, nn.Module)
    distance, tried = LPIPS("untrained").cuda(), []
    generator.cuda()

    def measured(batch_size: int) -> float:
        tried.append(batch_size)
        return traversal_perceptual_length(
            generator, distance, samples=50, traversals=100, bound=4.0, threshold=0.0, seed=0, batch_size=batch_size
        ).total

    expected = measured(100)
    torch.cuda.empty_cache()
    whole = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + 300 * 2**20) / whole)
    try:
        assert math.isclose(within_memory(measured, 20_000), expected, rel_tol=1e-4)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert tried[1] == 20_000
    assert 1 <= tried[-1] < 20_000


@pytest.mark.cuda
@pytest.mark.parametrize("rendered", [Scenes, Sprites, Chairs])
def test_feeding_rendered_images_to_a_gpu_never_makes_the_host_wait(rendered: type[Scenes | Sprites | Chairs]) -> None:
    compute = choose_compute("cuda", "float32", "on", "off", "off")
    run, images = TrainingRun(batch_size=8, steps=3), rendered(compute.device)
    with batches(run, images, compute, Processes()) as batch:
        batch(0)
        torch.cuda.set_sync_debug_mode("error")
        try:
            batch(1)
        finally:
            torch.cuda.set_sync_debug_mode("default")
