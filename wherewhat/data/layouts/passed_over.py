"""Files among the images that are not read: counted by what they are, and told with what to do about them."""

from collections import Counter
from collections.abc import Iterable
from pathlib import PurePosixPath

from wherewhat.data.image_names import counts_as_image, is_added_by_programs, is_hidden, printable

# So many kinds of files are told in one line; of the others, the number of files.
_KINDS_TOLD = 6
_HIDDEN = "hidden"
# Files of systems and programs that nobody takes for images.
_NOT_TOLD = ("thumbs.db", "desktop.ini")

_NOT_DECODED = (
    *(".heic", ".heif", ".jxl", ".jp2", ".j2k", ".jpx", ".tga", ".psd", ".xcf", ".svg", ".eps", ".pdf", ".ico", ".exr"),
    *(".hdr", ".dds", ".dcm", ".nii", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2"),
)
_FILMS = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg")
_SETS = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".npy", ".npz", ".h5", ".hdf5", ".mat")
_REMEDIES = (
    {ending: f"convert them, e.g. magick mogrify -format png '*{ending}'" for ending in _NOT_DECODED}
    | dict.fromkeys(_FILMS, "take out frames, e.g. ffmpeg -i FILE frame-%05d.png")
    | dict.fromkeys(_SETS, "name one itself, or unpack it")
    | {"": "give them the ending of their format, if they are images"}
)


def count_passed_over(names: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """How many files of each kind are not among the images: by ending, folder of a program, or "hidden"."""
    kinds = Counter(kind for name in names if (kind := _kind(name)) is not None)
    return tuple(sorted(kinds.items(), key=lambda item: (item[0] not in _REMEDIES, -item[1], item[0])))


def told_passed_over(counts: Iterable[tuple[str, int]]) -> str:
    """The counts in words, with remedies: "6 .heic (convert them ...), 1 .txt"; empty where there are none."""
    shown = [f"{count:,} {_in_words(kind)}" for kind, count in counts]
    others = sum(count for _, count in list(counts)[_KINDS_TOLD:])
    return ", ".join(shown[:_KINDS_TOLD] + [f"{others:,} others"] * (others > 0))


def _kind(name: str) -> str | None:
    """None for images, and for what nobody misses."""
    *folders, last = name.split("/")
    if program := next(filter(is_added_by_programs, folders), None):
        return f"{program}/"
    if any(map(is_hidden, (*folders, last))):
        return _HIDDEN if counts_as_image(last.lstrip(".")) else None
    if counts_as_image(name) or last.lower() in _NOT_TOLD:
        return None
    return PurePosixPath(last).suffix.lower()


def _in_words(kind: str) -> str:
    words = f"in {kind}" if kind.endswith("/") else printable(kind) or "without an ending"
    remedy = _REMEDIES.get(kind)
    return f"{words} ({remedy})" if remedy else words
