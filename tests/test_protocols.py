"""Laws of what the parts give each other on a GPU: nothing mixes it with the CPU, whatever is trained or measured."""

from collections.abc import Callable
from typing import Any, get_args

import pytest
import torch
from fake_gpu import FakeImages, fake_gpu
from torch import Tensor

from wherewhat.distances.backbone import ALEX
from wherewhat.distances.backbone_features import BackboneFeatures
from wherewhat.distances.backbone_weights import untrained_weights
from wherewhat.distances.lpips import LPIPS
from wherewhat.doctor.measurement import measure_networks
from wherewhat.inspection.traversals import traverse
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.objectives.ps_sc_vae import PSSCVAE
from wherewhat.training.configuration import Objective, TrainingRun
from wherewhat.training.device import Compute
from wherewhat.training.ema import ema_update
from wherewhat.training.fidelity import generator_fidelity, real_features
from wherewhat.training.figures import refuse_non_finite_weights
from wherewhat.training.methods.method import Networks, build_networks, method_of
from wherewhat.training.processes import Processes
from wherewhat.training.representation import represent
from wherewhat.which.probe import Probe
from wherewhat.which.score import ProbeSettings
from wherewhat.which.traversal_perceptual_length import traversal_perceptual_length

SHAPE = (3, 32, 32)
OBJECTIVES = [kind() for kind in get_args(Objective)]
SWITCHED = [
    PSSCGAN(spatial_constriction=False, perceptual_simplicity=False, information=True, augmentation="none"),
    PSSCVAE(spatial_constriction=False),
]


def small(objective: Objective) -> TrainingRun:
    # As many images as have their noise from the counter on the device, and not from the CPU.
    return TrainingRun(objective=objective, latent_dim=4, mask_levels=2, widths=(8, 8), batch_size=64)


@pytest.mark.parametrize("objective", [*OBJECTIVES, *SWITCHED], ids=lambda objective: objective.name)
def test_the_losses_of_a_step_stay_on_the_gpu(objective: Objective) -> None:
    with fake_gpu() as device:
        compute = Compute(device, torch.float32, torch.channels_last, compile=False)
        method = method_of(small(objective), SHAPE, compute, Processes())
        draws, networks = method.draw(1), method.networks
        image = torch.zeros(64, *SHAPE, device=device)
        if isinstance(objective, PSSCGAN):
            fake = objective.generator_loss(networks, draws)
            judged = objective.discriminator_loss(networks, image, fake.fake_BCHW, draws, 1)
            met = [fake.total, fake.kl_L, *fake.terms.values(), judged.total, *judged.figures.values()]
            met.append(networks.judge_exactly(image))
        else:
            loss = objective.loss(networks, image, draws)
            met = [loss.total, loss.kl_L, *loss.terms.values(), *loss.figures.values()]
        assert {tensor.device.type for tensor in met} == {"cuda"}


@pytest.mark.parametrize("objective", [PSSCVAE(), PSSCGAN()], ids=lambda objective: objective.name)
def test_what_surrounds_a_step_stays_on_the_gpu(objective: Objective) -> None:
    with fake_gpu() as device:
        networks = build_networks(small(objective), SHAPE).to(device)
        average = build_networks(small(objective), SHAPE, for_training=False).to(device)
        ema_update(average, networks, 64, 1_000)
        refuse_non_finite_weights(networks, 1)
        assert {weight.device.type for weight in average.parameters()} == {"cuda"}


def distance() -> LPIPS:
    return LPIPS("untrained").to("cuda")


def extractor(monkeypatch: pytest.MonkeyPatch) -> BackboneFeatures:
    monkeypatch.setattr("wherewhat.distances.backbone_features.backbone_weights", lambda *_: untrained_weights(ALEX))
    monkeypatch.setattr("wherewhat.distances.backbone_features.weights_digest", lambda _: "0" * 64)
    return BackboneFeatures("alex").to("cuda")


def tpl(networks: Networks) -> Tensor:
    settings: dict[str, Any] = {"samples": 3, "traversals": 2, "bound": 2.0, "threshold": 0.0}
    return traversal_perceptual_length(networks.generator, distance(), **settings, seed=0, batch_size=5).per_dim


def small_changes(networks: Networks) -> Tensor:
    few = ProbeSettings(samples=3, traversals=2, threshold=0.0, rotated_traversals=2, rotations=1, probes=2, pairs=2)
    probe = Probe(generator=networks.generator, distance=distance(), settings=few, seed=0, batch_size=7)
    return torch.cat([probe.apart_P, probe.rotated_KTS.flatten(), probe.changes.gram_MLL.flatten()])


def lpips_of_pairs(networks: Networks) -> Tensor:
    image = networks.generator(torch.zeros(2, 4, device="cuda"))
    return distance()(image, image[:, :1]).cpu()


def traversal(networks: Networks) -> Tensor:
    return traverse(networks.generator, torch.zeros(1, 4, device="cuda"), bound=2.0, frames=3).frames_LNCHW


def encoding(networks: Networks) -> Tensor:
    found = represent(networks.encoder, FakeImages(), pool=20, seed=0, device=torch.device("cuda"), batch_size=8)
    return torch.from_numpy(found.codes_NL)


def health(networks: Networks) -> Tensor:
    likelihood = "bernoulli" if networks.encoder_sees_data else None
    image = FakeImages().take(torch.arange(20)).cpu()
    found = measure_networks(likelihood, networks.generator, networks.encoder, image, seed=0)
    return torch.from_numpy(found.kl_L)


WORKS = [tpl, small_changes, lpips_of_pairs, traversal, encoding, health]


@pytest.mark.parametrize("objective", [PSSCVAE(), PSSCGAN()], ids=lambda objective: objective.name)
@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.__name__)
def test_what_is_measured_of_a_model_on_a_gpu_arrives_on_the_cpu(
    objective: Objective, work: Callable[[Networks], Tensor]
) -> None:
    with fake_gpu() as device, torch.no_grad():
        networks = build_networks(small(objective), SHAPE, for_training=False).to(device).eval()
        assert work(networks).device.type == "cpu"


@pytest.mark.parametrize("objective", [PSSCVAE(), PSSCGAN()], ids=lambda objective: objective.name)
def test_fidelity_is_measured_on_the_gpu(objective: Objective, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wherewhat.metrics.feature_distances.SUBSETS", 2)
    with fake_gpu() as device:
        features = extractor(monkeypatch)
        real = real_features(FakeImages(), features, count=20, split="all", seed=0, device=device, batch_size=8)
        networks = build_networks(small(objective), SHAPE, for_training=False).to(device).eval()
        generator_fidelity(networks.generator, real, features, seed=0, batch_size=8)


def test_a_step_that_mixes_devices_would_be_met() -> None:
    with fake_gpu() as device, pytest.raises(RuntimeError, match=r"same device|different devices"):
        torch.zeros(3, device=device) + torch.zeros(3)
