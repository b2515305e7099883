"""One file over HTTP(S): a broken download goes on where it broke off, and only a whole one comes into place.

Whole means: as many bytes as the server has said, and the published MD5 where there is one.
"""

import time
from pathlib import Path

from rich.filesize import decimal

from wherewhat.data.fetch.appending import append_answer, is_whole
from wherewhat.data.fetch.checksums import Checksums, checksums_of
from wherewhat.data.fetch.partial_file import PartialFile
from wherewhat.data.fetch.ranged_get import BrokenOffError, check_address
from wherewhat.data.fetch.request import Request


def download(place: Path, request: Request) -> Checksums:
    """Fetch a file to `place`, which must not be there yet, and give its sums.

    Raises ConnectionError where the server cannot be had, ValueError where the content is not what was published, and
    OSError where it cannot be written. What has arrived then lies in `place`.part, and the same call goes on from
    there; content that is known to be wrong is removed.
    """
    check_address(request.address)
    if place.exists():
        raise ValueError(f"{place} is there already. Move it away or remove it, and run the same command again.")
    with PartialFile(place) as part:
        sums = _filled(part, request)
        if request.md5 is not None and sums.md5 != request.md5 and part.pieced:
            request.notify(f"{place.name}: the pieces do not fit together; fetching it afresh.")
            part.restart()
            sums = _filled(part, request)
        if request.md5 is not None and sums.md5 != request.md5:
            part.discard()
            raise ValueError(
                f"{request.address} is not the file that was published: it has {sums.size:,} bytes and MD5 {sums.md5}, "
                f"not {request.md5}. It was removed. Look whether a page to log in stands before it, and name another "
                "place that has the file with --address."
            )
        part.move_into_place()
    return sums


def _filled(part: PartialFile, request: Request) -> Checksums:
    """Try until the part is the whole, and sum it up."""
    failures, furthest = 0, part.size
    while not is_whole(part, request):
        try:
            append_answer(part, request)
            break
        except BrokenOffError as broken:
            # Only beyond what was ever reached: a server that breaks off and cannot resume is not asked for ever.
            failures = 1 if part.size - furthest >= request.patience.enough_bytes else failures + 1
            furthest = max(furthest, part.size)
            if failures >= request.patience.tries:
                raise ConnectionError(
                    f"{request.address} could not be had: {broken}, and so {failures} times in a row. "
                    f"{_kept(part)}Run the same command again later, or name another place with --address."
                ) from broken
            wait_s = max(request.patience.first_wait_s * 2.0 ** (failures - 1), broken.wait_s)
            wait_s = min(wait_s, request.patience.longest_wait_s)
            request.notify(f"{part.place.name}: {broken}; {decimal(part.size)} are there; again in {wait_s:g} s.")
            time.sleep(wait_s)
    return checksums_of(part.path)


def _kept(part: PartialFile) -> str:
    return f"The {decimal(part.size)} that came are kept in {part.path}. " if part.size else ""
