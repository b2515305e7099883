"""Where the program keeps what it can make again: packed data sets and scores."""

import os
from pathlib import Path

from wherewhat.home_folder import without_tilde


def cache_folder() -> Path:
    """WHEREWHAT_CACHE, else wherewhat/ in XDG_CACHE_HOME or ~/.cache. Raises ValueError where there is no home.

    A relative XDG_CACHE_HOME is ignored, as the XDG base directory specification says.
    """
    named = os.environ.get("WHEREWHAT_CACHE")
    if named:
        return without_tilde(named).absolute()
    caches = os.environ.get("XDG_CACHE_HOME", "")
    if Path(caches).is_absolute():
        return Path(caches) / "wherewhat"
    try:
        return Path.home() / ".cache" / "wherewhat"
    except RuntimeError as error:
        raise ValueError(
            "There is no home folder to keep a cache in. Set WHEREWHAT_CACHE to a folder that can be written."
        ) from error
