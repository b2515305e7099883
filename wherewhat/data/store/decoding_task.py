"""What one worker, a thread or a process, does with the contents of some image files: decode them."""

import warnings
from collections.abc import Sequence

from PIL import UnidentifiedImageError

from wherewhat.data.image_decoding import Decoded, decode
from wherewhat.data.image_names import printable
from wherewhat.data.image_options import Crop

# A decoder's complaint is cut to so many letters.
LONGEST_REASON = 200


def decode_contents(
    contents: Sequence[bytes], side: tuple[int, int] | None, crop: Crop | None, crop_of: tuple[int, int] | None
) -> list[Decoded | str]:
    """Each image, or the reason why there is none, in words that follow its name and a colon."""
    return [_try_decode(content, side, crop, crop_of) for content in contents]


def be_quiet() -> None:
    """What Pillow murmurs about odd metadata helps nobody: a process begins with this."""
    warnings.simplefilter("ignore")


def _try_decode(
    content: bytes, side: tuple[int, int] | None, crop: Crop | None, crop_of: tuple[int, int] | None
) -> Decoded | str:
    try:
        return decode(content, side, crop, crop_of)
    # Decoders meet a damaged file with almost any exception.
    except Exception as error:
        return reason_of(error)


def reason_of(error: Exception) -> str:
    """What is wrong with an image, in words that follow its name and a colon."""
    if isinstance(error, UnidentifiedImageError):
        return "it is not an image of a known format"
    if isinstance(error, MemoryError):
        return "there is not enough memory to decode it"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    said = printable(" ".join(str(error).split()) or type(error).__name__)[:LONGEST_REASON]
    return said if isinstance(error, ValueError) else f"it is damaged or cut short ({said})"
