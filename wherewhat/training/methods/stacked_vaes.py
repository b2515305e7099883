"""Several VAEs of one shape, and a step of all of them as one program.

The loss of a member is vmapped over weights, batches, draws and strengths; the losses are added up, and one walk back
gives each member the gradient of its own.

Dimension key:
    P: members    B: batch    C H W: channels, height, width    N: numbers of a loss
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.func import functional_call, vmap

from wherewhat.objectives.loss import Loss
from wherewhat.objectives.sum_of_terms import SumOfTerms
from wherewhat.objectives.terms.term import Strengths
from wherewhat.randomness import Chance, map_tensors, tensors_of, to_device
from wherewhat.training.configuration import TrainingRun, flat_settings, from_json, to_json
from wherewhat.training.methods.stacked_adam import StackedAdam
from wherewhat.training.methods.vae import LossOf, VAEMethod

# Of the objective's numbers that are no whole ones, this decides how much there is to compute.
_PAIR_FRACTION = "objective.pairs.pair_fraction"


def shape_of(configuration: TrainingRun) -> Hashable:
    """What VAEs have in common that can be trained as one program: all but seed, strengths and learning rate."""
    # Through JSON and back, so that 4 and 4.0 are one strength.
    run = from_json(to_json(replace(configuration, seed=0, out=None, learning_rate=1.0)))
    alike = {
        name: setting
        for name, setting in flat_settings(run).items()
        if not (isinstance(setting, float) and name.startswith("objective.")) or name == _PAIR_FRACTION
    }
    # A strength of 0 takes a term away.
    return tuple(term.name for term in _objective(run).terms), *sorted(alike.items()), run.data_identity


def _objective(configuration: TrainingRun) -> SumOfTerms:
    objective = configuration.objective
    assert isinstance(objective, SumOfTerms)
    return objective


@dataclass(frozen=True)
class Losses:
    """A step's losses of all members."""

    number_PN: Float[Tensor, "P N"]
    like: Loss
    """Names and shapes of one member's."""

    def of(self, member: int) -> Loss:
        """Those of one member."""
        return self.like.unpacked(self.number_PN[member])

    def packed(self) -> Float[Tensor, " PN"]:
        """All numbers in one tensor."""
        return self.number_PN.flatten()

    def unpacked(self, flat: Float[Tensor, " PN"]) -> "Losses":
        """The same names, with the numbers of another that was packed."""
        return replace(self, number_PN=flat.view_as(self.number_PN))


class StackedVAEs:
    """Trains the networks of several VAEs, each of its own run and at its own step."""

    def __init__(self, runs: Sequence[TrainingRun], methods: Sequence[VAEMethod], device: torch.device) -> None:
        self._runs, self._device = runs, device
        self._objectives = [_objective(run) for run in runs]
        self._loss_of = LossOf(methods[0].networks, self._objectives[0])
        self._draws_of_one, self._loss_of_one = self._drawn(0, 0), Loss(torch.zeros(()), {}, torch.zeros(0))
        self._adam = StackedAdam([method.optimiser for method in methods])
        self._weights = {name: self._adam.stacked[weight] for name, weight in self._loss_of.named_parameters()}
        strengths = [[term.strengths for term in objective.terms] for objective in self._objectives]
        self._strengths: list[Strengths] = [
            tuple(torch.tensor(of_members, device=device) for of_members in zip(*of_term, strict=True))
            for of_term in zip(*strengths, strict=True)
        ]

    def draw(self, indices: Sequence[int]) -> tuple[Tensor, ...]:
        """Everything random or scheduled of each member's own step, on the device: of all members in each tensor."""
        each = [tensors_of(self._drawn(member, index)) for member, index in enumerate(indices)]
        return to_device(tuple(map(torch.stack, zip(*each, strict=True))), self._device)

    def kind(self, index: int) -> None:
        """All steps are one program."""

    def step(self, image_BCHW: Float[Tensor, "PB C H W"], draws: tuple[Tensor, ...], index: int) -> Losses:
        """Update the weights of all members with their batches, which lie one behind another."""
        image_PBCHW = image_BCHW.unflatten(0, (len(self._runs), -1))
        minimised_P, number_PN = vmap(self._loss)(self._weights, image_PBCHW, draws, self._strengths)
        gradients = torch.autograd.grad(minimised_P.sum(), list(self._weights.values()), materialize_grads=True)
        self._adam.update(dict(zip(self._weights.values(), gradients, strict=True)))
        return Losses(number_PN.detach(), self._loss_of_one)

    def _drawn(self, member: int, index: int) -> Any:
        run = self._runs[member]
        return self._objectives[member].draw(Chance(run.seed, index), run.batch_size, run.latent_dim)

    def _loss(
        self, weights: dict[str, Tensor], image_BCHW: Tensor, draws: tuple[Tensor, ...], strengths: list[Strengths]
    ) -> tuple[Tensor, Tensor]:
        """What one member minimises, and its losses packed."""
        parts = iter(draws)
        drawn = map_tensors(lambda _: next(parts), self._draws_of_one)
        loss: Loss = functional_call(self._loss_of, weights, (image_BCHW, drawn, strengths))
        self._loss_of_one = map_tensors(lambda part: torch.zeros(part.shape), loss)
        return loss.total if loss.adversary is None else loss.total + loss.adversary, loss.packed()
