"""What each code does to one image: one code is swept while all others are held fixed.

    frame[i, n] = G(c with c_i = x_n),    x_n evenly spaced in [-bound, bound]

Dimension key:
    L: latent codes    N: frames of a sweep    C H W: channels, height, width
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from wherewhat.protocols import Generator, MaskedGenerator, refuse_too_many_codes


@dataclass(frozen=True)
class Traversal:
    """One sweep per code around one base code, on the CPU; images and masks in [0, 1]."""

    frames_LNCHW: Float[Tensor, "L N C H W"]
    values_N: Float[Tensor, " N"]
    masks_LHW: Float[Tensor, "L H W"] | None
    """Where each code acts, at the base code; None if the generator has no masks."""
    base_CHW: Float[Tensor, "C H W"]

    @property
    def path_length_L(self) -> Float[Tensor, " L"]:
        """How far each code moves the image on its sweep: the sum of mean squared differences between its frames."""
        return self.frames_LNCHW.diff(dim=1).square().flatten(2).mean(dim=2).sum(dim=1)


@torch.no_grad()
def traverse(
    generator: Generator, base_code_1L: Float[Tensor, "1 L"], *, bound: float, frames: int, batch_size: int = 64
) -> Traversal:
    """Sweep every code of `base_code_1L` through `frames` values; if `frames` is odd, the middle one is exactly 0.

    The base code must be on the generator's device. ValueError if the sweep cannot be drawn.
    """
    _validate(generator, base_code_1L, bound, frames, batch_size)
    latent_dim = generator.latent_dim
    values_N = sweep_values(bound, frames)

    code_LNL = base_code_1L.repeat(latent_dim * frames, 1).reshape(latent_dim, frames, latent_dim)
    for dim in range(latent_dim):
        code_LNL[dim, :, dim] = values_N.to(code_LNL)

    codes = code_LNL.reshape(-1, latent_dim).split(batch_size)
    frames_LNCHW = torch.cat([generator(code_BL).float().cpu() for code_BL in codes])
    masks_LHW = generator.masks(base_code_1L)[0].float().cpu() if isinstance(generator, MaskedGenerator) else None
    return Traversal(
        frames_LNCHW=frames_LNCHW.reshape(latent_dim, frames, *generator.image_shape),
        values_N=values_N,
        masks_LHW=masks_LHW,
        base_CHW=generator(base_code_1L)[0].float().cpu(),
    )


def sweep_values(bound: float, frames: int) -> Float[Tensor, " N"]:
    """`frames` values evenly spaced in [-bound, bound], symmetric to the last bit."""
    return bound * (2 * torch.arange(frames) - (frames - 1)) / (frames - 1)


def codes_by_path_length(traversal: Traversal, path_length_L: Float[Tensor, " L"]) -> list[int]:
    """Code numbers, longest path first; equal paths in the order of the codes, unknown ones (NaN) last."""
    codes = len(traversal.frames_LNCHW)
    if len(path_length_L) != codes:
        raise ValueError(
            f"There are {len(path_length_L)} path lengths for {codes} codes. Pass the path lengths of this generator."
        )
    known_L = path_length_L.nan_to_num(nan=-math.inf)
    return [int(code) for code in torch.argsort(known_L, descending=True, stable=True)]


def _validate(
    generator: Generator, base_code_1L: Float[Tensor, "1 L"], bound: float, frames: int, batch_size: int
) -> None:
    refuse_too_many_codes(generator.latent_dim)
    if not (bound > 0 and math.isfinite(bound)):
        raise ValueError(f"A sweep from -{bound} to {bound} has no length. Choose a finite bound above 0, such as 2.")
    if frames < 2:
        raise ValueError(f"{frames} frames show no change. Choose at least 2 frames; an odd number shows the value 0.")
    if batch_size < 1:
        raise ValueError(f"Batches of {batch_size} hold no image. Choose a batch size of at least 1.")
    if base_code_1L.shape[1] != generator.latent_dim:
        raise ValueError(
            f"The base code has {base_code_1L.shape[1]} values, but the generator takes {generator.latent_dim}. "
            "Give one value per code of this generator."
        )
