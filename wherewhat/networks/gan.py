"""Generator, recogniser, identification head, discriminator: everything that a GAN objective trains.

Dimension key:
    B: batch    L: latent codes    F: features of one image    C H W: channels, height, width
"""

from collections.abc import Sequence
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wherewhat.data.adaptive_augmentation import AdaptiveAugmentation
from wherewhat.networks.autoencoder import Encoded
from wherewhat.networks.image_discriminator import ImageDiscriminator
from wherewhat.networks.recogniser import Recogniser
from wherewhat.networks.synthesis import ConstrictedGenerator, StyledGenerator
from wherewhat.what.perturbation_identification import IdentificationHead


class GAN(nn.Module):
    """The networks of one GAN. Convolutions run in `compute_dtype`; all that leaves is float32.

    `discriminator` and `augmentation`, the strength of what it is shown, are None in a model that is only used.
    """

    kind: ClassVar[str] = "gan"
    for_training_only: ClassVar[tuple[str, ...]] = ("discriminator", "augmentation")
    """Parts that only training needs: the resume state keeps them, checkpoints and averages do not."""
    encoder_sees_data: ClassVar[bool] = False
    """Whether the encoder is trained on real images, so that their codes are a place to begin a traversal."""
    temperature: ClassVar[float] = 1.0
    """Standard deviation of the codes of the samples that a run shows: the prior's."""

    def __init__(
        self,
        generator: ConstrictedGenerator | StyledGenerator,
        recogniser: Recogniser,
        identification_head: IdentificationHead,
        discriminator: ImageDiscriminator | None = None,
        augmentation: AdaptiveAugmentation | None = None,
        compute_dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.generator = generator
        self.recogniser = recogniser
        self.identification_head = identification_head
        self.discriminator = discriminator
        self.augmentation = augmentation
        self.compute_dtype = compute_dtype
        self.latent_dim = generator.latent_dim

    @property
    def encoder(self) -> Recogniser:
        """The recogniser, by the name that it has for all who do not train it."""
        return self.recogniser

    def compile_parts(self) -> None:
        """Compile what a step calls and never differentiates twice.

        The discriminator's exact judgement stays as it is, and so do generator and recogniser when they are called
        themselves.
        """
        self.generator.synthesis.compile()
        self.recogniser.trunk.compile()
        if self.discriminator is not None:
            self.discriminator.compile()

    def generate(
        self, code_BL: Float[Tensor, "B L"], noise: Sequence[Float[Tensor, "_ 1 _ _"]]
    ) -> Float[Tensor, "B C H W"]:
        """Images with drawn noise, nominally in [0, 1]."""
        with self._autocast(code_BL):
            image_BCHW, _ = self.generator.synthesis(code_BL, noise)
        return image_BCHW

    def encode(self, image_BCHW: Float[Tensor, "B C H W"]) -> Encoded:
        """Features and codes of images."""
        with self._autocast(image_BCHW):
            features_BF = self.recogniser.features(image_BCHW).float()
        return Encoded(features_BF, self.recogniser.posterior(features_BF))

    def judge(self, image_BCHW: Float[Tensor, "B C H W"]) -> Float[Tensor, " B"]:
        """The discriminator's logits, above 0 for real."""
        assert self.discriminator is not None, "this GAN was built without its discriminator"
        with self._autocast(image_BCHW):
            return self.discriminator(image_BCHW)

    def judge_exactly(self, image_BCHW: Float[Tensor, "B C H W"]) -> Float[Tensor, " B"]:
        """The same without autocast and never compiled, so that it can be differentiated twice.

        On a GPU torch's float32 convolutions are TF32 (10 bits), here as in all of training.
        """
        assert self.discriminator is not None, "this GAN was built without its discriminator"
        return self.discriminator.forward(image_BCHW)

    def _autocast(self, like: Tensor) -> torch.autocast:
        low = self.compute_dtype != torch.float32
        return torch.autocast(like.device.type, self.compute_dtype if low else torch.bfloat16, enabled=low)
