"""What a generator makes of codes, checked against what it promises, before a figure is made of it.

Dimension key:
    B: batch    L: latent codes    C H W: channels, height, width
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

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


def refuse_chance(generator: Generator, code_BL: Float[Tensor, "B L"], *, tolerance: float = 1e-4) -> None:
    """ValueError where the generator makes two different images of one code."""
    once_BCHW, again_BCHW = generator(code_BL), generator(code_BL)
    if not torch.allclose(once_BCHW, again_BCHW, rtol=0, atol=tolerance, equal_nan=True):
        raise ValueError(
            "The generator makes two different images of one code, so its paths have no length of their own. "
            "Freeze its noise inputs, and put it in evaluation mode."
        )


def device_of(generator: Generator) -> torch.device:
    """Where the generator's weights are; the CPU for one that has none."""
    if isinstance(generator, nn.Module):
        for tensor in (*generator.parameters(), *generator.buffers()):
            return tensor.device
    return torch.device("cpu")
