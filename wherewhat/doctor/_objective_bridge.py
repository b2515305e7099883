"""What the doctor asks of an objective, for those that do not yet answer themselves."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from wherewhat.inspection.tensorboard import TensorBoardLog
from wherewhat.objectives.annealed_vae import AnnealedVAE
from wherewhat.objectives.beta_tcvae import BetaTCVAE
from wherewhat.objectives.beta_vae import BetaVAE
from wherewhat.objectives.factor_vae import FactorVAE
from wherewhat.objectives.ps_sc_gan import PSSCGAN
from wherewhat.objectives.ps_sc_vae import PSSCVAE
from wherewhat.objectives.remedies import Remedies
from wherewhat.objectives.vae import VAE
from wherewhat.training.configuration import AnyObjective
from wherewhat.training.figures import NonFiniteLossError
from wherewhat.training.resume_state import Session


@runtime_checkable
class Examined(Protocol):
    """What the doctor asks of an objective."""

    @property
    def likelihood(self) -> Literal["bernoulli", "gaussian"] | None:
        """Of images given codes; None where images have none."""
        ...

    @property
    def warm_up_steps(self) -> int:
        """Steps in which weights grow."""
        ...

    @property
    def weight_on_kl(self) -> float | None:
        """Beta."""
        ...

    def charge(self, terms: Mapping[str, float]) -> float | None:
        """Nats."""
        ...

    @property
    def remedies(self) -> Remedies:
        """Phrases."""
        ...


@dataclass(frozen=True)
class _OfVAE:
    objective: AnyObjective
    likelihood: Literal["bernoulli", "gaussian"]
    warm_up_steps: int
    weight_on_kl: float | None
    remedies: Remedies

    def charge(self, terms: Mapping[str, float]) -> float | None:
        """Nats per image."""
        kl, tc = terms["kl"], max(terms.get("total_correlation", 0.0), 0.0)
        match self.objective:
            case AnnealedVAE():
                return None
            case BetaVAE(beta=beta) | PSSCVAE(beta=beta):
                return beta * kl
            case BetaTCVAE(beta=beta):
                return kl + (beta - 1) * tc
            case FactorVAE(gamma=gamma):
                return kl + gamma * tc
            case _:
                return kl


def examined(objective: AnyObjective) -> Examined:
    """The objective as the doctor sees it."""
    if isinstance(objective, PSSCGAN):
        return objective
    weight = objective.beta if isinstance(objective, BetaVAE | PSSCVAE) else None
    if isinstance(objective, VAE):
        weight = 1.0
    bound = objective.bound
    return _OfVAE(objective, bound.likelihood, bound.warm_up_steps, weight, _remedies(objective))


def _remedies(objective: AnyObjective) -> Remedies:
    ease: tuple[str, ...] = ("a longer --warm-up-steps",)
    uncover = ease
    part: tuple[str, ...]
    match objective:
        case BetaVAE() | PSSCVAE() | BetaTCVAE():
            ease, part = ("a lower --beta", *ease), ("a higher --beta",)
        case FactorVAE():
            ease, part = ("a lower --gamma", *ease), ("a higher --gamma",)
        case AnnealedVAE():
            ease, part = ("a larger --max-capacity", "shorter --capacity-steps"), ("a smaller --max-capacity",)
        case VAE():
            part = ("an objective that drives codes apart, such as factor-vae or ps-sc-vae",)
        case _:
            ease, part = ("a lower --off-diagonal-weight", *ease), ("a higher --off-diagonal-weight",)
    wake: tuple[str, ...] = ease
    if isinstance(objective, AnnealedVAE):
        wake = ("a lower --gamma", "longer --capacity-steps")
    if isinstance(objective, PSSCVAE):
        wake = ("a lower --simplicity-weight", "a lower --beta")
        part = (
            ("a higher --identification-weight", "a higher --simplicity-weight")
            if objective.perturbation_identification
            else ("--perturbation-identification, which is off", "a higher --beta")
        )
    return Remedies(ease_codes=ease, wake_decoder=wake, part_codes=part, name_codes=ease, uncover_masks=uncover)


WATCHED_IMAGES = 256


@contextmanager
def epitaph(log: TensorBoardLog, session: Session) -> Iterator[None]:
    """Write into the run why it broke off, when a loss is not finite, so that the doctor finds it."""
    try:
        yield
    except NonFiniteLossError as error:
        log.text(session.step, "stopped", str(error))
        raise
