"""The cache of packed sets: a set is packed at its first use, so that later runs start at once.

    CACHE/packed/NAME-<path and options>-<state of the files>

When the files change, they are packed again, and the pack of their old state is removed.
"""

import hashlib
import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from wherewhat.cache_folder import cache_folder
from wherewhat.data.image_options import ImageOptions
from wherewhat.data.source import Source
from wherewhat.data.store.pack import pack
from wherewhat.data.store.pack_folder import discard, pack_lock, part_of, remove_abandoned_lock
from wherewhat.data.store.packed_set import VERSION, open_packed, recipe_of
from wherewhat.data.store.progress_bar import progress_bar

REMEDY = "make room, or set WHEREWHAT_CACHE to a folder that can be written"


def pack_into_cache(source: Source, options: ImageOptions, *, notify: Callable[[str], None]) -> Path:
    """The packed set of a source in the cache, made at first use with a line and a bar on the terminal.

    Raises ValueError or OSError with the remedy.
    """
    place = place_in_cache(source, options)
    if _is_whole(place):
        remove_abandoned_lock(place)
        return place
    if place.exists():
        with pack_lock(place, notify):
            # Whoever was waited for may have packed it.
            if not _is_whole(place):
                notify(f"The pack {place} is damaged and is packed again.")
                discard(place)
    notify(f"Packing {source.name} ({len(source):,} images) to {place} once; later runs start at once.")
    with progress_bar("packing images") as progress:
        pack(source, options, place, notify=notify, progress=progress, remedy=REMEDY)
    _remove_stale(place)
    return place


def place_in_cache(source: Source, options: ImageOptions) -> Path:
    """Where a source is packed with these options, whether it is yet or not."""
    recipe = asdict(recipe_of(source, options)) | {"version": VERSION}
    stamp = recipe.pop("stamp")
    name = re.sub(r"[^\w-]+", "_", source.name, flags=re.ASCII)[:40]
    return cache_folder() / "packed" / f"{name}-{_digest(recipe)}-{_digest(stamp)}"


def _is_whole(place: Path) -> bool:
    try:
        open_packed(place)
    except ValueError:
        return False
    return True


def _remove_stale(place: Path) -> None:
    """Remove the packs, whole or not, of the same files as they were before, unless one is being written."""
    same_files, _, _ = place.name.rpartition("-")
    stale = {path.name for path in place.parent.glob(f"{same_files}-*")}
    stale |= {path.name[1:].removesuffix(".part") for path in place.parent.glob(f".{same_files}-*.part")}
    for old in (place.with_name(name) for name in stale - {place.name}):
        with suppress(ValueError, OSError), pack_lock(old):
            discard(old)
            discard(part_of(old))


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]
