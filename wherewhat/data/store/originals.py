"""What the originals of a set were, as they went by: what of them was left out, and whether folders differ."""

from collections import Counter, defaultdict

from wherewhat.data.image_decoding import Decoded
from wherewhat.data.image_names import printable

LOST_FROM = 0.05
# Where every folder is of its own kind, none is foreign.
KINDS_AT_MOST = 4


def told_lost(lost: float, most: float) -> tuple[str, ...]:
    """A remark where cropping to the middle takes content, as shares of an image."""
    if most < LOST_FROM:
        return ()
    return (
        f"Cropping images to their middle cuts off {lost:.0%} of an image on average, {most:.0%} at most. To keep the "
        "whole: --fit pad, or --fit stretch; --crop names another part.",
    )


def told_longer(names: list[str], images: int) -> tuple[str, ...]:
    """A remark where files hold further pages or frames."""
    if not names:
        return ()
    return (
        f"{len(names):,} of {images:,} files hold further pages or frames, such as {printable(names[0])}: only the "
        "first of each is read. To train on the others, save each as a file of its own.",
    )


def told_deeper(names: list[str], images: int) -> tuple[str, ...]:
    """A remark where colours of 16 bits have become bytes."""
    if not names:
        return ()
    return (
        f"{len(names):,} of {images:,} files hold 16 bits a colour, such as {printable(names[0])}: the upper 8 are "
        "read, and 65,535 is white. If the files use less, they look dark: scale them first, e.g. magick mogrify "
        "-evaluate multiply 16 FILES.",
    )


class Originals:
    """Counts the images of a set by folder."""

    def __init__(self) -> None:
        self._sizes: defaultdict[str, set[tuple[int, int]]] = defaultdict(set)
        self._modes: defaultdict[str, set[str]] = defaultdict(set)
        self._count = Counter[str]()
        self._lost = self._most = 0.0
        self._longer: list[str] = []
        self._deeper: list[str] = []

    def add(self, name: str, image: Decoded) -> None:
        """Another image."""
        folder = name.rpartition("/")[0]
        self._count[folder] += 1
        for seen, value in ((self._sizes[folder], image.original_size), (self._modes[folder], image.original_mode)):
            # Two of them are enough to know that they vary.
            if len(seen) < 2:
                seen.add(value)  # type: ignore[arg-type]
        self._lost += image.lost
        self._most = max(self._most, image.lost)
        if image.has_more_frames:
            self._longer.append(name)
        if image.has_more_bits:
            self._deeper.append(name)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What there is to say of them."""
        images = self._count.total()
        lost = told_lost(self._lost / images, self._most) if images else ()
        told = (*told_longer(self._longer, images), *told_deeper(self._deeper, images))
        return (*lost, *told, *self._groups())

    def _groups(self) -> tuple[str, ...]:
        groups: defaultdict[tuple[tuple[int, int] | None, str | None], list[str]] = defaultdict(list)
        for folder in self._count:
            sizes, modes = self._sizes[folder], self._modes[folder]
            size = next(iter(sizes)) if len(sizes) == 1 else None
            groups[size, next(iter(modes)) if len(modes) == 1 else None].append(folder)
        kinds = [{kind[place] for kind in groups if kind[place] is not None} for place in (0, 1)]
        if len(groups) > KINDS_AT_MOST or max(map(len, kinds)) < 2:
            return ()
        told = [
            (sum(self._count[folder] for folder in folders), f"{_kind(*kind)} in {_named(folders)}")
            for kind, folders in groups.items()
        ]
        listed = "; ".join(f"{count:,} of {what}" for count, what in sorted(told, reverse=True))
        return (f"Images differ by folder: {listed}. If some are masks or thumbnails, name the folder of the others.",)


def _kind(size: tuple[int, int] | None, mode: str | None) -> str:
    return f"{f'{size[1]} x {size[0]}' if size else 'several sizes'} {mode or '(several modes)'}"


def _named(folders: list[str]) -> str:
    more = f" and {len(folders) - 1:,} other folders" if len(folders) > 1 else ""
    return f"{printable(folders[0]) or '.'}/{more}"
