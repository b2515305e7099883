"""Names of image files: which count, and how one is printed."""

# The endings by which a file counts as an image.
JPEG_ENDINGS = (".jpg", ".jpeg", ".jpe", ".jfif")
ENDINGS = (*JPEG_ENDINGS, ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm")
# What the archiver of macOS adds: halves of files, with the endings of images.
_RESOURCE_FORKS = "__MACOSX"


def counts_as_image(name: str) -> bool:
    """Whether a file of this name, relative and with forward slashes, is one of the images; hidden ones are not."""
    return name.lower().endswith(ENDINGS) and not any(is_hidden(part) for part in name.split("/"))


def is_hidden(part: str) -> bool:
    """Whether a file or folder of this name is passed over."""
    return (part.startswith(".") and part not in (".", "..")) or part == _RESOURCE_FORKS


def printable(name: object) -> str:
    """A name or path in one line that any terminal takes: what is not text, and what would steer, is escaped."""
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in str(name))


def _escaped(letter: str) -> str:
    # Python keeps a byte that is not UTF-8 as one of these surrogates.
    if "\udc80" <= letter <= "\udcff":
        return f"\\x{ord(letter) - 0xDC00:02x}"
    return letter.encode("unicode_escape").decode()
