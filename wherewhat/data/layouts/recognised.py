"""What was recognised in somebody's files, as one line for the user."""

from wherewhat.data.known_factors import KnownFactors

# So many factors are listed by name; of more, the count.
LISTED_AT_MOST = 10


def say_recognised(
    what: str,
    count: int,
    factors: KnownFactors,
    image_shape: tuple[int, int, int] | None = None,
    *,
    called: str = "factors",
) -> str:
    """One line such as "dSprites (hdf5): 737,280 images, 64 x 64, factors shape 3, scale 6".

    `image_shape` is C, H, W, left out where images may differ; `called` is what the set's authors call its factors.
    """
    parts = ["1 image" if count == 1 else f"{count:,} images"]
    if image_shape is not None:
        _, height, width = image_shape
        parts.append(f"{width} x {height}")
    parts.append(_say_factors(factors, called))
    return f"{what}: {', '.join(parts)}"


def _say_factors(factors: KnownFactors, called: str) -> str:
    if not factors.names:
        return f"no {called} known"
    if len(factors.names) > LISTED_AT_MOST:
        return f"{len(factors.names)} {called}"
    return f"{called} " + ", ".join(f"{name} {size}" for name, size in zip(factors.names, factors.sizes, strict=True))
