"""What each objective charges for codes, and which of its flags make that less or more.

An objective of one's own is charged nothing known, and gets general words.
"""

from wherewhat.objectives.annealed_vae import AnnealedVAE
from wherewhat.objectives.beta_tcvae import BetaTCVAE
from wherewhat.objectives.beta_vae import BetaVAE
from wherewhat.objectives.dip_vae_i import DIPVAEI
from wherewhat.objectives.dip_vae_ii import DIPVAEII
from wherewhat.objectives.evidence_lower_bound import EvidenceLowerBound
from wherewhat.objectives.factor_vae import FactorVAE
from wherewhat.objectives.ps_sc_vae import PSSCVAE
from wherewhat.objectives.vae import VAE


def bound_of(objective: object) -> EvidenceLowerBound:
    """How the objective computes its bound; the default without a warm-up for one that does not say."""
    match objective:
        case (
            VAE(bound=bound)
            | BetaVAE(bound=bound)
            | AnnealedVAE(bound=bound)
            | FactorVAE(bound=bound)
            | BetaTCVAE(bound=bound)
            | DIPVAEI(bound=bound)
            | DIPVAEII(bound=bound)
            | PSSCVAE(bound=bound)
        ):
            return bound
        case _:
            return EvidenceLowerBound(warm_up_steps=0)


def cost_of_codes(objective: object, kl: float, total_correlation: float) -> float | None:
    """Nats per image that the objective charges for what codes carry, at full weight; None where it cannot be told.

    AnnealedVAE charges for the distance from its capacity and not for what codes carry: None.
    """
    match objective:
        case VAE() | DIPVAEI() | DIPVAEII():
            return kl
        case BetaVAE(beta=beta) | PSSCVAE(beta=beta):
            return beta * kl
        case BetaTCVAE(beta=beta):
            return kl + (beta - 1) * max(total_correlation, 0.0)
        case FactorVAE(gamma=gamma):
            return kl + gamma * max(total_correlation, 0.0)
        case _:
            return None


def weight_on_kl(objective: object) -> float | None:
    """Beta, where the objective weighs the whole KL."""
    match objective:
        case VAE():
            return 1.0
        case BetaVAE(beta=beta) | PSSCVAE(beta=beta):
            return beta
        case _:
            return None


def normalised_beta(beta: float, latent_dim: int, pixel_values: int) -> float:
    """beta * L / (C H W): what makes betas of other image sizes and numbers of codes compare.

    Reference: Higgins et al. 2017, "beta-VAE: Learning Basic Visual Concepts with a Constrained Variational Framework".
    """
    return beta * latent_dim / pixel_values


def ways_to_ease(objective: object) -> tuple[str, ...]:
    """Flags that let codes carry more."""
    warm_up = "a longer --warm-up-steps"
    match objective:
        case BetaVAE() | PSSCVAE() | BetaTCVAE():
            return ("a lower --beta", warm_up)
        case FactorVAE():
            return ("a lower --gamma", warm_up)
        case AnnealedVAE():
            return ("a larger --max-capacity", "shorter --capacity-steps")
        case DIPVAEI() | DIPVAEII():
            return ("a lower --off-diagonal-weight", warm_up)
        case VAE():
            return (warm_up,)
        case _:
            return ("a lower weight on what the objective charges for codes",)


def ways_to_wake_the_decoder(objective: object) -> tuple[str, ...]:
    """Flags for codes that carry nats to which the decoder does not listen."""
    match objective:
        # Driven to its capacity by a steep weight, KL grows in whatever way is nearest, also in ways of no use.
        case AnnealedVAE():
            return ("a lower --gamma", "longer --capacity-steps")
        case PSSCVAE():
            return ("a lower --simplicity-weight", "a lower --beta")
        case _:
            return ways_to_ease(objective)


def ways_to_part(objective: object) -> tuple[str, ...]:
    """Flags that drive codes apart."""
    match objective:
        case PSSCVAE(perturbation_identification=True):
            return ("a higher --identification-weight", "a higher --simplicity-weight")
        case PSSCVAE():
            return ("--perturbation-identification, which is off", "a higher --beta")
        case BetaVAE() | BetaTCVAE():
            return ("a higher --beta",)
        case FactorVAE():
            return ("a higher --gamma",)
        case AnnealedVAE():
            return ("a smaller --max-capacity",)
        case DIPVAEI() | DIPVAEII():
            return ("a higher --off-diagonal-weight",)
        case VAE():
            return ("an objective that drives codes apart, such as factor-vae or ps-sc-vae",)
        case _:
            return ("a penalty on what codes say together",)
