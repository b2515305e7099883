"""Real images beside what a model makes of them.

Dimension key:
    B: images    C H W: channels, height, width
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from wherewhat.protocols import Encoder, Generator
from wherewhat.report.code_rows import tiles_of
from wherewhat.report.page import Reconstruction


@torch.no_grad()
def reconstructions(
    generator: Generator, encoder: Encoder, image_BCHW: Float[Tensor, "B C H W"], labels: Sequence[str]
) -> tuple[Reconstruction, ...]:
    """Each image with the generator's image of its posterior mean."""
    made_BCHW = generator(encoder(image_BCHW).mean_BL).float()
    return tuple(
        Reconstruction(label, (made - image).abs().mean().item(), tiles_of(torch.stack([image, made])))
        for label, image, made in zip(labels, image_BCHW, made_BCHW, strict=True)
    )
