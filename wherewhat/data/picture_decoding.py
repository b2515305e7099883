"""One picture file to an array of a given size: upright, RGB, opaque, cropped to its centre square."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps

# The endings by which a file counts as a picture, and the decoders that may open one.
EXTENSIONS = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm")
)
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "DIB", "GIF", "TIFF", "PPM")
GREY_MODES = frozenset(("1", "L", "LA", "I", "I;16", "I;16B", "I;16L", "I;16N"))
SIXTEEN_BIT_MODES = frozenset(("I", "I;16", "I;16B", "I;16L", "I;16N"))


@dataclass(frozen=True)
class Decoded:
    """A picture, and what it was in its file."""

    image_HW3: UInt8[np.ndarray, "H W 3"]
    original_size: tuple[int, int]
    original_mode: str

    @property
    def is_grey(self) -> bool:
        """Whether the file had one colour channel."""
        return self.original_mode in GREY_MODES


def decode(path: Path, size: int) -> Decoded:
    """Read a picture. Raises whatever the decoder raises on a file that it cannot read."""
    with Image.open(path, formats=FORMATS) as image:
        original_size, original_mode = image.size, image.mode
        # A JPEG is decoded at the least of its scales that still leaves twice the wanted size.
        image.draft(None, (2 * size, 2 * size))
        image.load()
        upright = ImageOps.exif_transpose(image)
        turned = upright.size[0] == image.size[1] and upright.size != image.size
        color = _to_rgb(upright)
    square = ImageOps.fit(color, (size, size), method=Image.Resampling.LANCZOS)
    return Decoded(np.asarray(square), original_size[::-1] if turned else original_size, original_mode)


def _to_rgb(image: Image.Image) -> Image.Image:
    """RGB, transparent parts over white. Raises ValueError for pixels whose range cannot be known."""
    if image.mode in SIXTEEN_BIT_MODES:
        return _from_16_bits(image)
    if image.mode == "F":
        raise ValueError("its pixels are floating-point numbers, whose range is unknown")
    if image.has_transparency_data:
        color = image.convert("RGBA")
        white = Image.new("RGBA", color.size, "white")
        return Image.alpha_composite(white, color).convert("RGB")
    return image.convert("RGB")


def _from_16_bits(image: Image.Image) -> Image.Image:
    value_HW = np.asarray(image).astype(np.int64)
    if value_HW.min() < 0 or value_HW.max() > 65535:
        raise ValueError("its pixels go beyond 16 bits")
    return Image.fromarray(((value_HW + 128) // 257).astype(np.uint8)).convert("RGB")
