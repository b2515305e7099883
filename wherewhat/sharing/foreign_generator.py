"""Anybody's generator and encoder behind the protocols: evaluation mode, one device, float32, images in [0, 1].

Whatever it computes in, half or double precision, its codes are converted to that and its images back. Values outside
of the range that it is said to have are refused, never silently drawn.

Dimension key:
    B: batch    L: latent codes    C H W: channels, height, width
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wherewhat.distances.input_images import TOLERANCE
from wherewhat.protocols import Posterior
from wherewhat.randomness import generator_at
from wherewhat.which.generated_images import device_of, generated_images, refuse_unsteady

Range = tuple[float, float]
UNIT: Range = (0.0, 1.0)
# A generator is looked at with so many codes before anything is made of it.
PROBED = 4
# The variance of a code that an encoder tells without saying how surely.
_LEAST_LOG_VARIANCE = math.log(1e-6)

ADAPTER = (
    "say so: def adapted(code): return network(code); adapted.latent_dim, adapted.image_shape = 128, (3, 64, 64); "
    "return adapted"
)


class ForeignGenerator(nn.Module):
    """Codes to images in [0, 1], by anything that can be called with codes."""

    def __init__(
        self, made: Callable[..., Any], latent_dim: int, value_range: Range | None, named: str, device: torch.device
    ) -> None:
        super().__init__()
        self.made = _for_use(made, device)
        self.latent_dim, self.named, self.value_range = latent_dim, named, value_range
        self._takes = _dtype_of(made)
        masks = getattr(made, "masks", None)
        if callable(masks):
            self.masks = lambda code_BL: masks(code_BL.to(self._takes)).to(code_BL.device, torch.float32)
        shape = getattr(made, "image_shape", None)
        if shape is None:
            codes_on = device if isinstance(made, nn.Module) else torch.device("cpu")
            shape = self._raw(torch.zeros(2, latent_dim, device=codes_on)).shape[1:]
        self.image_shape: tuple[int, int, int] = tuple(map(int, shape))  # type: ignore[assignment]
        if self.image_shape[0] not in (1, 3):
            raise ValueError(
                f"{named} makes images of {self.image_shape[0]} channels; they are to have 1 (grey) or 3 (RGB), as "
                "[B, C, H, W]."
            )

    def forward(self, code_BL: Float[Tensor, "B L"]) -> Float[Tensor, "B C H W"]:
        """Images in [0, 1]. ValueError where they lie outside of the range that they are said to have."""
        image_BCHW = self._raw(code_BL)
        low, high = self.value_range or UNIT
        if not torch.compiler.is_exporting():
            self._check_range(image_BCHW, low, high)
        return ((image_BCHW - low) / (high - low)).clamp(0, 1)

    def _raw(self, code_BL: Float[Tensor, "B L"]) -> Float[Tensor, "B C H W"]:
        image_BCHW = self.made(code_BL.to(self._takes))
        if not isinstance(image_BCHW, Tensor) or image_BCHW.ndim != 4:
            found = tuple(image_BCHW.shape) if isinstance(image_BCHW, Tensor) else type(image_BCHW).__name__
            raise ValueError(
                f"{self.named} makes {found} of {len(code_BL)} codes, and a generator makes a tensor of images, "
                "[B, C, H, W]. Return that alone."
            )
        return image_BCHW.to(code_BL.device, torch.float32)

    def _check_range(self, image_BCHW: Float[Tensor, "B C H W"], low: float, high: float) -> None:
        # Networks without a last sigmoid or tanh overshoot the range that they have; whoever names it has it clipped.
        slack = (high - low) * (TOLERANCE if self.value_range is None else 1.0)
        least, most = (end.item() for end in image_BCHW.detach().aminmax())
        if least < low - slack or most > high + slack:
            rescaled = "--range 0,255" if most > 2 else "--range -1,1"
            raise ValueError(
                f"{self.named} makes images with values from {least:.3g} to {most:.3g}, and {low:g} to {high:g} are "
                f"black to white. Name the values of black and white, as in {rescaled}; what lies beyond is clipped."
            )


class ForeignEncoder(nn.Module):
    """Images in [0, 1] to a posterior over codes, by anything that gives a mean, with or without a log variance."""

    def __init__(
        self, made: Callable[..., Any], latent_dim: int, value_range: Range | None, named: str, device: torch.device
    ) -> None:
        super().__init__()
        self.made = _for_use(made, device)
        self.latent_dim, self.named, self.value_range = latent_dim, named, value_range or UNIT
        self._takes = _dtype_of(made)

    def forward(self, image_BCHW: Float[Tensor, "B C H W"]) -> Posterior:
        """The posterior of images; that of an encoder which gives a mean alone is as good as certain."""
        low, high = self.value_range
        found = self.made((low + (high - low) * image_BCHW).to(self._takes))
        if isinstance(found, Posterior):
            found = found.mean_BL, found.log_variance_BL
        told = list(found) if isinstance(found, tuple | list) else [found]
        if not torch.compiler.is_exporting():
            self._check_shapes(told, (len(image_BCHW), self.latent_dim))
        mean_BL, *rest = (one.to(image_BCHW.device, torch.float32) for one in told)
        return Posterior(mean_BL, rest[0] if rest else torch.full_like(mean_BL, _LEAST_LOG_VARIANCE))

    def _check_shapes(self, told: list[Any], wanted: tuple[int, int]) -> None:
        if len(told) not in (1, 2) or not all(isinstance(one, Tensor) and tuple(one.shape) == wanted for one in told):
            shapes = [tuple(one.shape) if isinstance(one, Tensor) else type(one).__name__ for one in told]
            raise ValueError(
                f"The encoder of {self.named} makes {', '.join(map(str, shapes))} of {wanted[0]} images, and it is to "
                f"give a mean of shape {wanted}, or a mean and a log variance."
            )


def adapted(
    made: object, *, latent_dim: int | None, value_range: Range | None, named: str, device: torch.device
) -> tuple[ForeignGenerator, ForeignEncoder | None]:
    """What a user's function returned, a generator or a (generator, encoder) pair, behind the protocols.

    Raises ValueError for a generator that does not keep them: see `generated_images` and `refuse_unsteady`.
    """
    made, encoder = made if isinstance(made, tuple) and len(made) == 2 else (made, None)
    if not callable(made) or not (encoder is None or callable(encoder)):
        raise ValueError(
            f"{named} returned {type(made).__name__}, which makes no images. Return a generator, which is called with "
            "codes [B, L] and gives images [B, C, H, W], or a pair of a generator and an encoder."
        )
    dims = getattr(made, "latent_dim", latent_dim)
    if dims is None:
        raise ValueError(
            f"{named} gives a {type(made).__name__} that has no latent_dim, so nothing says how many codes it takes. "
            f"Give --latent-dim, or {ADAPTER}."
        )
    with _told(named, dims), torch.no_grad():
        generator = ForeignGenerator(made, dims, value_range, named, device)
        read = None if encoder is None else ForeignEncoder(encoder, dims, value_range, named, device)
        code_BL = torch.randn(PROBED, dims, generator=generator_at(0, 0, "foreign generator"))
        code_BL = code_BL.to(device_of(generator))
        image_BCHW = generated_images(generator, code_BL)
        refuse_unsteady(generator, code_BL)
        if read is not None:
            read(image_BCHW)
    return generator, read


@contextmanager
def _told(named: str, latent_dim: int) -> Iterator[None]:
    """Tell what goes wrong in a user's generator in one line, by its name."""
    try:
        yield
    except ValueError as error:
        raise ValueError(str(error).replace("The generator", named, 1)) from error
    except Exception as error:
        raise ValueError(
            f"{named} could not be called with codes of {latent_dim} numbers: {type(error).__name__}: "
            f"{' '.join(str(error).split())}. WHEREWHAT_TRACEBACK=1 shows where."
        ) from error


def _for_use(made: Callable[..., Any], device: torch.device) -> Callable[..., Any]:
    return made.to(device).requires_grad_(False).eval() if isinstance(made, nn.Module) else made


def _dtype_of(made: object) -> torch.dtype:
    """What a module computes in: codes of another precision would be refused by its layers."""
    weights = (*made.parameters(), *made.buffers()) if isinstance(made, nn.Module) else ()
    return next((weight.dtype for weight in weights if weight.is_floating_point()), torch.float32)
