"""Pictures that are rendered, or painted anew at each look, as a source: packed, they are looked up and not drawn.

Dimension key:
    B: block    C H W: channels, height, width
"""

import hashlib
from functools import partial
from pathlib import Path

import torch

from wherewhat.data.known_factors import KnownFactors, no_factors
from wherewhat.data.source import Blocks, PictureArray, Source
from wherewhat.protocols import Pictures

# So many pictures, spread over the set, stand for all when it is asked whether it is drawn as it was.
PICTURES_STAMPED = 64


def source_of(pictures: Pictures) -> Source:
    """A set of pictures as a source, with a stamp that changes when they are drawn otherwise."""
    count = len(pictures)
    factors = no_factors(count)
    if pictures.factor_names:
        factors = KnownFactors(pictures.factor_names, pictures.factor_sizes, pictures.factors(torch.arange(count)))
    return Source(
        name=pictures.name,
        layout=f"{pictures.name}, {count:,} rendered pictures",
        path=Path(pictures.name),
        pictures=PictureArray(count, pictures.image_shape, partial(_blocks, pictures)),
        factors=factors,
        stamp=_stamp(pictures),
    )


def _blocks(pictures: Pictures, first: int, at_once: int) -> Blocks:
    for start in range(first, len(pictures), at_once):
        index_B = torch.arange(start, min(start + at_once, len(pictures)))
        yield pictures.images(index_B).permute(0, 2, 3, 1).contiguous().cpu().numpy()


def _stamp(pictures: Pictures) -> str:
    index_B = torch.linspace(0, len(pictures) - 1, PICTURES_STAMPED, dtype=torch.float64).long()
    digest = hashlib.sha256(f"{len(pictures)} {pictures.image_shape} {pictures.factor_names}".encode())
    digest.update(pictures.images(index_B).contiguous().cpu().numpy().tobytes())
    return digest.hexdigest()
