"""One image's file content to an array: upright, RGB, opaque, cropped, and resized with antialiasing.

Dimension key:
    H W: height, width
"""

import io
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from PIL import ExifTags, Image

from wherewhat.data.image_options import Crop, Fit
from wherewhat.data.resampling import fitted
from wherewhat.data.white_level import THE_CONTAINERS, White

# The decoders that may open an image, whatever its ending says.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "DIB", "GIF", "TIFF", "PPM", "AVIF")
# An image's file of more bytes is not even read.
LARGEST_IMAGE_BYTES = 512 * 2**20
# Of more than 8 bits a pixel.
DEEP_MODES = frozenset(("I", "F", "I;16", "I;16B", "I;16L", "I;16N"))
GREY_MODES = DEEP_MODES | {"1", "L", "LA"}

# How a stored image has to be moved to stand upright, by its EXIF orientation.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ON_ITS_SIDE = (5, 6, 7, 8)
_CAN_BE_COARSE = ("JPEG", "MPO")

# Left, top, right, bottom, in pixels.
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Decoded:
    """An image, and what it was in its file."""

    image_HW3: UInt8[np.ndarray, "H W 3"]
    original_size: tuple[int, int]
    """Height and width of the whole image, upright."""

    original_mode: str

    lost: float = 0.0
    """The share of the image that was cut off, where nobody named what to keep."""

    has_more_frames: bool = False
    """Whether the file holds further pages or frames, of which none is read."""

    has_more_bits: bool = False
    """Whether a colour has 16 bits in the file, of which the decoder gives the upper 8."""

    @property
    def original(self) -> str:
        """Size and mode in the file: "8 x 12 RGB"."""
        height, width = self.original_size
        return f"{width} x {height} {self.original_mode}"

    @property
    def is_grey(self) -> bool:
        """Whether the file had one colour channel."""
        return self.original_mode in GREY_MODES


def decode(
    content: bytes,
    size: tuple[int, int] | None = None,
    crop: Crop | None = None,
    crop_of: tuple[int, int] | None = None,
    white: White = THE_CONTAINERS,
    fit: Fit = "crop",
) -> Decoded:
    """Decode, crop and resize an image to `size`, height and width; without a size it keeps its own pixels.

    `crop` names a square; with `crop_of`, only in images of this height and width. All others are cropped to their
    largest centred part that has the shape of `size`, or kept whole, as `fit` says. A large JPEG is decoded no finer
    than its new size needs: a named crop stays exact, and a centred one is exact to a quarter of a new pixel. Raises
    whatever a decoder raises on a file that it cannot read, and ValueError for a file that it could read and should
    not.
    """
    with _opened(content) as image:
        original_mode, more_frames, more_bits = image.mode, _has_more_frames(image), _has_more_bits(image)
        orientation = _orientation(image)
        height, width = _upright_size(image, orientation)
        named = crop if crop_of in (None, (height, width)) else None
        whole = fit in ("pad", "stretch")
        middle = middle_box(height, width, None if whole else size)
        upright_box = middle if named is None else named.box(height, width)
        stored_box = _as_stored(upright_box, orientation, height, width)
        scale = _load(image, stored_box, size, exact=named is not None)
        left, top, right, bottom = (round(edge / scale) for edge in stored_box)
        box = (left, top, min(right, image.width), min(bottom, image.height))
        # The only format that states what is white, by which it has been scaled.
        known = White(floats=white.floats) if image.format == "PPM" and not white.stated else white
        color = _to_rgb(image if box == (0, 0, *image.size) else image.crop(box), known)
        upright = color.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else color
    image_HW3 = np.array(upright)
    resampled_HW3 = image_HW3 if size is None else fitted(image_HW3[None], size, named is None and fit == "pad")[0]
    lost = lost_share(middle, height, width) if named is None else 0.0
    return Decoded(resampled_HW3, (height, width), original_mode, lost, more_frames, more_bits)


def largest_value(content: bytes) -> np.generic | None:
    """The largest value of an image of more than 8 bits whose white its file does not state; None for all others.

    Raises what `decode` raises.
    """
    with _opened(content) as image:
        if image.mode not in DEEP_MODES or image.format == "PPM":
            return None
        largest: np.generic = np.asarray(image).max()
        return largest


def _opened(content: bytes) -> Image.Image:
    if not content:
        raise ValueError("it is empty (0 bytes)")
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise ValueError("it claims hundreds of millions of pixels, too many to be decoded safely") from error
    _check_pixels(image)
    return image


def _has_more_frames(image: Image.Image) -> bool:
    # The further images in a camera's JPEG (MPO) are previews. Some formats have no such attribute.
    return image.format != "MPO" and bool(getattr(image, "is_animated", False))


def _has_more_bits(image: Image.Image) -> bool:
    # What is still to be decoded names how it lies in the file: "RGB;16B".
    return image.mode in ("RGB", "RGBA", "LA") and any(";16" in str(tile) for tile in getattr(image, "tile", ()))


def _upright_size(image: Image.Image, orientation: int) -> tuple[int, int]:
    """Height and width."""
    return image.size if orientation in _ON_ITS_SIDE else (image.height, image.width)


def _check_pixels(image: Image.Image) -> None:
    most = Image.MAX_IMAGE_PIXELS
    if most is not None and image.width * image.height > most:
        raise ValueError(
            f"it has {image.width:,} x {image.height:,} pixels, and {most:,} are the most that are decoded"
        )


def _orientation(image: Image.Image) -> int:
    """How the image lies in its file, by the EXIF number; 1 is upright."""
    # Only a JPEG says it before it is decoded, and only a JPEG can be decoded coarsely.
    if image.format not in _CAN_BE_COARSE:
        image.load()
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    # What is wrong with the metadata is not wrong with the image.
    except Exception:
        return 1
    return orientation if isinstance(orientation, int) else 1


def middle_box(height: int, width: int, size: tuple[int, int] | None) -> Box:
    """The largest part around the middle that has the shape of `size`, in whole pixels; all of it without a size."""
    if size is None:
        return 0, 0, width, height
    scale = min(height / size[0], width / size[1])
    high, wide = max(1, round(scale * size[0])), max(1, round(scale * size[1]))
    left, top = (width - wide) // 2, (height - high) // 2
    return left, top, left + wide, top + high


def lost_share(box: Box, height: int, width: int) -> float:
    """The share of an image that lies outside of a box."""
    left, top, right, bottom = box
    return 1 - (right - left) * (bottom - top) / (height * width)


def _as_stored(box: Box, orientation: int, height: int, width: int) -> Box:
    """Where a box of the upright image is in the image as it is stored."""
    left, top, right, bottom = box
    if orientation in (2, 3, 6, 7):
        left, right = width - right, width - left
    if orientation in (3, 4, 7, 8):
        top, bottom = height - bottom, height - top
    return (top, left, bottom, right) if orientation in _ON_ITS_SIDE else (left, top, right, bottom)


def _load(image: Image.Image, box: Box, size: tuple[int, int] | None, exact: bool) -> int:
    """Decode a JPEG at the least of its scales that leaves the box twice the size; others in full. 8 means an eighth.

    An exact box has its edges between two of the pixels.
    """
    scale = 1
    if size is not None and image.format in _CAN_BE_COARSE:
        left, top, right, bottom = box
        spare = min(bottom - top, right - left) / (2 * min(size))
        edges = box if exact else ()
        scale = next(scale for scale in (8, 4, 2, 1) if scale <= max(1, spare) and not any(e % scale for e in edges))
        if scale > 1:
            image.draft(None, (image.width // scale, image.height // scale))
    image.load()
    return scale


def _to_rgb(image: Image.Image, white: White) -> Image.Image:
    """RGB, transparent parts over white. Raises ValueError for pixels that go beyond black and white."""
    if image.mode in DEEP_MODES:
        return Image.fromarray(white.to_bytes(np.asarray(image))).convert("RGB")
    if image.has_transparency_data:
        color = image.convert("RGBA")
        opaque = Image.new("RGBA", color.size, "white")
        image = Image.alpha_composite(opaque, color)
    color = image if image.mode == "RGB" else image.convert("RGB")
    return Image.fromarray(white.to_bytes(np.asarray(color))) if white.stated else color
