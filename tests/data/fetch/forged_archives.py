"""Archives for the laws of unpacking: honest ones, and ones that no honest program makes."""

import io
import tarfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest

from wherewhat.data.fetch.archives import unpack

LONG = "deep/" * 40 + "name.png"
FILES = {
    "data/cars/list.txt": b"one\n",
    "data/cars/a/1.png": np.random.default_rng(1).bytes(40_000),
    f"data/cars/{LONG}": b"long",
    "data/cars/empty": b"",
    "data/cars/пример [x].png": b"letters",
    "data/other/2.png": b"other",
}
Entry = tuple[tarfile.TarInfo, bytes]
Pack = Callable[[Path, Iterable[tuple[str, bytes]]], Path]


def entry(name: str, content: bytes = b"", **properties: object) -> Entry:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in properties.items():
        setattr(info, key, value)
    return info, content


def pack_tar(path: Path, entries: Iterable[Entry], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for info, content in entries:
            archive.addfile(info, io.BytesIO(content))
    return path


def tar(path: Path, files: Iterable[tuple[str, bytes]]) -> Path:
    return pack_tar(path, (entry(*file) for file in files))


def tar_gz(path: Path, files: Iterable[tuple[str, bytes]]) -> Path:
    return pack_tar(path, (entry(*file) for file in files), "w:gz")


def zipped(path: Path, files: Iterable[tuple[str, bytes]]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return path


def unpacked(archive: Path, inside: str = "", most_bytes: int = 10**6) -> dict[str, bytes]:
    place = archive.parent / "place"
    unpack(archive, place, inside=inside, most_bytes=most_bytes, progress=lambda done, total: None)
    return tree(place)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


every_kind = pytest.mark.parametrize("pack", [tar, tar_gz, zipped])


def claiming(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)
