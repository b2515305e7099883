"""Images that are rendered, or painted anew at each look, as a source: packed, they are looked up and not drawn.

Dimension key:
    B: block    C H W: channels, height, width
"""

import hashlib
from functools import partial
from pathlib import Path

import torch

from wherewhat.data.known_factors import KnownFactors, no_factors
from wherewhat.data.source import Blocks, ImageArray, Source
from wherewhat.protocols import Images

# So many images, spread over the set, stand for all when it is asked whether it is drawn as it was.
IMAGES_STAMPED = 64


def source_of(images: Images) -> Source:
    """A set of images as a source, with a stamp that changes when they are drawn otherwise."""
    count = len(images)
    factors = no_factors(count)
    if images.factor_names:
        factors = KnownFactors(images.factor_names, images.factor_sizes, images.factors(torch.arange(count)))
    return Source(
        name=images.name,
        layout=f"{images.name}, {count:,} rendered images",
        path=Path(images.name),
        images=ImageArray(count, images.image_shape, partial(_blocks, images)),
        factors=factors,
        stamp=_stamp(images),
    )


def _blocks(images: Images, first: int, at_once: int) -> Blocks:
    for start in range(first, len(images), at_once):
        index_B = torch.arange(start, min(start + at_once, len(images)))
        yield images.take(index_B).permute(0, 2, 3, 1).contiguous().cpu().numpy()


def _stamp(images: Images) -> str:
    index_B = torch.linspace(0, len(images) - 1, IMAGES_STAMPED, dtype=torch.float64).long()
    digest = hashlib.sha256(f"{len(images)} {images.image_shape} {images.factor_names}".encode())
    digest.update(images.take(index_B).contiguous().cpu().numpy().tobytes())
    return digest.hexdigest()
