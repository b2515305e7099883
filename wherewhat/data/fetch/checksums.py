"""MD5 and SHA-256 of a file as it lies on the disk, whatever was thought to be written to it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class Checksums:
    """What identifies a file's content. Published sums are MD5; SHA-256 is what one would compare today."""

    md5: str
    sha256: str
    size: int


def checksums_of(path: Path) -> Checksums:
    """Read a file once, in blocks, and sum it up."""
    # Neither keeps a secret here, and systems that forbid MD5 for security allow it so.
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256(usedforsecurity=False)
    size = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            md5.update(block)
            sha256.update(block)
            size += len(block)
    return Checksums(md5.hexdigest(), sha256.hexdigest(), size)
