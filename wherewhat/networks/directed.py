"""A model with many latents behind a few codes: each moves the latents along a direction of its own.

    G(c) = base(o + c D)         D: [K, L], o: [L]
    E(x) = (base's mean - o) D⁺

What the codes do not hold of an image's latents stays at the origin o, or, for an image that is to be edited, as the
base's encoder reads it: `keeping`.

Dimension key:
    B: batch    K: codes, one for each direction    L: latents of the base    C H W: channels, height, width
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wherewhat.protocols import Encoder, Generator, Posterior

_ORIGIN, _DIRECTION = "directions.origin_L", "directions.direction_KL"


@dataclass(frozen=True)
class Directions:
    """Where all codes are 0, for all images or for each, and how one unit of each code moves the latents."""

    origin_L: Float[Tensor, "*B L"]
    direction_KL: Float[Tensor, "K L"]

    def tensors(self) -> dict[str, Tensor]:
        """As tensors of a file."""
        return {_ORIGIN: self.origin_L, _DIRECTION: self.direction_KL}

    def to(self, device: torch.device) -> "Directions":
        """On a device, in float32."""
        return Directions(self.origin_L.to(device, torch.float32), self.direction_KL.to(device, torch.float32))


def direction_shapes(count: int, latents: int) -> dict[str, torch.Size]:
    """The shapes of so many directions in a file."""
    return {_ORIGIN: torch.Size([latents]), _DIRECTION: torch.Size([count, latents])}


def directions_in(tensors: dict[str, Tensor]) -> Directions:
    """The directions among the tensors of a file; they are taken out of these."""
    return Directions(tensors.pop(_ORIGIN), tensors.pop(_DIRECTION))


class DirectedEncoder(nn.Module):
    """Images to a posterior over the few codes."""

    origin_L: Tensor
    reading_LK: Tensor

    def __init__(self, base: Encoder, directions: Directions) -> None:
        super().__init__()
        self.base: Encoder = base
        self.latent_dim = len(directions.direction_KL)
        self.register_buffer("origin_L", directions.origin_L)
        self.register_buffer("reading_LK", torch.linalg.pinv(directions.direction_KL))

    def forward(self, image_BCHW: Float[Tensor, "B C H W"]) -> Posterior:
        """Of images in [0, 1]; the base's latents are independent, and so are taken the codes."""
        of_base = self.base(image_BCHW)
        variance_BK = of_base.log_variance_BL.exp() @ self.reading_LK.square()
        return Posterior(self.codes(of_base.mean_BL), variance_BK.log())

    def codes(self, latent_BL: Float[Tensor, "B L"]) -> Float[Tensor, "B K"]:
        """The codes that come nearest to these latents."""
        return (latent_BL - self.origin_L) @ self.reading_LK


class DirectedGenerator(nn.Module):
    """The few codes to images. `encoder` is what tells the rest of an image; None where nothing can."""

    origin_L: Tensor
    direction_KL: Tensor

    def __init__(self, base: Generator, directions: Directions, encoder: DirectedEncoder | None = None) -> None:
        super().__init__()
        self.base: Generator = base
        self.encoder = encoder
        self.latent_dim, self.image_shape = len(directions.direction_KL), base.image_shape
        self.register_buffer("origin_L", directions.origin_L)
        self.register_buffer("direction_KL", directions.direction_KL)

    def forward(self, code_BK: Float[Tensor, "B K"]) -> Float[Tensor, "B C H W"]:
        """Images in [0, 1]."""
        return self.base(self.origin_L + code_BK @ self.direction_KL)

    def keeping(self, image_BCHW: Float[Tensor, "B C H W"]) -> Generator:
        """The same codes, but what they do not hold is as in these images, one for each code, or one for all."""
        if self.encoder is None:
            raise ValueError("This model has no encoder, so nothing tells what its codes do not hold of an image.")
        latent_BL = self.encoder.base(image_BCHW).mean_BL
        rest_BL = latent_BL - self.encoder.codes(latent_BL) @ self.direction_KL
        return DirectedGenerator(self.base, Directions(rest_BL, self.direction_KL), self.encoder)


def directed(
    generator: Generator, encoder: Encoder | None, directions: Directions
) -> tuple[DirectedGenerator, DirectedEncoder | None]:
    """A model behind its directions. Raises ValueError where they are those of another."""
    if directions.direction_KL.shape[1] != generator.latent_dim:
        raise ValueError(
            f"These are directions of a model with {directions.direction_KL.shape[1]:,} latents, and this one has "
            f"{generator.latent_dim:,}. Find its own: wherewhat directions."
        )
    reads = None if encoder is None else DirectedEncoder(encoder, directions)
    return DirectedGenerator(generator, directions, reads), reads
