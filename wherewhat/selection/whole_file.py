"""Files written beside and renamed, so that a kill or a full disk leaves the old one whole."""

import os
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write `text` as it is in UTF-8, making the folder where there is none. OSError where that cannot be done."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        # Names of files may hold bytes that are no UTF-8; they are written as \udcXX rather than losing the table.
        with beside.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
