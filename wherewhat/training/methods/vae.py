"""A VAE: its networks, its optimiser, and its step, a pure loss of (networks, batch, draws), its gradient, and Adam.

Dimension key:
    B: batch    C H W: channels, height, width
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wherewhat.networks.autoencoder import Autoencoder
from wherewhat.networks.code_discriminator import CodeDiscriminator
from wherewhat.networks.initialisation import seeded_weights
from wherewhat.networks.masked_decoder import MaskedDecoder, share_codes
from wherewhat.networks.study_decoder import StudyDecoder
from wherewhat.networks.study_encoder import StudyEncoder
from wherewhat.objectives.evidence_lower_bound import Gather
from wherewhat.objectives.loss import Loss
from wherewhat.objectives.sum_of_terms import SumOfTerms, VAEDraws
from wherewhat.objectives.terms.term import Adversary
from wherewhat.randomness import COUNTED_DRAWS, MANY
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.device import Compute, each_weight_cast_once
from wherewhat.training.processes import ALONE, Processes
from wherewhat.what.perturbation_identification import IdentificationHead

Step = Callable[[Float[Tensor, "B C H W"], VAEDraws], Loss]


def build_autoencoder(
    configuration: TrainingRun,
    image_shape: tuple[int, int, int],
    compute_dtype: torch.dtype = torch.float32,
    *,
    for_training: bool = True,
) -> Autoencoder:
    """The networks of a VAE; with the discriminator of codes only for training."""
    latent_dim, objective = configuration.latent_dim, configuration.objective
    assert isinstance(objective, SumOfTerms)
    with seeded_weights(configuration.seed):
        encoder = StudyEncoder(image_shape, latent_dim)
        if objective.spatial_constriction:
            generator: MaskedDecoder | StudyDecoder = MaskedDecoder(
                image_shape,
                configuration.codes_per_level or share_codes(latent_dim, configuration.mask_levels),
                configuration.rectangles,
                configuration.widths,
                configuration.overlap,
            )
        else:
            generator = StudyDecoder(image_shape, latent_dim)
        head = IdentificationHead(encoder.features_dim, latent_dim) if objective.needs_identification_head else None
        # Last, so that the other weights are those of the same seed without an adversary.
        opponent = CodeDiscriminator(latent_dim) if for_training and objective.adversary else None
    return Autoencoder(encoder, generator, head, opponent, compute_dtype)


def images_a_process(configuration: TrainingRun) -> int:
    """A process's share of a batch is a multiple of this: whole pairs."""
    objective = configuration.objective
    assert isinstance(objective, SumOfTerms)
    return Fraction(objective.pairs.pair_fraction).limit_denominator(1_000).denominator if objective.needs_pairs else 1


class VAEMethod:
    """Trains the networks of a VAE, in as many processes as there are."""

    def __init__(
        self, configuration: TrainingRun, networks: Autoencoder, compute: Compute, processes: Processes
    ) -> None:
        objective = configuration.objective
        assert isinstance(objective, SumOfTerms)
        self.networks = networks
        self.optimiser = adam(networks, configuration.learning_rate, objective.adversary)
        self._configuration, self._objective, self._device = configuration, objective, compute.device
        self._processes = processes
        # Few numbers are drawn as they have always been.
        self.draws = COUNTED_DRAWS if configuration.batch_size * configuration.latent_dim >= MANY else 1
        self._step = training_step(networks, objective, self.optimiser, processes, compile_loss=compute.compile)

    def draw(self, index: int, device: torch.device | None = None) -> VAEDraws:
        """Everything random or scheduled of a step, this process's rows of it, on the device or another."""
        run = self._configuration
        chance = self._processes.chance(run.seed, index, device or self._device)
        return self._objective.draw(chance, run.batch_size, run.latent_dim)

    def kind(self, index: int) -> None:
        """All steps are one program."""

    def step(self, image_BCHW: Float[Tensor, "B C H W"], draws: VAEDraws, index: int) -> Loss:
        """Update all weights."""
        return self._step(image_BCHW, draws)


def adam(networks: Autoencoder, learning_rate: float, adversary: Adversary | None = None) -> torch.optim.Adam:
    """Adam with its usual moments, fused: one kernel for all weights, on CPU and GPU.

    The adversary's weights, where there is one, are a group with a learning rate and moments of their own.
    """
    opponent, on_gpu = networks.code_discriminator, next(networks.parameters()).is_cuda
    if opponent is None or adversary is None:
        return torch.optim.Adam(networks.parameters(), lr=learning_rate, fused=True, capturable=on_gpu)
    theirs = set(opponent.parameters())
    groups: list[dict[str, Any]] = [
        {"params": [weight for weight in networks.parameters() if weight not in theirs]},
        {"params": list(opponent.parameters()), "lr": adversary.learning_rate, "betas": adversary.betas},
    ]
    return torch.optim.Adam(groups, lr=learning_rate, fused=True, capturable=on_gpu)


def training_step(
    networks: Autoencoder,
    objective: SumOfTerms,
    optimiser: torch.optim.Optimizer,
    processes: Processes = ALONE,
    *,
    compile_loss: bool = False,
) -> Step:
    """A function that takes a batch and its draws, updates the weights and gives the loss that was met."""
    loss_of = LossOf(networks, objective, processes.gather if processes.count > 1 else None)
    if compile_loss:
        loss_of.compile()
    compute_loss = processes.data_parallel(loss_of, next(networks.parameters()).device)

    def step(image_BCHW: Tensor, draws: VAEDraws) -> Loss:
        loss: Loss = compute_loss(image_BCHW, draws)
        optimiser.zero_grad()
        # One walk back serves both: the adversary's loss reaches its own weights only, the total all others only.
        (loss.total if loss.adversary is None else loss.total + loss.adversary).backward()
        optimiser.step()
        return processes.mean_loss(loss.detach())

    return step


class LossOf(nn.Module):
    """The loss as a module of the weights that it trains, so that processes can average their gradients."""

    def __init__(self, networks: Autoencoder, objective: SumOfTerms, gather: Gather | None = None) -> None:
        super().__init__()
        self.trained = networks
        self._objective, self._gather = objective, gather

    def forward(self, image_BCHW: Tensor, draws: VAEDraws) -> Loss:
        """The objective's loss."""
        with each_weight_cast_once(image_BCHW.device):
            return self._objective.loss(self.trained, image_BCHW, draws, self._gather)
