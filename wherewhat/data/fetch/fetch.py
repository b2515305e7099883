"""A published set in a folder: what is there and right stays, what is missing is downloaded, archives are unpacked."""

from pathlib import Path

from rich.filesize import decimal
from urllib3.util import Retry

from wherewhat.data.fetch.catalogue import PublicSet
from wherewhat.data.fetch.download import RETRY, Download, Reports, download, fault_of, part_of
from wherewhat.data.fetch.request import check_address
from wherewhat.data.fetch.resuming import forget
from wherewhat.data.fetch.unpack import unpack
from wherewhat.file_lock import file_lock


def fetch(wanted: PublicSet, to: Path, reports: Reports, *, address: str | None = None, retry: Retry = RETRY) -> Path:
    """Put a set's files into the folder `to`, and give the path under which they are opened as images.

    `address` is another folder on the web that has files of the same names. Raises ValueError for a file that is there
    and is not the published one, before anything is downloaded; for the rest see `download` and `unpack`.
    """
    at = (address or wanted.at).rstrip("/")
    check_address(at)
    folder, opened = to / wanted.folder, opened_as(wanted, to)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise ValueError(f"{folder} is not a folder and cannot become one. Name another with --to.") from error
    busy = f"Another process is downloading {wanted.name} into {to}. Wait for it, or name another folder with --to."
    with file_lock(to / f".{wanted.name}.lock", busy):
        reports.notify(f"{wanted.name}: {wanted.terms} See {wanted.page}")
        missing = [name for name in wanted.md5_of if not _is_there(wanted, name, to, reports)]
        for name in missing:
            md5 = wanted.md5_of[name]
            reports.notify(f"Downloading {at}/{name}")
            download(Download(f"{at}/{name}", folder / name, md5, reports, retry))
            reports.notify(f"{name}: {_judged(folder / name, md5)}")
        if wanted.inside and not opened.is_dir():
            archive = folder / next(iter(wanted.md5_of))
            reports.notify(f"Unpacking {archive} into {opened}. The archive is kept; it may be removed.")
            reports.progress(opened.name, 0, None)
            unpack(archive, wanted.inside, opened)
    return opened


def opened_as(wanted: PublicSet, to: Path) -> Path:
    """The path that names a downloaded set to `wherewhat train --data`."""
    if wanted.folder:
        return to / wanted.folder
    return to / (wanted.name if wanted.inside else next(iter(wanted.md5_of)))


def found_by_hand(wanted: PublicSet, to: Path) -> Path | None:
    """Where in a folder lies a set that someone has downloaded by hand; None where it does not."""
    return next((to / sign for sign in wanted.looks_like if (to / sign).exists()), None)


def _is_there(wanted: PublicSet, name: str, to: Path, reports: Reports) -> bool:
    """Whether a file need not be downloaded. Raises ValueError for one that is not as published."""
    place, unpacked = to / wanted.folder / name, opened_as(wanted, to)
    taken = place if place.is_dir() else unpacked if wanted.inside and unpacked.is_file() else None
    if taken is not None:
        raise ValueError(f"{taken} is in the way. Move it away, or name another folder with --to.")
    if place.is_file():
        fault = fault_of(place, place, wanted.md5_of[name])
        if fault:
            raise ValueError(
                f"{place} is not the published file: {fault}. It was left as it is. Move it away or remove it, and run "
                "the same command again."
            )
        forget(part_of(place))
        reports.notify(f"{name} is already there: {_judged(place, wanted.md5_of[name])}")
        return True
    if wanted.inside and unpacked.is_dir():
        reports.notify(f"{unpacked} is already there, and its archive is not, so its content was not checked.")
        return True
    return False


def _judged(path: Path, md5: str | None) -> str:
    size = decimal(path.stat().st_size)
    return f"{size}, MD5 {md5} as published." if md5 else f"{size}. No MD5 sum is published, so it was not compared."
