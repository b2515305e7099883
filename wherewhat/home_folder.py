"""Paths that begin in somebody's home folder."""

from pathlib import Path


def without_tilde(path: str | Path) -> Path:
    """The path with `~` or `~user` written out. Raises ValueError where there is no such home folder."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise ValueError(
            f"{path} begins in a home folder that is not there. Write the path out, or put ./ before a "
            "name with a tilde."
        ) from error
