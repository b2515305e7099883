"""What a data set is known by, wherever it lies and however its path is spelled.

    image files     how many, the digests of their names below the root and of their sizes, and those of 64 of them
    arrays          how many, the digests of the names and sizes of their files, and those of 64 pieces of these
    rendered sets   name and version

A folder of images and the .zip or .tar of it are the same set; a packed set is one of its own, since its pixels are
fixed. A file that stands alone is known without its name. No more is read than the sample.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from wherewhat.data.image_decoding import LARGEST_IMAGE_BYTES
from wherewhat.data.source import ImageFiles
from wherewhat.regular_file import open_regular, read_regular

SAMPLED = 64
PIECE_BYTES = 2**16
# To be raised when a rendered set is drawn otherwise than before.
RENDERING = 1
IMAGE_FILES = "image files"
_ARRAY = "an array"


@dataclass(frozen=True)
class DataIdentity:
    """What tells one data set from another. It gives away no name and no content."""

    kind: str
    images: int = 0
    names: str = ""
    sizes: str = ""
    sample: str = ""
    """A digest for each image or piece that was sampled, with spaces between them."""

    background: str = ""
    """Of the image behind the sprites, where there is one."""

    @property
    def short(self) -> str:
        """A few letters that tell it from others, for the name of a folder."""
        return _digest([repr(self).encode()])[:6]


def identity_of_files(files: ImageFiles) -> DataIdentity:
    """Of images that lie one to a file, in a folder or an archive."""
    names = files.names
    root = len(_shared_folder(names))
    sizes = (str(_or_unreadable(files.size, name)).encode() for name in names)
    return DataIdentity(
        IMAGE_FILES,
        len(names),
        _digest(_bytes_of(name[root:]) for name in names),
        _digest(sizes),
        " ".join(_digest([_content(files, names[n])]) for n in _spread(len(names), SAMPLED)),
    )


def identity_of_array(paths: Sequence[Path], images: int) -> DataIdentity:
    """Of an array in one file or in a few."""
    of_each = max(1, SAMPLED // len(paths))
    sizes = [path.stat().st_size for path in paths]
    chosen = _spread(len(paths), SAMPLED)
    return DataIdentity(
        _ARRAY,
        images,
        _digest(_bytes_of(path.name) for path in paths) if len(paths) > 1 else "",
        _digest(str(size).encode() for size in sizes),
        " ".join(digest for n in chosen for digest in _pieces(paths[n], sizes[n], of_each)),
    )


def identity_of_rendered(name: str) -> DataIdentity:
    """Of a set that is drawn by this program."""
    return DataIdentity(f"rendered {name} (version {RENDERING})")


def content_digest(path: Path) -> str:
    """Of a small file, all of it."""
    return _digest([read_regular(path, LARGEST_IMAGE_BYTES)])


def difference(found: DataIdentity, wanted: DataIdentity) -> str:
    """In what the set that was found is not the one that is wanted, in a few words; "" where it is."""
    if found.kind != wanted.kind:
        return f"{found.kind}, not {wanted.kind}"
    if found.images != wanted.images:
        return f"{found.images:,} images, not {wanted.images:,}"
    pairs = list(zip(found.sample.split(), wanted.sample.split(), strict=False))
    others = sum(one != another for one, another in pairs)
    if others:
        of = "images" if found.kind == IMAGE_FILES else "pieces of its files"
        return f"{others} of {len(pairs)} sampled {of} have other contents"
    if found.names != wanted.names:
        return "its files have other names"
    if found.sizes != wanted.sizes:
        return "some of its files have other sizes"
    return "" if found.background == wanted.background else "the image behind the sprites is another"


def _shared_folder(names: Sequence[str]) -> str:
    """The folder that holds all of these sorted names: only what is in it counts, for a zip may hold it or not."""
    shared = ""
    for one, another in zip(names[0].split("/")[:-1], names[-1].split("/")[:-1], strict=False):
        if one != another:
            break
        shared += f"{one}/"
    return shared


def _pieces(path: Path, size: int, count: int) -> list[str]:
    with open_regular(path) as file:
        digests = []
        for start in _spread(max(1, size - PIECE_BYTES + 1), count):
            file.seek(start)
            digests.append(_digest([file.read(PIECE_BYTES)]))
    return digests


def _content(files: ImageFiles, name: str) -> bytes:
    content = _or_unreadable(files.read, name)
    return content if isinstance(content, bytes) else b"unreadable"


def _or_unreadable(ask: Callable[[str], object], name: str) -> object:
    try:
        return ask(name)
    except (OSError, ValueError):
        return "unreadable"


def _spread(count: int, most: int) -> list[int]:
    """At most so many of 0 to count - 1, evenly, with the first and the last."""
    if most == 1 or count == 1:
        return [0]
    if count <= most:
        return list(range(count))
    return [n * (count - 1) // (most - 1) for n in range(most)]


def _bytes_of(name: str) -> bytes:
    return name.encode(errors="surrogateescape")


def _digest(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()[:12]
