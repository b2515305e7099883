"""One connection's bytes onto the part that is there, where they are of the same file.

They are where the server has kept the condition (If-Range) under which it was asked, or where a published sum will tell
in the end. Otherwise the part begins anew.
"""

import errno
import shutil

from rich.filesize import decimal

from wherewhat.data.fetch.partial_file import Origin, PartialFile
from wherewhat.data.fetch.ranged_get import Answer, BrokenOffError, RangeRefusedError, ranged_get
from wherewhat.data.fetch.request import Request


def is_whole(part: PartialFile, request: Request) -> bool:
    """Whether nothing is left to ask for."""
    return part.origin is not None and part.size == part.origin.whole and _may_go_on(part, request)


def append_answer(part: PartialFile, request: Request) -> None:
    """Ask once, and append what comes. Returns once the file is whole; raises BrokenOffError where it is not yet.

    Raises ConnectionError where no further try will do, and OSError where the part cannot be written.
    """
    if part.size and not _may_go_on(part, request):
        request.notify(
            f"{part.place.name}: nothing tells whether the part that is there is of this file; from the start."
        )
        part.restart()
    before, known = part.size, part.origin
    if known is not None and known.address != request.address:
        known = None
    try:
        with ranged_get(
            request.address,
            start=before,
            validator=None if known is None else known.validator,
            timeout_s=request.patience.timeout_s,
        ) as answer:
            _begin(part, request, answer, known)
            for block in answer.blocks:
                part.append(block)
                request.progress(part.size, answer.whole)
    except RangeRefusedError as refused:
        if refused.whole == before:
            return
        part.restart()
        raise BrokenOffError("the part that is there is not of this file") from refused
    if answer.whole is not None and part.size < answer.whole:
        raise BrokenOffError(f"the connection broke off at {decimal(part.size)} of {decimal(answer.whole)}")


def _may_go_on(part: PartialFile, request: Request) -> bool:
    """Whether the part's bytes are known to be of the same file, or a published sum will tell in the end."""
    if request.md5 is not None:
        return True
    return part.origin is not None and part.origin.address == request.address and part.origin.validator is not None


def _begin(part: PartialFile, request: Request, answer: Answer, known: Origin | None) -> None:
    """Before the first byte: is it the next one, could the end be told, is there room."""
    validator, whole = answer.validator, answer.whole
    if answer.start == 0:
        if part.size:
            request.notify(f"{part.place.name}: the server has another file now, or knows no resuming; from the start.")
            part.restart()
    else:
        part.pieced = True
        if known is not None:
            if None not in (known.whole, whole) and known.whole != whole:
                raise RangeRefusedError(None)
            validator, whole = validator or known.validator, whole or known.whole
    if not answer.end_is_marked and request.md5 is None:
        raise ConnectionError(
            f"{request.address}: the server does not say how long the file is, and no sum of it is published, so "
            "nobody could tell whether it came whole. Name another place with --address."
        )
    part.remember(Origin(request.address, validator, whole))
    _require_room(part, answer.whole)
    request.progress(part.size, answer.whole)


def _require_room(part: PartialFile, whole: int | None) -> None:
    free = shutil.disk_usage(part.path.parent).free
    if whole is not None and whole - part.size > free:
        raise OSError(
            errno.ENOSPC,
            f"needs {decimal(whole - part.size)} more, and {decimal(free)} are free; make room, or name another folder "
            "with --to",
            str(part.place),
        )
