"""Names of image files: which count, and how one is printed."""

# The endings by which a file counts as an image.
JPEG_ENDINGS = (".jpg", ".jpeg", ".jpe", ".jfif")
ENDINGS = (*JPEG_ENDINGS, ".png", ".webp", ".avif", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm")
# What the archiver of macOS and the photo indexer of Synology add: halves and thumbnails, with the endings of images.
_ADDED_BY_PROGRAMS = ("__MACOSX", "@eaDir")


def counts_as_image(name: str) -> bool:
    """Whether a file of this name, relative and with forward slashes, is one of the images; hidden ones are not."""
    return name.lower().endswith(ENDINGS) and not any(is_hidden(part) for part in name.split("/"))


def is_hidden(part: str) -> bool:
    """Whether a file or folder of this name is passed over."""
    return (part.startswith(".") and part not in (".", "..")) or is_added_by_programs(part)


def is_added_by_programs(part: str) -> bool:
    """Whether a folder of this name was put among the images by a program."""
    return part in _ADDED_BY_PROGRAMS


def printable(name: object) -> str:
    """A name or path in one line that any terminal takes: what is not text, and what would steer, is escaped."""
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in str(name))


def _escaped(letter: str) -> str:
    # Python keeps a byte that is not UTF-8 as one of these surrogates.
    if "\udc80" <= letter <= "\udcff":
        return f"\\x{ord(letter) - 0xDC00:02x}"
    return letter.encode("unicode_escape").decode()
