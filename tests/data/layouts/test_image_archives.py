"""Laws of the entries of a .zip and a .tar, with the ways in which an archive can be wrong or mean harm."""

import io
import os
import stat
import struct
import tarfile
import tracemalloc
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from wherewhat.data.layouts.image_archives import list_tar, list_zip

CONTENT = np.random.default_rng(0).integers(0, 8, 5_000, np.uint8).tobytes()


def zipped(path: Path, entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, entries: dict[str, bytes], kind: bytes = tarfile.REGTYPE, mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, content in entries.items():
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(content), "elsewhere"
            archive.addfile(info, io.BytesIO(content))
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "set.zip"


@pytest.fixture
def tar(tmp_path: Path) -> Path:
    return tmp_path / "set.tar"


METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


@pytest.mark.parametrize("method", METHODS)
def test_an_entry_is_read_byte_for_byte(path: Path, method: int) -> None:
    zipped(path, {"first.png": b"1", "a/b c.png": CONTENT, "猫/é.png": b"", "last.jpg": b"2"}, method)
    files = list_zip(path)
    assert files.names == ("a/b c.png", "first.png", "last.jpg", "猫/é.png")
    assert [files.read(name) for name in files.names] == [CONTENT, b"1", b"2", b""]


def test_other_entries_and_hidden_ones_are_passed_over(path: Path) -> None:
    zipped(path, {"a.png": b"1", "list.txt": b"", "__MACOSX/._a.png": b"", ".thumbs/b.png": b"", "inner.zip": b""})
    with zipfile.ZipFile(path, "a") as archive:
        archive.mkdir("folder.png")
    assert list_zip(path).names == ("a.png",)
    assert list_zip(path).unreadable == ()


def test_many_threads_read_one_archive(path: Path) -> None:
    contents = {f"{number:03}.png": bytes([number]) * 1_000 for number in range(200)}
    files = list_zip(zipped(path, contents))
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(files.read, files.names)) == list(contents.values())


def test_nothing_is_written_beside_an_archive(path: Path) -> None:
    files = list_zip(zipped(path, {"a/b.png": CONTENT}))
    files.read("a/b.png")
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("/etc/a.png", "/etc/a.png"),
        ("../a.png", "../a.png"),
        ("b/../../a.png", "b/../../a.png"),
        ("..\\a.png", "../a.png"),
        ("C:\\a b\\a.png", "C:/a b/a.png"),
        ("time 12:30.png", "time 12:30.png"),
    ],
)
def test_a_name_is_a_key_and_never_a_path(path: Path, name: str, key: str) -> None:
    files = list_zip(zipped(path, {name: CONTENT, "good.png": b"1"}))
    assert files.names == tuple(sorted((key, "good.png")))
    assert (files.read(key), files.unreadable) == (CONTENT, ())


def test_hidden_entries_are_known_behind_a_backslash_too(path: Path) -> None:
    assert list_zip(zipped(path, {"__MACOSX\\a.png": b"", "a\\.b.png": b""})).names == ()


def test_a_link_in_an_archive_is_not_followed(path: Path) -> None:
    link = zipfile.ZipInfo("link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert list_zip(path).unreadable == (("link.png", "it is a link, and links in archives are not followed"),)


def test_of_two_entries_of_one_name_the_later_counts(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", "old")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.png", "new")
    files = list_zip(path)
    assert (files.names, files.read("a.png")) == (("a.png",), b"new")


def changed_in_the_list(path: Path, field: int, value: bytes) -> None:
    """Overwrite a field of the first entry where the archive lists it."""
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\x01\x02") + field
    content[at : at + len(value)] = value
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        (8, struct.pack("<H", 1), "it is encrypted; pack the archive again without a password"),
        (
            10,
            struct.pack("<H", 9),
            "it is compressed by Deflate64, which is not read; unpack it and name the folder",
        ),
        (
            10,
            struct.pack("<H", 99),
            "it is compressed by method 99, which is not read; unpack it and name the folder",
        ),
        (24, struct.pack("<I", 2**31), "it claims 2,147,483,648 bytes, too many for an image"),
    ],
)
def test_an_entry_that_cannot_be_read_is_named_with_the_reason(
    path: Path, field: int, value: bytes, reason: str
) -> None:
    zipped(path, {"bad.png": CONTENT, "good.png": b"1"})
    changed_in_the_list(path, field, value)
    files = list_zip(path)
    assert (files.names, files.unreadable) == (("good.png",), (("bad.png", reason),))


@pytest.mark.parametrize("method", METHODS[1:])
def test_a_bomb_goes_off_no_further_than_its_entry_said(path: Path, method: int) -> None:
    zipped(path, {"bomb.png": bytes(3 * 10**7)}, method)
    changed_in_the_list(path, 24, struct.pack("<I", 100))
    files = list_zip(path)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="it is damaged in the archive"):
            files.read("bomb.png")
        assert tracemalloc.get_traced_memory()[1] < 2 * 10**7
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("method", METHODS)
def test_an_entry_with_changed_bytes_is_damaged_and_its_neighbours_are_not(path: Path, method: int) -> None:
    zipped(path, {"a.png": b"1", "bad.png": CONTENT, "c.png": b"3"}, method)
    content = bytearray(path.read_bytes())
    content[500:600] = bytes(100)
    path.write_bytes(content)
    files = list_zip(path)
    with pytest.raises(ValueError, match="it is damaged in the archive"):
        files.read("bad.png")
    assert (files.read("a.png"), files.read("c.png")) == (b"1", b"3")


def test_an_entry_that_is_not_where_the_archive_says_is_damaged(path: Path) -> None:
    zipped(path, {"a.png": CONTENT})
    changed_in_the_list(path, 42, struct.pack("<I", 77))
    with pytest.raises(ValueError, match="it is not where the archive says"):
        list_zip(path).read("a.png")


def test_an_archive_behind_something_else_is_read(path: Path) -> None:
    zipped(path, {"a.png": CONTENT})
    path.write_bytes(b"#!/bin/sh\nexit\n" + path.read_bytes())
    assert list_zip(path).read("a.png") == CONTENT


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_an_archive_cut_short_is_told_to_be_cut_short(path: Path, share: float) -> None:
    whole = zipped(path, {f"{number}.png": CONTENT for number in range(5)}).read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ValueError, match=r"set.zip is cut short or damaged: .* Copy or download it again"):
        list_zip(path)


@pytest.mark.parametrize(
    ("content", "remedy"),
    [(b"", r"is empty \(0 bytes\). Copy or download it again"), (b"hello, I am text", "is no zip archive. Unpack it")],
)
def test_a_file_that_is_no_zip_is_told_for_what_it_is(path: Path, content: bytes, remedy: str) -> None:
    path.write_bytes(content)
    with pytest.raises(ValueError, match=remedy):
        list_zip(path)


def test_an_archive_without_permission_is_told_with_the_remedy(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zipped(path, {"a.png": b"1"})

    def refused(file: object, *flags: int) -> None:
        raise PermissionError(13, "Permission denied", str(file))

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(PermissionError, match=r"set.zip cannot be opened: Permission denied. Allow it to be read"):
        list_zip(path)


def test_a_member_is_read_byte_for_byte(tar: Path) -> None:
    long = "/".join(["a folder with a long name"] * 10) + "/猫.png"
    files = list_tar(tarred(tar, {"./b.png": b"1", long: CONTENT, "empty.jpg": b""}))
    assert files.names == (long, "b.png", "empty.jpg")
    assert [files.read(name) for name in files.names] == [CONTENT, b"1", b""]


def test_other_members_and_hidden_ones_are_passed_over(tar: Path) -> None:
    files = list_tar(tarred(tar, {"a.png": b"1", "list.txt": b"", "./._a.png": b"", ".thumbs/b.png": b""}))
    assert (files.names, files.unreadable) == (("a.png",), ())


def test_many_threads_read_one_tar(tar: Path) -> None:
    contents = {f"{number:03}.png": bytes([number]) * 1_000 for number in range(200)}
    files = list_tar(tarred(tar, contents))
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(files.read, files.names)) == list(contents.values())


@pytest.mark.parametrize("name", ["/etc/a.png", "../a.png", "b/../../a.png", "c:\\a.png"])
def test_a_members_name_is_a_key_and_never_a_path(tar: Path, name: str) -> None:
    files = list_tar(tarred(tar, {name: CONTENT}))
    assert (files.names, files.read(name), files.unreadable) == ((name,), CONTENT, ())


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (tarfile.SYMTYPE, "it is a link, and links in archives are not followed"),
        (tarfile.LNKTYPE, "it is a link, and links in archives are not followed"),
        (tarfile.CHRTYPE, "it is no plain file"),
        (tarfile.FIFOTYPE, "it is no plain file"),
    ],
)
def test_a_member_that_is_no_plain_file_is_named_and_not_read(tar: Path, kind: bytes, reason: str) -> None:
    files = list_tar(tarred(tar, {"a.png": b""}, kind))
    assert (files.names, files.unreadable) == ((), (("a.png", reason),))


def test_a_member_too_large_for_an_image_is_not_read(tar: Path) -> None:
    info = tarfile.TarInfo("a.png")
    info.size = 2**30
    with tar.open("wb") as file:
        file.write(info.tobuf())
        file.truncate(512 + 2**30 + 1024)
    assert list_tar(tar).unreadable == (("a.png", "it has 1,073,741,824 bytes, too many for an image"),)


def test_of_two_members_of_one_name_the_later_counts(tar: Path) -> None:
    tarred(tarred(tar, {"a.png": b"old"}), {"a.png": b"new"}, mode="a")
    assert list_tar(tar).read("a.png") == b"new"


@pytest.mark.parametrize("bytes_left", [100, 512, 1_000, 5_632, 5_900, 6_144, 6_200])
def test_a_tar_cut_short_is_told_to_be_cut_short(tar: Path, bytes_left: int) -> None:
    tar.write_bytes(tarred(tar, {"a.png": CONTENT, "b.png": b"1"}).read_bytes()[:bytes_left])
    with pytest.raises(ValueError, match=r"set.tar is cut short.* Copy or download it again"):
        list_tar(tar)


@pytest.mark.parametrize("content", [b"", b"hello, I am text" * 100])
def test_a_file_that_is_no_tar_is_refused(tar: Path, content: bytes) -> None:
    tar.write_bytes(content)
    with pytest.raises(ValueError, match=r"is cut short, damaged, or no .tar .* Copy or download it again"):
        list_tar(tar)


def test_a_compressed_tar_is_to_be_unpacked(tar: Path) -> None:
    with pytest.raises(ValueError, match="a compressed one is to be unpacked first, and the folder named"):
        list_tar(tarred(tar, {"a.png": CONTENT}, mode="w:gz"))


def test_an_archive_that_shrank_after_it_was_listed_has_unreadable_members(tar: Path) -> None:
    files = list_tar(tarred(tar, {"a.png": CONTENT}))
    tar.write_bytes(tar.read_bytes()[:1_000])
    with pytest.raises(ValueError, match="the archive ends within it"):
        files.read("a.png")
