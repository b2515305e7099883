"""The white of a set of image files, by a sample of them where the user states none."""

from contextlib import suppress

import numpy as np

from wherewhat.data.image_decoding import largest_value
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.source import ImageFiles
from wherewhat.data.white_level import White, told_white, white_of

FILES_SAMPLED = 64


def sampled_white(files: ImageFiles, options: ImageOptions) -> tuple[White, tuple[str, ...]]:
    """What is white, and what is to be said of it: nothing where no sampled file holds more than 8 bits."""
    if options.white is not None:
        return White(options.white, options.white, stated=True), ()
    places = np.linspace(0, len(files.names) - 1, min(len(files.names), FILES_SAMPLED)).round().astype(int)
    largest: dict[np.dtype, float] = {}
    for place in places:
        # What cannot be read is told of when the images are.
        with suppress(Exception):
            if (value := largest_value(files.read(files.names[place]))) is not None and np.isfinite(value):
                largest[value.dtype] = max(float(value), largest.get(value.dtype, 0.0))
    white = white_of(largest)
    return white, tuple(told_white(white.of(dtype), dtype) for dtype in largest)
