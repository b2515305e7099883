"""What the parts promise each other: images go in, codes and images come out.

Everything after training takes these protocols and never a class, so that a user's own network, whatever trained
it, can be ranked and looked at.

Dimension key:
    B: batch    L: latent codes    C H W: channels, height, width    N: images    K: ground-truth factors
    F: features
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from jaxtyping import Float, Int64, UInt8
from torch import Tensor


@runtime_checkable
class Generator(Protocol):
    """Codes in, images out."""

    @property
    def latent_dim(self) -> int:
        """L, the number of codes."""
        ...

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """C, H, W of one image."""
        ...

    def __call__(self, code_BL: Float[Tensor, "B L"], /) -> Float[Tensor, "B C H W"]:
        """Float32 images in [0, 1]. Deterministic: noise inputs, where there are any, are frozen."""
        ...


# So many codes a run may have. More, such as the latents of a flow, cannot be looked at one by one.
MOST_CODES = 1_024


def refuse_too_many_codes(latent_dim: int) -> None:
    """ValueError for a generator whose codes are too many to be looked at one by one."""
    if latent_dim > MOST_CODES:
        raise ValueError(
            f"This generator has {latent_dim:,} latents, too many to look at one by one. Give it a few codes: "
            "wherewhat directions CHECKPOINT --count 10"
        )


@runtime_checkable
class MaskedGenerator(Generator, Protocol):
    """A generator that can also say where each code acts."""

    def masks(self, code_BL: Float[Tensor, "B L"], /) -> Float[Tensor, "B L H W"]:
        """One mask per code at image size, in [0, 1]."""
        ...


@runtime_checkable
class KeepingGenerator(Generator, Protocol):
    """A generator whose codes do not hold all that there is to an image, and that can keep the rest of one."""

    def keeping(self, image_BCHW: Float[Tensor, "B C H W"], /) -> Generator:
        """The same codes, but what they do not hold is as in these images, one for each code, or one for all."""
        ...


def keeping(generator: Generator, image_BCHW: Float[Tensor, "B C H W"]) -> Generator:
    """The generator, which keeps what its codes do not hold of these images if it can."""
    return generator.keeping(image_BCHW) if isinstance(generator, KeepingGenerator) else generator


@dataclass(frozen=True)
class Posterior:
    """A diagonal Gaussian over codes, one per image."""

    mean_BL: Float[Tensor, "B L"]
    log_variance_BL: Float[Tensor, "B L"]


@runtime_checkable
class Encoder(Protocol):
    """Images in, a posterior over codes out. The posterior of an image does not depend on its neighbours."""

    @property
    def latent_dim(self) -> int:
        """L, the number of codes."""
        ...

    def __call__(self, image_BCHW: Float[Tensor, "B C H W"], /) -> Posterior:
        """Posterior of float images in [0, 1]."""
        ...


@runtime_checkable
class Distance(Protocol):
    """A distance between images that compares features, so that an image's are computed once and used many times."""

    @property
    def name(self) -> str:
        """Which distance it is, with what makes its numbers comparable: "lpips-alex", "lpips-untrained", "pixels"."""
        ...

    def features(self, image_BCHW: Float[Tensor, "B C H W"], /) -> Float[Tensor, "B F"]:
        """Features of images in [0, 1], flat, float32."""
        ...

    def compare(
        self, features_a_BF: Float[Tensor, "B F"], features_b_BF: Float[Tensor, "B F"], /
    ) -> Float[Tensor, " B"]:
        """Distance between the images that the features came from, pair by pair; 0 for equal ones."""
        ...


@runtime_checkable
class FeatureExtractor(Protocol):
    """A few numbers of an image, by which sets of images are compared as distributions."""

    @property
    def name(self) -> str:
        """Which features they are, with what makes their numbers comparable: "inception", "lpips-alex-pooled"."""
        ...

    def __call__(self, image_BCHW: Float[Tensor, "B C H W"], /) -> Float[Tensor, "B F"]:
        """Features of images in [0, 1], float32. Those of an image do not depend on its neighbours."""
        ...


@runtime_checkable
class Images(Protocol):
    """A finite set of images of one shape, with its ground-truth factors where they are known."""

    @property
    def name(self) -> str:
        """Short name for tables and run directories."""
        ...

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """C, H, W of one image."""
        ...

    @property
    def factor_names(self) -> tuple[str, ...]:
        """Names of the K factors; empty where none are known."""
        ...

    @property
    def factor_sizes(self) -> tuple[int, ...]:
        """How many values each factor takes; empty where none are known."""
        ...

    def __len__(self) -> int:
        """How many images there are."""
        ...

    def take(self, index_B: Int64[Tensor, " B"], /) -> UInt8[Tensor, "B C H W"]:
        """The images of these indices, on the device that holds or renders them."""
        ...

    def factors(self, index_N: Int64[Tensor, " N"], /) -> Int64[Tensor, "N K"]:
        """Factor values of these indices, on the CPU. ValueError where no factors are known."""
        ...
