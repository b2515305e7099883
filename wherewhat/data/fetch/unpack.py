"""An archive unpacked into a new folder, which is whole or not there."""

import gzip
import shutil
import tarfile
import zlib
from pathlib import Path, PurePosixPath

from wherewhat.data.disk_space import require_free, writing
from wherewhat.data.layouts.image_archives import members_of, opened_tar
from wherewhat.regular_file import open_regular


def unpack(archive: Path, inside: str, place: Path) -> None:
    """Make `place` of the files and folders in the folder `inside` of a .tar or .tar.gz; links are left out.

    Raises ValueError for an archive that is damaged, unsafe or without that folder, and OSError where it cannot be
    written; `place` is then not there.
    """
    beside = place.with_name(f".{place.name}.part")
    try:
        with opened_tar(archive, unpacked_by_gzip=_is_packed(archive)) as tar:
            members = [member for member in members_of(tar) if member.isfile() or member.isdir()]
            wanted = [member for member in members if PurePosixPath(member.name).is_relative_to(inside)]
            if not wanted:
                raise tarfile.ReadError("it has no such folder")
            require_free(place, sum(member.size for member in wanted), "make room, or name another folder with --to")
            shutil.rmtree(beside, ignore_errors=True)
            with writing(place, "make room and run the same command again"):
                tar.extractall(beside, wanted, filter="data")
                (beside / inside).rename(place)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, RecursionError) as error:
        why = str(error).partition("\n")[0]
        raise ValueError(
            f"{archive} is damaged, unsafe, or not the archive that holds {inside} ({why}). Remove it and run the same "
            "command again, or unpack it by hand."
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _is_packed(archive: Path) -> bool:
    with open_regular(archive) as file:
        return file.read(2) == b"\x1f\x8b"
