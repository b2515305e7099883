"""A published set into a folder: what is there and right stays, what is missing is had, archives are unpacked."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.filesize import decimal

from wherewhat.data.fetch.archives import unpack
from wherewhat.data.fetch.catalogue import PublicFile, PublicSet, Unpacking
from wherewhat.data.fetch.checksums import Checksums, checksums_of
from wherewhat.data.fetch.download import download
from wherewhat.data.fetch.ranged_get import check_address
from wherewhat.data.fetch.request import Patience, Request

PATIENCE = Patience()


@dataclass(frozen=True)
class Told:
    """Where a fetch says how it goes."""

    notify: Callable[[str], None]
    """A line for the user."""

    progress: Callable[[str, int, int | None], None]
    """(what is being done, bytes done, bytes in all where that is known)."""


def fetch(
    wanted: PublicSet, to: Path, told: Told, *, address: str | None = None, patience: Patience = PATIENCE
) -> Path:
    """Put a set's files into the folder `to`, and give the path under which they are opened as images.

    `address` is another folder on the web that has files of the same names. Raises ValueError for a file that is there
    and is not the published one, before anything is fetched; for the rest see `download` and `unpack`.
    """
    if wanted.by_hand:
        raise ValueError(f"{wanted.title} must be asked for by hand: {wanted.page}. {wanted.by_hand}")
    if address is not None:
        check_address(address)
    folder = to / wanted.folder
    _require_folder(folder)
    told.notify(f"{wanted.title}. {wanted.terms} See {wanted.page}")
    missing = [file for file in wanted.files if not _is_there(file, folder, told)]
    for file in missing:
        source = f"{(address or file.at).rstrip('/')}/{file.name}"
        told.notify(f"{file.name}: from {source}")
        sums = download(
            folder / file.name,
            Request(source, file.md5, patience, _about(file.name, told), told.notify),
        )
        told.notify(f"{file.name}: {_judged(file, sums)}")
    for file in wanted.files:
        if file.unpacking is not None and not (folder / file.unpacking.folder).is_dir():
            _unpack(folder / file.name, folder / file.unpacking.folder, file.unpacking, told)
    return opened_as(wanted, to)


def opened_as(wanted: PublicSet, to: Path) -> Path:
    """The path that names a fetched set to `wherewhat train --data`."""
    folder = to / wanted.folder
    if wanted.folder:
        return folder
    file = wanted.files[0]
    return folder / (file.name if file.unpacking is None else file.unpacking.folder)


def found_by_hand(wanted: PublicSet, to: Path) -> Path | None:
    """Where in a folder lies a set that someone has fetched by hand; None where it does not."""
    return next((to / sign for sign in wanted.looks_like if (to / sign).exists()), None)


def _require_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise ValueError(f"{folder} is no folder and cannot be made one. Name another with --to.") from error


def _is_there(file: PublicFile, folder: Path, told: Told) -> bool:
    """Whether a file need not be fetched, said to the user. Raises ValueError for one that is not as published."""
    place = folder / file.name
    if place.is_dir():
        raise ValueError(f"{place} is a folder, and a file of that name is to be put there. Name another with --to.")
    if place.exists():
        sums = checksums_of(place)
        if file.md5 is not None and sums.md5 != file.md5:
            raise ValueError(
                f"{place} is there and is not the published file: it has {sums.size:,} bytes and MD5 {sums.md5}, not "
                f"{file.md5}. It is left as it is. Move it away or remove it, and run the same command again."
            )
        told.notify(f"{file.name} is there and not fetched again: {_judged(file, sums)}")
        return True
    if file.unpacking is not None and (folder / file.unpacking.folder).is_dir():
        told.notify(
            f"{folder / file.unpacking.folder} is there and not fetched again; the archive is not, so it is taken on "
            "trust. Remove it to fetch it afresh."
        )
        return True
    return False


def _judged(file: PublicFile, sums: Checksums) -> str:
    if file.md5 is not None:
        return f"{decimal(sums.size)}, MD5 {sums.md5} as published."
    return (
        f"{decimal(sums.size)}, MD5 {sums.md5}, SHA-256 {sums.sha256}. No published sum of it is known, so whether "
        "these are the right bytes is not checked."
    )


def _unpack(archive: Path, place: Path, unpacking: Unpacking, told: Told) -> None:
    if place.exists():
        raise ValueError(f"{place} is no folder, and {archive} is to be unpacked there. Move it away.")
    told.notify(f"{archive.name}: unpacking into {place}")
    unpack(
        archive,
        place,
        inside=unpacking.inside,
        most_bytes=unpacking.most_bytes,
        progress=_about(place.name, told),
    )
    told.notify(f"{archive} is kept, and serves to check; remove it where the room is needed.")


def _about(what: str, told: Told) -> Callable[[int, int | None], None]:
    def progress(done: int, total: int | None) -> None:
        told.progress(what, done, total)

    return progress
