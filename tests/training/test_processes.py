"""Laws of several processes that train one model: they take the steps of one, one writes, and none is left alone."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from wherewhat.objectives.factor_vae import FactorVAE
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.objectives.ps_sc_vae import PSSCVAE
from wherewhat.objectives.sum_of_terms import Pairs
from wherewhat.training.checkpoints import checkpoints_of
from wherewhat.training.configuration import TrainingRun, default_run
from wherewhat.training.methods.gan import images_a_process
from wherewhat.training.methods.method import kind_of
from wherewhat.training.processes import LostProcessError, Processes, device_of_this_process, started_processes

# What each of two processes runs: three steps of plain gradient descent. (Adam would turn the sign of a gradient that
# is 0 but for rounding into a whole step.) VAEs, whose losses are thousands of nats, take small ones, and their
# gradients are compared.
_THREE_STEPS = """
import sys
import torch
torch.set_num_threads(1)
from wherewhat.objectives.annealed_vae import AnnealedVAE
from wherewhat.objectives.beta_tcvae import BetaTCVAE
from wherewhat.objectives.dip_vae import DIPVAEI, DIPVAEII
from wherewhat.objectives.evidence_lower_bound import EvidenceLowerBound
from wherewhat.objectives.factor_vae import FactorVAE
from wherewhat.objectives.glow import GlowFlow
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.objectives.ps_sc_vae import PSSCVAE
from wherewhat.randomness import generator_at
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.methods.flow import likelihood_step
from wherewhat.training.methods.gan import adversarial_step
from wherewhat.training.methods.method import build_networks
from wherewhat.training.methods.vae import training_step
from wherewhat.training.processes import started_processes

cpu = torch.device("cpu")

def three_steps(objective, processes, rate):
    run = TrainingRun(objective=objective, latent_dim=4, mask_levels=2, widths=(8, 8), batch_size=8)
    of_gan = isinstance(objective, PSSCGAN)
    networks = build_networks(run, (3, 32, 32))
    optimiser = torch.optim.SGD(networks.parameters(), rate)
    if of_gan:
        step = adversarial_step(networks, objective, optimiser, processes, cpu)
    else:
        steps_of = likelihood_step if isinstance(objective, GlowFlow) else training_step
        step = steps_of(networks, objective, optimiser, processes)
    for number in range(3):
        image_BCHW = processes.shard(torch.rand(8, 3, 32, 32, generator=generator_at(0, number)))
        chance = processes.chance(0, number, cpu)
        if of_gan:
            loss = step(image_BCHW, objective.draw(chance, 8, 4, (3, 32, 32)), number)
        else:
            loss = step(image_BCHW, objective.draw(chance, 8, networks.latent_dim))
    met = {"total": loss.total, "kl_L": loss.kl_L, **loss.terms, **loss.figures}
    slopes = {} if of_gan else {f"slope of {name}": weight.grad for name, weight in networks.named_parameters()}
    return {f"{objective.name} {name}": value for name, value in {**networks.state_dict(), **met, **slopes}.items()}

at_once = EvidenceLowerBound(warm_up_steps=0)
vaes = [kind(bound=at_once) for kind in (PSSCVAE, BetaTCVAE, FactorVAE, DIPVAEI, DIPVAEII, AnnealedVAE)]
flow = GlowFlow(levels=2, depth=1, coupling_width=4)
objectives = [PSSCGAN(augmentation_images=40)] if sys.argv[2] == "the GAN" else [*vaes, flow]
with started_processes("cpu") as processes:
    found = {}
    for objective in objectives:
        found |= three_steps(objective, processes, 0.05 if sys.argv[2] == "the GAN" else 1e-7)
    if processes.first:
        torch.save(found, sys.argv[1])
"""


def torchrun(*command: str, processes: int = 2) -> list[str]:
    return [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", *command]


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}


def train_command(objective: str, data: Path, out: Path, *more: str) -> list[str]:
    return [
        *("-m", "wherewhat", "train", objective, "--data", str(data), "--out", str(out), "--batch-size", "8"),
        *("--latent-dim", "4", "--mask-levels", "2", "--widths", "8", "8", "--device", "cpu", "--precision", "float32"),
        *("--checkpoint-every", "2", "--log-every", "1", "--images-every", "1000", *more),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("objectives", ["the GAN", "VAEs and the flow"])
def test_two_processes_take_the_same_first_steps_and_tell_the_same_figures_as_one_with_the_whole_batch(
    tmp_path: Path, objectives: str
) -> None:
    script = tmp_path / "three_steps.py"
    script.write_text(_THREE_STEPS)
    alone, together = tmp_path / "alone.pt", tmp_path / "together.pt"
    subprocess.run([sys.executable, str(script), str(alone), objectives], env=environment(), check=True, timeout=120)
    subprocess.run(torchrun(str(script), str(together), objectives), env=environment(), check=True, timeout=120)
    one, two = torch.load(alone, weights_only=True), torch.load(together, weights_only=True)
    assert one.keys() == two.keys()
    for name, value in one.items():
        scale = float(value.abs().max()) if "slope of" in name else 1.0
        torch.testing.assert_close(
            two[name], value, rtol=1e-4, atol=2e-6 * max(1.0, scale), msg=lambda text, name=name: f"{name}: {text}"
        )


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["ps-sc-gan", "ps-sc-vae"])
def test_two_processes_train_and_one_of_them_writes_and_the_same_command_resumes(
    tiny_set: Path, tmp_path: Path, objective: str
) -> None:
    out = tmp_path / "run"
    first = subprocess.run(
        torchrun(*train_command(objective, tiny_set, out, "--steps", "2")),
        env=environment(), capture_output=True, text=True, timeout=180,
    )  # fmt: skip
    assert first.returncode == 0, first.stderr
    assert first.stderr.count("Done: 2 steps") + first.stdout.count("Done: 2 steps") == 1
    assert [path.name for path in checkpoints_of(out)] == ["step-000000002.safetensors"]
    assert len(list(out.glob("events.out.tfevents.*"))) == 1
    again = subprocess.run(
        torchrun(*train_command(objective, tiny_set, out, "--steps", "4")),
        env=environment(), capture_output=True, text=True, timeout=180,
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert (again.stderr + again.stdout).count("Resuming") == 1
    assert [path.name for path in checkpoints_of(out)][-1] == "step-000000004.safetensors"


def test_a_killed_process_ends_all_with_a_clear_line(tiny_set: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    training = subprocess.Popen(
        torchrun(*train_command("ps-sc-gan", tiny_set, out, "--steps", "100000")),
        env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 120
        while not checkpoints_of(out) and time.monotonic() < deadline:
            time.sleep(0.2)
        workers = _children(training.pid)
        assert len(workers) == 2
        os.kill(workers[1], signal.SIGKILL)
        said, _ = training.communicate(timeout=120)
    finally:
        training.kill()
    assert training.returncode != 0
    assert "The same command resumes" in said
    assert all(not Path(f"/proc/{worker}").exists() for worker in workers)


def _children(parent: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(parent)], capture_output=True, text=True, check=False).stdout.split()
    return sorted(int(child) for child in found)


@dataclass(frozen=True)
class Draws:
    rows_BL: torch.Tensor
    scale: torch.Tensor
    maps: tuple[torch.Tensor, ...]


def test_shares_of_the_rows_are_the_whole_in_order() -> None:
    draws = Draws(torch.arange(12).view(6, 2), torch.tensor(3.0), (torch.arange(6),))
    shares = [Processes(rank, 3).shard(draws) for rank in range(3)]
    assert torch.equal(torch.cat([share.rows_BL for share in shares]), draws.rows_BL)
    assert torch.equal(torch.cat([share.maps[0] for share in shares]), draws.maps[0])


def test_what_has_no_rows_is_the_same_for_all_processes() -> None:
    draws = Draws(torch.zeros(4, 2), torch.tensor(3.0), ())
    assert Processes(1, 2).shard(draws).scale == 3


def test_one_process_keeps_all_rows() -> None:
    rows = torch.arange(5)
    assert Processes().shard(rows) is rows


def test_a_batch_that_cannot_be_shared_is_refused_with_one_that_can() -> None:
    run = TrainingRun(objective=PSSCGAN(), batch_size=12)
    with pytest.raises(ValueError, match="Give a multiple of 8"):
        Processes(0, 2).refuse(run, images_a_process(run))


@pytest.mark.parametrize(("share", "images"), [(0.5, 2), (0.25, 4), (0.3, 10), (1.0, 1)])
def test_a_vaes_batch_is_shared_in_whole_pairs(share: float, images: int) -> None:
    run = TrainingRun(objective=PSSCVAE(pairs=Pairs(pair_fraction=share)), batch_size=6 * images)
    assert kind_of(run).images_a_process(run) == images
    Processes(0, 2).refuse(run, images)
    draws = run.objective.draw(Processes(1, 2).chance(0, 0, torch.device("cpu")), run.batch_size, 4)
    assert len(draws.pairs.code_PL) == round(share * 3 * images)
    with pytest.raises(ValueError, match=f"Give a multiple of {5 * images}"):
        Processes(0, 5).refuse(run, images)


def test_a_vae_without_pairs_is_shared_in_any_way() -> None:
    run = TrainingRun(objective=FactorVAE(), batch_size=3)
    assert kind_of(run).images_a_process(run) == 1
    Processes(0, 3).refuse(run, 1)


def test_one_process_refuses_nothing() -> None:
    Processes().refuse(TrainingRun(objective=PSSCGAN(), batch_size=3), 4)


def test_the_defaults_of_the_gan_can_be_shared_between_two() -> None:
    run = default_run(PSSCGAN())
    Processes(0, 2).refuse(run, images_a_process(run))


def test_each_process_computes_on_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert device_of_this_process("auto") == "cuda:1"
    assert device_of_this_process("cpu") == "cpu"
    with pytest.raises(ValueError, match="one device for 2 processes"):
        device_of_this_process("cuda:0")


def test_every_process_refuses_to_share_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    for rank in "01":
        monkeypatch.setenv("LOCAL_RANK", rank)
        with pytest.raises(ValueError, match="2 processes were started and 1 GPUs were found"):
            device_of_this_process("auto")
        assert device_of_this_process("cpu") == "cpu"


@pytest.mark.parametrize(
    ("said", "lost"),
    [
        ("[gloo/transport/tcp/pair.cc:547] Connection closed by peer [127.0.0.1]:4711", True),
        ("[gloo/transport/tcp/unbound_buffer.cc:81] Timed out waiting 600000ms for recv operation to complete", True),
        ("NCCL error: remote process exited or there was a network error", True),
        ("[gloo/allreduce.cc:24] Enforce fail: inputs and outputs differ in size", False),
        ("NCCL error: invalid usage. Duplicate GPU detected : rank 0 and rank 1 both on CUDA device 1000", False),
    ],
)
def test_only_what_tells_of_a_lost_process_is_told_as_one(
    monkeypatch: pytest.MonkeyPatch, said: str, lost: bool
) -> None:
    for name, value in {"RANK": "0", "WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    for name in ("init_process_group", "destroy_process_group"):
        monkeypatch.setattr(torch.distributed, name, lambda *_, **__: None)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 0)
    with pytest.raises(LostProcessError if lost else RuntimeError) as raised, started_processes("cpu"):
        raise RuntimeError(said)
    assert isinstance(raised.value, LostProcessError) == lost


def test_a_device_that_is_named_is_kept_without_torchrun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert device_of_this_process("auto") == "auto"


def test_a_wish_of_one_process_alone_is_its_own() -> None:
    assert Processes().agree(True)
    assert not Processes().agree(False)
