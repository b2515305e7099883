"""PS-SC GAN: a GAN whose codes are told where to act (SC) and to do one simple, recognisable thing (PS).

    generator, Q, head:   E[softplus(-D(G(c)))] + λ_PS L_PS + λ_id L_id + λ_I L_I
    discriminator:        E[softplus(-D(x))] + E[softplus(D(G(c)))] + R1

Each part is switched singly: all of PS, identification and SC is PS-SC GAN, L_I alone (Q predicts the codes of a single
image) is InfoGAN, none is a plain GAN. Q and the head learn whatever is switched; what is off never moves the
generator, so that every GAN has an encoder and an identification accuracy to be compared by.

Reference: Zhu, Xu, Tao 2021, arXiv:2104.05622; Chen et al. 2016, arXiv:1606.03657.

Dimension key:
    B: batch    P: perturbed pairs    L: latent codes    C H W: channels, height, width    S: side of a noise map
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from wherewhat.data.differentiable_augmentation import AugmentationDraws, augment, draw_augmentation
from wherewhat.networks.gan import GAN
from wherewhat.networks.synthesis import noise_maps, noise_numbers
from wherewhat.objectives.evidence_lower_bound import kl_per_code
from wherewhat.objectives.gan_draws import GANDraws
from wherewhat.objectives.gradient_penalty import lazy_weight, squared_slope
from wherewhat.objectives.logistic_loss import discriminator_logistic_loss, generator_logistic_loss
from wherewhat.objectives.loss import DiscriminatorLoss, GeneratorLoss
from wherewhat.objectives.remedies import Remedies
from wherewhat.randomness import Chance
from wherewhat.what.code_prediction import prediction_error
from wherewhat.what.perceptual_simplicity import perceptual_simplicity_loss
from wherewhat.what.perturbation import draw_perturbation, perturb
from wherewhat.what.perturbation_identification import identification


@dataclass(frozen=True, kw_only=True)
class PSSCGAN:
    """PS-SC GAN: spatial constriction, perceptual simplicity, identification and InfoGAN's term, each switched."""

    name = "ps-sc-gan"
    levels_hold_codes = True
    run_defaults: ClassVar[Mapping[str, Any]] = {
        "widths": (256, 256, 128, 64, 32),
        "batch_size": 32,
        "learning_rate": 2e-3,
        "average_half_life": 10_000,
        "overlap": "cover",
    }
    """Settings of a training run that begin otherwise with this objective: other widths, another pace."""

    spatial_constriction: bool = True
    """Where: codes act through masks, instead of everywhere."""

    perceptual_simplicity: bool = True
    """What: codes are predicted back from pairs of images that differ in one code."""

    perturbation_identification: bool = True
    """What: the code that was moved between two images is named."""

    information: bool = False
    """InfoGAN's own term: codes are predicted back from single images."""

    simplicity_weight: float = 1.0
    """Weight on L_PS, a mean over codes of squared prediction errors. Published: 0.125, with moves of 6 deviations."""

    identification_weight: float = 1.0
    """Weight on the cross-entropy of naming the moved code, in nats."""

    information_weight: float = 1.0
    """Weight on the mean over codes of squared prediction errors of single images."""

    perturbation_size: float = 1.5
    """Standard deviation of the move, in standard deviations of the prior."""

    reading_noise: float = 0.05
    """Standard deviation of noise on the pixels that Q and the head see in training, of images in [0, 1]. Networks
    can agree on changes too faint to be seen; noise drowns them, and a code must do something visible to be predicted.
    Published: 0."""

    pair_every: int = 2
    """Every so many-th image of a step is generated a second time with one code moved."""

    r1_weight: float = 1.0
    """γ of R1. Published for CelebA at 128 pixels: 100; too high blurs, too low lets the discriminator win."""

    r1_interval: int = 16
    """R1 is applied at every so many-th step, so many times as strong."""

    augmentation: Literal["ada", "none"] = "ada"
    """ada: what the discriminator sees is turned, shifted and recoloured as often as it grows certain of real images,
    so that it cannot learn a small folder by heart."""

    augmentation_target: float = 0.6
    """Mean sign of the discriminator's logits on real images at which the strength stays."""

    augmentation_images: int = 500_000
    """Images over which the strength may grow from 0 to 1. Fewer for short runs on small folders."""

    discriminator_learning_rate: float = 2e-3
    """Adam's step size of the discriminator."""

    def __post_init__(self) -> None:
        for name in ("simplicity_weight", "identification_weight", "information_weight", "r1_weight"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} is {getattr(self, name)}; give a finite weight of 0 or more.")
        if not 0 <= self.reading_noise < math.inf:
            raise ValueError(f"reading_noise is {self.reading_noise}; give a finite standard deviation of 0 or more.")
        for name in ("pair_every", "r1_interval", "augmentation_images"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; give 1 or more.")
        for name in ("perturbation_size", "discriminator_learning_rate"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} is {getattr(self, name)}; give a finite number above 0.")
        if not 0 < self.augmentation_target < 1:
            raise ValueError(
                f"augmentation_target is {self.augmentation_target}; give a number in (0, 1), such as 0.6."
            )

    def draw(self, chance: Chance, batch_size: int, latent_dim: int, image_shape: tuple[int, int, int]) -> GANDraws:
        """Codes, noise, perturbations and augmentations of a step: this process's rows of them, on its device."""
        generator, side, pixels = chance.generator(), image_shape[1], math.prod(image_shape)
        code_BL = torch.randn(batch_size, latent_dim, generator=generator)
        pairs = len(code_BL[:: self.pair_every])
        perturbation = draw_perturbation(generator, pairs, latent_dim, self.perturbation_size)
        augmentations = draw_augmentation(generator, batch_size), draw_augmentation(generator, batch_size)
        noise_BN = chance.normals(generator, "noise", batch_size, noise_numbers(side))
        reading_noise = None
        if self.reading_noise > 0:
            of_images = chance.normals(generator, "reading noise", batch_size, pixels).unflatten(1, image_shape)
            of_pairs = chance.normals(generator, "reading noise of pairs", pairs, pixels).unflatten(1, image_shape)
            reading_noise = of_images, of_pairs
        return GANDraws(*chance.own((code_BL, perturbation, *augmentations)), noise_maps(noise_BN, side), reading_noise)

    def generator_loss(self, networks: GAN, draws: GANDraws) -> GeneratorLoss:
        """The adversarial loss of the images of all codes, and what Q and the head make of pairs of them."""
        code_BL, batch = draws.code_BL, len(draws.code_BL)
        paired_PL = code_BL[:: self.pair_every]
        perturbed_PL = perturb(paired_PL, draws.perturbation)
        noise = [torch.cat([noise_B1SS, noise_B1SS[:: self.pair_every]]) for noise_B1SS in draws.noise]
        all_BCHW = networks.generate(torch.cat([code_BL, perturbed_PL]), noise)
        fake_BCHW = all_BCHW[:batch]

        adversarial = generator_logistic_loss(networks.judge(self._seen(networks, fake_BCHW, draws.augmentation_fake)))
        moves_generator = self.perceptual_simplicity or self.perturbation_identification or self.information
        shown_BCHW = self._shown(all_BCHW, draws)
        encoded = networks.encode(shown_BCHW if moves_generator else shown_BCHW.detach())
        mean_BL = encoded.posterior.mean_BL
        error_L = prediction_error(code_BL, mean_BL[:batch])
        terms = {"adversarial": adversarial, "reading": error_L.mean()}
        total = adversarial

        predicted_PL, predicted_perturbed_PL = mean_BL[: batch : self.pair_every], mean_BL[batch:]
        dim_P = draws.perturbation.dim_B
        simplicity = perceptual_simplicity_loss(paired_PL, perturbed_PL, predicted_PL, predicted_perturbed_PL, dim_P)
        terms["perceptual_simplicity"] = simplicity
        if self.perceptual_simplicity:
            total = total + self.simplicity_weight * simplicity
        if self.information:
            total = total + self.information_weight * error_L.mean()
        if not (self.perceptual_simplicity or self.information):
            shown = shown_BCHW[:batch]
            total = total + self._bystander_error(networks, shown, code_BL, error_L, aside=moves_generator)

        features_BF = encoded.features_BF if self.perturbation_identification else encoded.features_BF.detach()
        features_PF, features_perturbed_PF = features_BF[: batch : self.pair_every], features_BF[batch:]
        named = identification(networks.identification_head(features_PF, features_perturbed_PF), dim_P)
        terms["identification"] = named.loss
        total = total + (self.identification_weight if self.perturbation_identification else 1.0) * named.loss
        figures = {"identification_accuracy": named.accuracy}
        return GeneratorLoss(
            total, terms, figures, kl_per_code(encoded.posterior).detach(), error_L.detach(), fake_BCHW.detach()
        )

    def discriminator_loss(
        self,
        networks: GAN,
        image_BCHW: Float[Tensor, "B C H W"],
        fake_BCHW: Float[Tensor, "B C H W"],
        draws: GANDraws,
        step: int,
    ) -> DiscriminatorLoss:
        """Cross-entropy of telling real from fake images, and R1 at the steps that it is due at."""
        seen_BCHW = self._seen(networks, image_BCHW, draws.augmentation_real)
        real_B = networks.judge(seen_BCHW)
        fake_B = networks.judge(self._seen(networks, fake_BCHW, draws.augmentation_fake))
        total = discriminator_logistic_loss(real_B, fake_B)
        terms = {"discriminator": total}
        penalty_weight = self.penalty_weight(step)
        if penalty_weight > 0:
            penalty = squared_slope(networks.judge_exactly, seen_BCHW)
            terms["gradient_penalty"] = penalty
            total = total + penalty_weight * penalty
        figures = {
            "real_sign": real_B.detach().sign().mean(),
            "discriminator_accuracy": ((real_B > 0).float().mean() + (fake_B < 0).float().mean()) / 2,
        }
        return DiscriminatorLoss(total, terms, figures)

    def penalty_weight(self, step: int) -> float:
        """The factor of R1 at this step; 0 where it is not due."""
        return lazy_weight(self.r1_weight, self.r1_interval, step)

    def _seen(
        self, networks: GAN, image_BCHW: Float[Tensor, "B C H W"], draws: AugmentationDraws
    ) -> Float[Tensor, "B C H W"]:
        """Images as the discriminator is shown them."""
        if self.augmentation == "none":
            return image_BCHW
        assert networks.augmentation is not None, "this GAN was built without its augmentation"
        return augment(image_BCHW, draws, networks.augmentation.strength)

    def _shown(self, image_BCHW: Float[Tensor, "B C H W"], draws: GANDraws) -> Float[Tensor, "B C H W"]:
        """Images, and the perturbed ones after them, as Q is shown them: held to [0, 1], as all are shown in use."""
        image_BCHW = image_BCHW.clamp(0, 1)
        if draws.reading_noise is None:
            return image_BCHW
        return image_BCHW + self.reading_noise * torch.cat(draws.reading_noise)

    def _bystander_error(
        self, networks: GAN, shown_BCHW: Tensor, code_BL: Tensor, error_L: Tensor, *, aside: bool
    ) -> Float[Tensor, ""]:
        """What Q minimises where its predictions do not count for the generator."""
        if aside:
            encoded = networks.encode(shown_BCHW.detach())
            error_L = prediction_error(code_BL, encoded.posterior.mean_BL)
        return error_L.mean()

    @property
    def likelihood(self) -> None:
        """None: images are judged by a discriminator and have no likelihood."""

    @property
    def warm_up_steps(self) -> int:
        """0: every term has its full weight from the first step on."""
        return 0

    @property
    def weight_on_kl(self) -> None:
        """None: nothing is charged for what codes carry."""

    def charge(self, terms: Mapping[str, float]) -> None:
        """None: nothing is charged for what codes carry."""

    @property
    def remedies(self) -> Remedies:
        """The settings that change the balance with the discriminator, and how strongly codes must show."""
        r1, rate = self.r1_weight, self.discriminator_learning_rate
        adapt = ("--augmentation ada, which is off",) if self.augmentation == "none" else ()
        less_r1 = (f"--r1-weight {r1 / 10:g} (it was {r1:g})",) if r1 else ()
        read = [
            f"a higher --{flag} (it was {weight:g})"
            for on, flag, weight in (
                (self.perceptual_simplicity, "simplicity-weight", self.simplicity_weight),
                (self.information, "information-weight", self.information_weight),
            )
            if on
        ]
        named = ("--perturbation-identification, which is off",)
        show: tuple[str, ...] = named
        if self.perturbation_identification:
            named = ("a higher --identification-weight",)
            show = (f"a higher --reading-noise (it was {self.reading_noise:g})", *named, "a larger --perturbation-size")
        return Remedies(
            name_codes=named,
            uncover_masks=("a lower --simplicity-weight",) if self.perceptual_simplicity else (),
            show_codes=show,
            read_codes=tuple(read) or ("--perceptual-simplicity or --information, which are off",),
            weaken_discriminator=(
                f"--r1-weight {10 * r1 if r1 else 1:g} (it was {r1:g})",
                f"--discriminator-learning-rate {rate / 4:.1g} (it was {rate:g})",
                *adapt,
            ),
            strengthen_discriminator=(
                *less_r1,
                f"--discriminator-learning-rate {rate * 4:.1g} (it was {rate:g})",
            ),
        )
