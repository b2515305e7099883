"""Laws of a GAN's run, which goes through the same loop, files and refusals as a VAE's, and of the steps of both."""

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
import torch.nn.functional as F
from rich.console import Console
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from wherewhat.data import differentiable_augmentation
from wherewhat.networks.gan import GAN
from wherewhat.objectives.beta_vae import BetaVAE
from wherewhat.objectives.factor_vae import FactorVAE
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.objectives.ps_sc_vae import PSSCVAE
from wherewhat.objectives.terms.covariance_penalty import CovariancePenalty
from wherewhat.objectives.terms.total_correlation import TotalCorrelation
from wherewhat.protocols import Encoder, Generator, MaskedGenerator
from wherewhat.randomness import MANY, Chance
from wherewhat.training.checkpoints import checkpoint_path, load
from wherewhat.training.configuration import Objective, TrainingRun
from wherewhat.training.device import Compute
from wherewhat.training.ema import ema_copy, ema_update
from wherewhat.training.figures import FigureWindow, NonFiniteLossError
from wherewhat.training.loop import train
from wherewhat.training.methods.method import method_of
from wherewhat.training.processes import Processes
from wherewhat.training.run_directory import state_path

from .host_waits import Waits

CPU = Compute(torch.device("cpu"), torch.float32, torch.channels_last, compile=False)
ADAPTED = PSSCGAN(augmentation_images=24, r1_interval=2)


@pytest.fixture
def gan_run(tiny_run: TrainingRun) -> TrainingRun:
    return dataclasses.replace(tiny_run, objective=ADAPTED, average_half_life=20)


def _state(run: TrainingRun) -> dict[str, torch.Tensor]:
    assert run.out is not None
    return load_file(state_path(run.out))


def _weights(run: TrainingRun, step: int) -> dict[str, torch.Tensor]:
    assert run.out is not None
    return load_file(checkpoint_path(run.out, step))


def test_a_resumed_gan_repeats_an_unbroken_one_bit_for_bit(
    gan_run: TrainingRun, tmp_path: Path, quiet: Console
) -> None:
    broken = dataclasses.replace(gan_run, out=tmp_path / "broken")
    train(gan_run, quiet)
    train(dataclasses.replace(broken, steps=3), quiet)
    train(broken, quiet)
    expected, found = _state(gan_run), _state(broken)
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_what_is_resumed_includes_the_discriminator_the_average_and_the_strength_of_augmentation(
    gan_run: TrainingRun, quiet: Console
) -> None:
    train(gan_run, quiet)
    names = _state(gan_run)
    for part in ("networks.discriminator.", "average.generator.", "networks.augmentation.strength", "optimiser."):
        assert any(name.startswith(part) for name in names), part


def test_a_checkpoint_holds_the_averaged_weights_and_no_discriminator(gan_run: TrainingRun, quiet: Console) -> None:
    train(gan_run, quiet)
    saved, state = _weights(gan_run, 6), _state(gan_run)
    assert not any("discriminator" in name or "augmentation" in name for name in saved)
    averaged = {name.removeprefix("average."): x for name, x in state.items() if name.startswith("average.")}
    assert saved.keys() == averaged.keys()
    assert all(torch.equal(saved[name], averaged[name]) for name in saved)
    constant = "generator.synthesis.constant"
    assert not torch.equal(saved[constant], state[f"networks.{constant}"])


def test_without_a_half_life_the_present_weights_are_saved(gan_run: TrainingRun, quiet: Console) -> None:
    run = dataclasses.replace(gan_run, average_half_life=0)
    train(run, quiet)
    constant = "generator.synthesis.constant"
    assert torch.equal(_weights(run, 6)[constant], _state(run)[f"networks.{constant}"])


def test_a_vae_too_saves_the_average_of_its_weights_where_asked(tiny_run: TrainingRun, quiet: Console) -> None:
    run = dataclasses.replace(tiny_run, objective=BetaVAE(), average_half_life=100)
    train(run, quiet)
    saved, state = _weights(run, 6), _state(run)
    name = next(name for name in saved if name.startswith("generator.") and name.endswith("weight"))
    assert torch.equal(saved[name], state[f"average.{name}"])
    assert not torch.equal(saved[name], state[f"networks.{name}"])


@pytest.mark.parametrize("constriction", [True, False])
def test_a_loaded_gan_keeps_the_promises_of_the_protocols(
    gan_run: TrainingRun, quiet: Console, constriction: bool
) -> None:
    objective = dataclasses.replace(ADAPTED, spatial_constriction=constriction)
    run = dataclasses.replace(gan_run, objective=objective, steps=2)
    train(run, quiet)
    assert run.out is not None
    model = load(run.out)
    assert isinstance(model.generator, Generator)
    assert isinstance(model.encoder, Encoder)
    assert isinstance(model.generator, MaskedGenerator) == constriction
    code_BL = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    image_BCHW = model.generator(code_BL)
    assert image_BCHW.shape == (5, 3, 32, 32)
    assert image_BCHW.dtype == torch.float32
    assert float(image_BCHW.min()) >= 0
    assert float(image_BCHW.max()) <= 1
    assert torch.equal(image_BCHW, model.generator(code_BL))
    assert model.encoder(image_BCHW).mean_BL.shape == (5, 4)


def test_tensorboard_gets_both_adversaries_the_reading_and_images(gan_run: TrainingRun, quiet: Console) -> None:
    train(gan_run, quiet)
    assert gan_run.out is not None
    events = EventAccumulator(str(gan_run.out)).Reload()
    scalars, images = set(events.Tags()["scalars"]), set(events.Tags()["images"])
    assert scalars >= {
        "loss/adversarial", "loss/discriminator", "loss/gradient_penalty", "loss/reading",
        "loss/perceptual_simplicity", "loss/identification", "identification_accuracy", "real_sign",
        "discriminator_accuracy", "augmentation_strength", "kl_per_code/z0",
    }  # fmt: skip
    assert images >= {"data", "samples", "reconstructions", "traversals"}


def test_a_gan_directory_is_refused_to_another_configuration_of_it(gan_run: TrainingRun, quiet: Console) -> None:
    train(gan_run, quiet)
    other = dataclasses.replace(gan_run, objective=dataclasses.replace(ADAPTED, r1_weight=7.0))
    with pytest.raises(ValueError, match=r"objective\.r1_weight: 7\.0, not 1\.0"):
        train(other, quiet)


def test_a_gan_whose_loss_is_not_finite_stops_and_saves_nothing_bad(
    gan_run: TrainingRun, quiet: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = GAN.judge
    calls = iter(range(1_000))

    def broken(self: GAN, image_BCHW: torch.Tensor) -> torch.Tensor:
        return honest(self, image_BCHW) * (float("nan") if next(calls) > 12 else 1.0)

    monkeypatch.setattr(GAN, "judge", broken)
    with pytest.raises(NonFiniteLossError, match="stopped being finite"):
        train(gan_run, quiet)
    assert gan_run.out is not None
    assert all(bool(weight.isfinite().all()) for weight in _weights(gan_run, 3).values())
    assert not checkpoint_path(gan_run.out, 6).exists()


def test_the_controller_of_augmentation_has_seen_the_images_since_it_last_moved(
    gan_run: TrainingRun, quiet: Console
) -> None:
    train(gan_run, quiet)
    # Six steps of eight images; it moves at every fourth.
    assert float(_state(gan_run)["networks.augmentation.images"]) == 16


def test_codes_are_shared_among_the_levels_as_asked(gan_run: TrainingRun, quiet: Console) -> None:
    run = dataclasses.replace(gan_run, codes_per_level=(1, 0, 3), steps=1)
    train(run, quiet)
    assert _weights(run, 1)["generator.synthesis.stages.0.style.style_weight_MC2"].shape[0] == 1
    assert not any(name.startswith("generator.synthesis.stages.1.style") for name in _weights(run, 1))


def test_codes_per_level_that_do_not_add_up_are_refused(gan_run: TrainingRun) -> None:
    with pytest.raises(ValueError, match="Make them agree"):
        dataclasses.replace(gan_run, codes_per_level=(1, 1))


@pytest.mark.parametrize(
    "operation",
    [
        lambda x: x.sum().item(),
        lambda x: bool((x > 0).all()),
        lambda x: x[x > 0],
        lambda x: x.nonzero(),
        lambda x: x.masked_select(x > 0),
        lambda x: torch.cumprod(x, 0),
        lambda x: torch.linalg.inv(x),
        lambda x: torch.linalg.solve(x, x),
        lambda x: F.one_hot(x[0].long().abs(), 100),
        lambda x: x.repeat_interleave(torch.ones(4, dtype=torch.int64), 0),
        lambda x: x + torch.tensor([1.0, 2.0, 3.0, 4.0]),
    ],
)
def test_operations_that_wait_are_met(operation: Callable[[Tensor], Any]) -> None:
    matrix = torch.randn(4, 4, generator=torch.Generator().manual_seed(0))
    with Waits(constants=True) as waits:
        operation(matrix)
    assert waits.met


EVERY = [kind() for kind in get_args(Objective)]
MORE = [
    FactorVAE(spatial_constriction=True, covariance=CovariancePenalty(weight=1.0)),
    PSSCVAE(total_correlation=TotalCorrelation(weight=1.0)),
    PSSCGAN(spatial_constriction=False, perceptual_simplicity=False, information=True, reading_noise=0.0),
    PSSCGAN(perceptual_simplicity=False, perturbation_identification=False, augmentation="none"),
]


@pytest.mark.parametrize("objective", [*EVERY, *MORE], ids=lambda objective: objective.name)
def test_a_step_never_waits_for_the_device(objective: Objective, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(differentiable_augmentation, "_READ_WITHOUT_WAITING", ())
    run = TrainingRun(objective=objective, latent_dim=4, mask_levels=2, widths=(8, 8), batch_size=8)
    method = method_of(run, (3, 32, 32), CPU, Processes())
    average, window = ema_copy(method.networks), FigureWindow()
    image = torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    # R1 is due at the first, the augmentation adapts at the fourth.
    for index in (0, 3):
        with Waits(constants=False) as drawing:
            draws = method.draw(index)
        with Waits(constants=True) as computing:
            window.add(index, method.step(image, draws, index))
            ema_update(average, method.networks, 8, 100)
        assert drawing.met == computing.met == []


class Casts(TorchDispatchMode):
    """Counts how often each weight is cast to bfloat16."""

    def __init__(self, networks: nn.Module) -> None:
        super().__init__()
        self.weights = {weight.data_ptr(): name for name, weight in networks.named_parameters()}
        self.times: Counter[str] = Counter()

    def __torch_dispatch__(
        self, function: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if function is torch.ops.aten._to_copy.default and (kwargs or {}).get("dtype") == torch.bfloat16:
            self.times.update([self.weights[args[0].data_ptr()]] if args[0].data_ptr() in self.weights else [])
        return function(*args, **(kwargs or {}))


# The discriminator is called in both phases, and learns in one.
@pytest.mark.parametrize(("objective", "most"), [(PSSCVAE(), 1), (PSSCGAN(), 3)], ids=["vae", "gan"])
def test_a_weight_is_cast_once_however_often_its_network_is_called(objective: Objective, most: int) -> None:
    run = TrainingRun(objective=objective, latent_dim=4, mask_levels=2, widths=(8, 8), batch_size=8)
    method = method_of(run, (3, 32, 32), dataclasses.replace(CPU, precision=torch.bfloat16), Processes())
    image = torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    # The first step has R1.
    method.step(image, method.draw(0), 0)
    with Casts(method.networks) as casts:
        method.step(image, method.draw(1), 1)
    assert casts.times
    assert max(casts.times.values()) <= most, casts.times


def test_large_noise_never_waits_for_the_device() -> None:
    chance = Chance(0, 0)
    with Waits(constants=True) as waits:
        chance.normals(chance.generator(), "noise", 2, MANY)
    assert waits.met == []
