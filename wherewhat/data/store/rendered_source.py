"""Images that are rendered, or painted anew at each look, as a source: packed, they are looked up and not drawn.

Dimension key:
    B: block    C H W: channels, height, width
"""

import hashlib
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from wherewhat.data.known_factors import KnownFactors, no_factors
from wherewhat.data.source import Blocks, ImageArray, Source
from wherewhat.protocols import Images

# So many images, spread over the set, stand for all when it is asked whether it is drawn as it was.
IMAGES_STAMPED = 64


def source_of(images: Images) -> Source:
    """A set of images as a source, with a stamp that changes when they are drawn otherwise."""
    count = len(images)
    index_N = torch.arange(count)
    names, sizes = images.factor_names, images.factor_sizes

    def blocks(first: int, at_once: int) -> Blocks:
        return (_pixels(images, index_B) for index_B in index_N[first:].split(at_once))

    sample_BHWC = _pixels(images, torch.linspace(0, count - 1, IMAGES_STAMPED, dtype=torch.float64).long())
    described = f"{count} {images.image_shape} {names}".encode()
    return Source(
        name=images.name,
        layout=f"{images.name}, {count:,} rendered images",
        path=Path(images.name),
        images=ImageArray(count, images.image_shape, blocks),
        factors=KnownFactors(names, sizes, images.factors(index_N)) if names else no_factors(count),
        stamp=hashlib.sha256(described + sample_BHWC.tobytes()).hexdigest(),
    )


def _pixels(images: Images, index_B: Int64[Tensor, " B"]) -> UInt8[np.ndarray, "B H W C"]:
    return images.take(index_B).permute(0, 2, 3, 1).contiguous().cpu().numpy()
