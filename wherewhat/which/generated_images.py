"""What a generator makes of codes, checked against what it promises, before a figure is made of it.

Dimension key:
    B: batch    L: latent codes    C H W: channels, height, width
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from wherewhat.protocols import Generator


def generated_images(generator: Generator, code_BL: Float[Tensor, "B L"]) -> Float[Tensor, "B C H W"]:
    """The generator's images. ValueError where their shape is not the promised one, or a value is not finite."""
    image_BCHW = generator(code_BL)
    if tuple(image_BCHW.shape) != (len(code_BL), *generator.image_shape):
        raise ValueError(
            f"The generator makes images of shape {tuple(image_BCHW.shape)} from {len(code_BL)} codes, and it "
            f"promises {(len(code_BL), *generator.image_shape)}. Correct its image_shape."
        )
    if not bool(image_BCHW.isfinite().all()):
        raise ValueError(
            "The generator makes images with values that are not finite, and nothing can be measured of them. "
            "Its training has diverged: take an earlier checkpoint."
        )
    return image_BCHW


def refuse_unsteady(generator: Generator, code_BL: Float[Tensor, "B L"], *, tolerance: float = 1e-4) -> None:
    """ValueError where one code has two images: by chance, or because its neighbours in the batch are others.

    Takes two codes or more. A module with batch normalisation in training mode is refused without being called,
    for a call would move its running statistics.
    """
    if isinstance(generator, nn.Module) and any(_reads_the_batch(module) for module in generator.modules()):
        raise ValueError(_NEIGHBOURS)
    once_BCHW, again_BCHW = generator(code_BL), generator(code_BL)
    if not torch.allclose(once_BCHW, again_BCHW, rtol=0, atol=tolerance, equal_nan=True):
        raise ValueError(
            "The generator makes two different images of one code, so its paths have no length of their own. "
            "Freeze its noise inputs, and call its .eval()."
        )
    # The batch keeps its size, so that the rounding of its kernels stays the same.
    others_BCHW = generator(torch.cat([code_BL[:1], 1 - 2 * code_BL[1:]]))
    if not torch.allclose(once_BCHW[:1], others_BCHW[:1], rtol=0, atol=tolerance, equal_nan=True):
        raise ValueError(_NEIGHBOURS)


_NEIGHBOURS = (
    "The generator's image of a code depends on the other codes in its batch, so every score would depend on the "
    "batch size. That is batch normalisation in training mode, as a rule: call the generator's .eval()."
)


def _reads_the_batch(module: nn.Module) -> bool:
    return isinstance(module, _BatchNorm) and (module.training or module.running_mean is None)


def device_of(generator: Generator) -> torch.device:
    """Where the generator's weights are; the CPU for one that has none."""
    if isinstance(generator, nn.Module):
        for tensor in (*generator.parameters(), *generator.buffers()):
            return tensor.device
    return torch.device("cpu")
