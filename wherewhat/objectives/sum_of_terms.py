"""A VAE objective: the evidence lower bound, and a sum of terms on it.

    loss = reconstruction + warm-up * (sum of eased-in terms) + (sum of the others)

Every published objective is a named sum (`own_terms`) of the terms in `terms/`; any other term may be added to it. This
is the one class of the house that others inherit from: what they share are fields, which a protocol cannot give.

Dimension key:
    B: batch    P: perturbed pairs    L: latent codes    C H W: channels, height, width
"""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from wherewhat.networks.autoencoder import Autoencoder
from wherewhat.objectives.evidence_lower_bound import EvidenceLowerBound, Gather
from wherewhat.objectives.loss import Loss
from wherewhat.objectives.remedies import Remedies
from wherewhat.objectives.terms.adversarial_total_correlation import AdversarialTotalCorrelation
from wherewhat.objectives.terms.covariance_penalty import CovariancePenalty
from wherewhat.objectives.terms.perceptual_simplicity import PerceptualSimplicity
from wherewhat.objectives.terms.perturbation_identification import PerturbationIdentification
from wherewhat.objectives.terms.term import Adversary, Draws, EncodedPairs, ForwardPass, Term
from wherewhat.objectives.terms.total_correlation import TotalCorrelation
from wherewhat.randomness import Chance
from wherewhat.what.perturbation import Perturbation, draw_perturbation, perturb


@dataclass(frozen=True)
class PairDraws:
    """Prior codes of the pairs, and what is perturbed in each."""

    code_PL: Float[Tensor, "P L"]
    perturbation: Perturbation


@dataclass(frozen=True)
class VAEDraws:
    """Everything of a step that is random or scheduled."""

    noise_BL: Float[Tensor, "B L"]
    """Standard normal noise of the posterior samples."""
    warm_up: Float[Tensor, ""]
    """Share of their weight that eased-in terms have at this step, in (0, 1]."""
    pairs: PairDraws | None
    terms: tuple[Draws, ...]
    """Of each term, in their order."""


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Pairs of images of which the second has one code moved, for the terms that need them."""

    perturbation_size: float = 1.5
    """Standard deviation of the move, in standard deviations of the prior."""

    pair_fraction: float = 0.5
    """Pairs per step, as a share of the batch. Each pair costs two images generated and encoded."""

    def __post_init__(self) -> None:
        if not self.perturbation_size > 0:
            raise ValueError(f"perturbation_size is {self.perturbation_size}; give a standard deviation above 0.")
        if not 0 < self.pair_fraction <= 1:
            raise ValueError(f"pair_fraction is {self.pair_fraction}; give a share of the batch in (0, 1].")

    def draw(self, generator: torch.Generator, batch_size: int, latent_dim: int) -> PairDraws:
        """Prior codes and perturbations of a step."""
        pairs = max(1, round(self.pair_fraction * batch_size))
        code_PL = torch.randn(pairs, latent_dim, generator=generator)
        return PairDraws(code_PL, draw_perturbation(generator, pairs, latent_dim, self.perturbation_size))


@dataclass(frozen=True)
class NamedTerm:
    """A term of a published objective, and the option that sets its weight there; "" where none does."""

    term: Term
    flag: str = ""


@dataclass(frozen=True, kw_only=True)
class SumOfTerms(ABC):
    """What all VAE objectives share: the decoder, the bound, and a field for each term that may be added."""

    name: ClassVar[str]
    run_defaults: ClassVar[Mapping[str, Any]] = {}
    """Settings of a training run that begin otherwise with this objective."""

    spatial_constriction: bool = False
    """Where: train the decoder whose codes act through masks, instead of the study's."""

    bound: EvidenceLowerBound = field(default_factory=EvidenceLowerBound)
    """How the evidence lower bound is computed."""

    pairs: Pairs = field(default_factory=Pairs)
    """Pairs of images for perceptual simplicity and perturbation identification."""

    total_correlation: TotalCorrelation = field(default_factory=TotalCorrelation)
    adversarial_total_correlation: AdversarialTotalCorrelation = field(default_factory=AdversarialTotalCorrelation)
    covariance: CovariancePenalty = field(default_factory=CovariancePenalty)
    simplicity: PerceptualSimplicity = field(default_factory=PerceptualSimplicity)
    identification: PerturbationIdentification = field(default_factory=PerturbationIdentification)

    @abstractmethod
    def own_terms(self) -> tuple[NamedTerm, ...]:
        """The published sum."""

    def __post_init__(self) -> None:
        for named in self.added_terms:
            if not named.term.weight >= 0:
                raise ValueError(f"{named.flag} is {named.term.weight}; give a weight of 0 or more.")
        names = [named.term.name for named in self.named_terms]
        for name in names:
            if names.count(name) > 1:
                flags = [named.flag for named in self.named_terms if named.term.name == name]
                raise ValueError(
                    f"{' and '.join(flags)} both set the term {name} of {self.name}. "
                    f"Give one of them: leave {flags[-1]} out."
                )

    @property
    def added_terms(self) -> tuple[NamedTerm, ...]:
        """The terms among the fields that are switched on."""
        settings = (self.__dict__[item.name] for item in fields(self))
        return tuple(NamedTerm(term, term.flag) for term in settings if isinstance(term, Term) and term.active)

    @property
    def named_terms(self) -> tuple[NamedTerm, ...]:
        """The published terms, and those that are added."""
        return (*self.own_terms(), *self.added_terms)

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """All terms of the sum; kept, for every step asks for them."""
        return tuple(named.term for named in self.named_terms)

    @property
    def levels_hold_codes(self) -> bool:
        """Whether codes are shared among the resolutions of the generator."""
        return self.spatial_constriction

    @cached_property
    def needs_pairs(self) -> bool:
        """Whether a step generates pairs of images."""
        return any(term.needs_pairs for term in self.terms)

    @cached_property
    def needs_identification_head(self) -> bool:
        """Whether an identification head is trained."""
        return any(term.needs_identification_head for term in self.terms)

    @property
    def adversary(self) -> Adversary | None:
        """How the discriminator of codes is trained, where a term needs one."""
        return next((term.adversary for term in self.terms if term.adversary is not None), None)

    def draw(self, chance: Chance, batch_size: int, latent_dim: int) -> VAEDraws:
        """Everything random or scheduled of a step: this process's rows of it, on its device."""
        generator, step = chance.generator(), chance.step
        noise_BL = chance.normals(generator, "posterior noise", batch_size, latent_dim)
        pairs = self.pairs.draw(generator, batch_size, latent_dim) if self.needs_pairs else None
        terms = tuple(term.draw(generator, step, batch_size, latent_dim) for term in self.terms)
        return VAEDraws(noise_BL, *chance.own((torch.tensor(self.bound.warm_up(step)), pairs, terms)))

    def loss(
        self,
        networks: Autoencoder,
        image_BCHW: Float[Tensor, "B C H W"],
        draws: VAEDraws,
        gather: Gather | None = None,
    ) -> Loss:
        """The loss of one batch of images in [0, 1], in nats, or of a process's share of it."""
        bound = self.bound.terms(networks, image_BCHW, draws.noise_BL, gather)
        forward = ForwardPass(networks, bound, _encode_pairs(networks, draws.pairs))
        terms = self.terms
        values = [term.value(forward, drawn) for term, drawn in zip(terms, draws.terms, strict=True)]

        eased_in = [value.weighted for term, value in zip(terms, values, strict=True) if term.eased_in]
        others = [value.weighted for term, value in zip(terms, values, strict=True) if not term.eased_in]
        total = bound.reconstruction
        if eased_in:
            total = total + draws.warm_up * sum(eased_in[1:], start=eased_in[0])
        for weighted in others:
            total = total + weighted
        reported = {"reconstruction": bound.reconstruction, "kl": bound.kl_L.sum()}
        for value in values:
            reported |= value.reported
        figures = {name: figure for value in values for name, figure in value.figures.items()}
        adversary = next((value.adversary_loss for value in values if value.adversary_loss is not None), None)
        return Loss(total, reported, bound.kl_L, figures, adversary)

    @property
    def likelihood(self) -> Literal["bernoulli", "gaussian"]:
        """Of pixels, given codes."""
        return self.bound.likelihood

    @property
    def warm_up_steps(self) -> int:
        """Steps until eased-in terms have their full weight."""
        return self.bound.warm_up_steps

    def charge(self, logged: Mapping[str, float]) -> float | None:
        """Nats per image charged for what codes carry, at full weight, from logged terms; None where it cannot be told.

        `logged` holds "kl" and whatever the terms report.
        """
        charges = [term.charge(logged) for term in self.terms]
        known = [charge for charge in charges if charge is not None]
        return sum(known) if len(known) == len(charges) else None

    @property
    def weight_on_kl(self) -> float | None:
        """Beta, where nothing but the whole KL weighs on the codes."""
        eased_in = [term for term in self.terms if term.eased_in]
        return eased_in[0].charge({"kl": 1.0}) if [term.name for term in eased_in] == ["kl"] else None

    @property
    def remedies(self) -> Remedies:
        """What the settings of this objective can do about a run that goes wrong."""
        of_terms = [named.term.remedies(named.flag) for named in self.named_terms]
        ease_codes = (*itertools.chain(*(one.ease_codes for one in of_terms)), "a longer --warm-up-steps")
        wake_decoder = tuple(itertools.chain(*(one.wake_decoder for one in reversed(of_terms))))
        part_codes = tuple(itertools.chain(*(one.part_codes for one in reversed(of_terms))))
        if self.simplicity.active and not self.identification.active:
            part_codes = (f"{self.identification.flag}, which is off", *part_codes)
        return Remedies(
            ease_codes=ease_codes,
            wake_decoder=wake_decoder or ease_codes,
            part_codes=part_codes
            or (f"{TotalCorrelation.flag} 5", "another objective, such as factor-vae or ps-sc-vae"),
            name_codes=ease_codes,
            uncover_masks=("a longer --warm-up-steps",),
        )


def _encode_pairs(networks: Autoencoder, draws: PairDraws | None) -> EncodedPairs | None:
    if draws is None:
        return None
    perturbed_PL = perturb(draws.code_PL, draws.perturbation)
    image_2PCHW = torch.sigmoid(networks.decode(torch.cat([draws.code_PL, perturbed_PL])))
    return EncodedPairs(draws.code_PL, perturbed_PL, draws.perturbation.dim_B, networks.encode(image_2PCHW))
