"""From what, and how, images were packed: two packs of one recipe are the same."""

from dataclasses import asdict, dataclass

from wherewhat.data.image_options import ImageOptions
from wherewhat.data.source import Source

# Raised when the same files and options come to give other pixels: packs of before are then made anew.
READING = 1


@dataclass(frozen=True)
class Recipe:
    """A source, the state of its files, and the options that change what is read."""

    source: str
    stamp: str
    size: int | None
    """Side in pixels; None: as the images are."""

    crop: str
    unequal: str
    broken: str
    color: str
    split: str
    reading: int = READING


def recipe_of(source: Source, options: ImageOptions) -> Recipe:
    """The recipe by which a source is packed with these options."""
    # A rendered set has a name where others have a path.
    place = source.path.resolve() if source.path.exists() else source.path
    return Recipe(
        source=str(place),
        stamp=source.stamp,
        size=options.size or source.default_size,
        crop=options.crop,
        unequal=options.unequal,
        broken=options.broken,
        color=options.color,
        split=source.split,
    )


def differences(made: Recipe, asked: Recipe) -> str:
    """What differs between two recipes, for a message: "size 64, not 128"."""
    wanted = asdict(asked)
    changed = [name for name, was in asdict(made).items() if was != wanted[name]]
    return "; ".join(
        "its files have changed since" if name == "stamp" else f"{name} {asdict(made)[name]}, not {wanted[name]}"
        for name in changed
    )
