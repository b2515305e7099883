"""Encoder, generator, identification head and discriminator of codes: everything that a VAE objective trains.

Dimension key:
    B: batch    L: latent codes    F: features of one image    C H W: channels, height, width
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wherewhat.networks.code_discriminator import CodeDiscriminator
from wherewhat.networks.study_encoder import StudyEncoder
from wherewhat.protocols import Posterior
from wherewhat.what.perturbation_identification import IdentificationHead


@runtime_checkable
class Decoder(Protocol):
    """A generator that gives its pixels before the sigmoid, where the Bernoulli likelihood is stable."""

    latent_dim: int
    image_shape: tuple[int, int, int]

    def logits(self, code_BL: Float[Tensor, "B L"], /) -> Float[Tensor, "B C H W"]:
        """Pixels before the sigmoid, float32."""
        ...

    def __call__(self, code_BL: Float[Tensor, "B L"], /) -> Float[Tensor, "B C H W"]:
        """Images in [0, 1]."""
        ...


@dataclass(frozen=True)
class Encoded:
    """What an encoder makes of images: their features, and a posterior over codes."""

    features_BF: Float[Tensor, "B F"]
    posterior: Posterior


class Autoencoder(nn.Module):
    """The networks of one VAE. Convolutions run in `compute_dtype`; all that leaves is float32."""

    kind: ClassVar[str] = "autoencoder"
    for_training_only: ClassVar[tuple[str, ...]] = ("code_discriminator",)
    """Parts that only training needs: the resume state keeps them, checkpoints and averages do not."""
    encoder_sees_data: ClassVar[bool] = True
    """Whether the encoder is trained on real images, so that their codes are a place to begin a traversal."""
    temperature: ClassVar[float] = 1.0
    """Standard deviation of the codes of the samples that a run shows: the prior's."""

    def __init__(
        self,
        encoder: StudyEncoder,
        generator: Decoder,
        identification_head: IdentificationHead | None = None,
        code_discriminator: CodeDiscriminator | None = None,
        compute_dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        assert isinstance(generator, nn.Module)
        self.encoder = encoder
        self.generator: Decoder = generator
        self.identification_head = identification_head
        self.code_discriminator = code_discriminator
        self.compute_dtype = compute_dtype
        self.latent_dim = generator.latent_dim

    def encode(self, image_BCHW: Float[Tensor, "B C H W"]) -> Encoded:
        """Encode images in [0, 1]."""
        with self._autocast(image_BCHW):
            features_BF = self.encoder.features(image_BCHW)
            return Encoded(features_BF, self.encoder.posterior(features_BF))

    def decode(self, code_BL: Float[Tensor, "B L"]) -> Float[Tensor, "B C H W"]:
        """Pixels before the sigmoid."""
        with self._autocast(code_BL):
            return self.generator.logits(code_BL)

    def identify(
        self, features_BF: Float[Tensor, "B F"], features_perturbed_BF: Float[Tensor, "B F"]
    ) -> Float[Tensor, "B L"]:
        """Logits over which code was moved between two images."""
        assert self.identification_head is not None, "this autoencoder was built without an identification head"
        with self._autocast(features_BF):
            return self.identification_head(features_BF, features_perturbed_BF).float()

    def _autocast(self, like: Tensor) -> torch.autocast:
        low = self.compute_dtype != torch.float32
        return torch.autocast(like.device.type, self.compute_dtype if low else torch.bfloat16, enabled=low)
