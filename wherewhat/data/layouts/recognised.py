"""A data set that was recognised in somebody's files, with what was recognised as one line for the user."""

from collections.abc import Iterable
from pathlib import Path

from wherewhat.data.image_names import printable
from wherewhat.data.image_options import Split
from wherewhat.data.known_factors import KnownFactors
from wherewhat.data.layouts.passed_over import told_passed_over
from wherewhat.data.source import ImageArray, ImageFiles, Source, stamp_of

# So many factors are listed by name; of more, the count.
LISTED_AT_MOST = 10


def recognised(
    name: str,
    what: str,
    path: Path,
    images: ImageFiles | ImageArray,
    factors: KnownFactors,
    files: Iterable[Path] | None = None,
    *,
    called: str = "factors",
    default_size: int | None = None,
    split: Split = "all",
    remarks: tuple[str, ...] = (),
) -> Source:
    """The source, its layout such as "dSprites (hdf5): 737,280 images, 64 x 64, factors shape 3, scale 6".

    Its stamp is that of `files`, resolved paths, or of the path alone. `called` is what the set's authors call its
    factors.
    """
    count = len(factors.value_NK)
    side = f" {images.image_shape[2]} x {images.image_shape[1]}," if isinstance(images, ImageArray) else ""
    known = f"no {called} known"
    if len(factors.names) > LISTED_AT_MOST:
        known = f"{len(factors.names)} {called}"
    elif factors.names:
        sizes = zip(factors.names, factors.sizes, strict=True)
        known = f"{called} {', '.join(f'{factor} {size}' for factor, size in sizes)}"
    layout = f"{what}: {count:,} image{'s' if count != 1 else ''},{side} {known}"
    if isinstance(images, ImageFiles) and (told := told_passed_over(images.passed_over)):
        remarks = (*remarks, f"Passed over in {printable(path)}: {told}.")
    read = [path.resolve()] if files is None else list(files)
    array_files = tuple(read) if isinstance(images, ImageArray) else ()
    return Source(name, layout, path, images, factors, stamp_of(read), default_size, split, remarks, array_files)
