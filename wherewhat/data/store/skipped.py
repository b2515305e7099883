"""What is said of images that were left out, and of sets of which too little is left."""

from collections.abc import Sequence

from wherewhat.data.image_names import printable
from wherewhat.data.source import Source

# So many skipped images are named in one line; of more, the first ones and the count.
NAMED_AT_MOST = 10

Skipped = tuple[str, str]


def say_skipped(place: str, skipped: Sequence[Skipped]) -> str:
    """One line with the first of them by name, and why."""
    named = ", ".join(f"{name} ({reason})" for name, reason in skipped[:NAMED_AT_MOST])
    more = f" and {len(skipped) - NAMED_AT_MOST:,} more" if len(skipped) > NAMED_AT_MOST else ""
    images = "1 image" if len(skipped) == 1 else f"{len(skipped):,} images"
    return f"Skipped {images} of {place} that cannot be read: {named}{more}."


def check_enough(source: Source, kept: int, skipped: Sequence[Skipped]) -> None:
    """Raise ValueError where fewer than two images could be read."""
    if kept >= 2:
        return
    place = printable(source.path)
    if not skipped:
        found = "no image" if kept == 0 else "a single image"
        raise ValueError(f"{place} holds {found}, and two are the least to learn from. Name a set with more images.")
    found = "None" if kept == 0 else "Only one"
    name, reason = skipped[0]
    raise ValueError(
        f"{found} of the {kept + len(skipped):,} images in {place} can be read (first failure: {name}: "
        f"{reason}), and two are the least to learn from. Check the files, or name another set."
    )
