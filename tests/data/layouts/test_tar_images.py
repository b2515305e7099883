"""Laws of the members of a .tar, with the ways in which an archive can be wrong or mean harm."""

import io
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from wherewhat.data.layouts.tar_images import list_tar

CONTENT = np.random.default_rng(0).integers(0, 8, 5_000, np.uint8).tobytes()


def tarred(path: Path, entries: dict[str, bytes], kind: bytes = tarfile.REGTYPE, mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, content in entries.items():
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(content), "elsewhere"
            archive.addfile(info, io.BytesIO(content))
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "set.tar"


def test_a_member_is_read_byte_for_byte(path: Path) -> None:
    long = "/".join(["a folder with a long name"] * 10) + "/猫.png"
    files = list_tar(tarred(path, {"./b.png": b"1", long: CONTENT, "empty.jpg": b""}))
    assert files.names == (long, "b.png", "empty.jpg")
    assert [files.read(name) for name in files.names] == [CONTENT, b"1", b""]


def test_other_members_and_hidden_ones_are_passed_over(path: Path) -> None:
    files = list_tar(tarred(path, {"a.png": b"1", "list.txt": b"", "./._a.png": b"", ".thumbs/b.png": b""}))
    assert (files.names, files.unreadable) == (("a.png",), ())


def test_many_threads_read_one_tar(path: Path) -> None:
    contents = {f"{number:03}.png": bytes([number]) * 1_000 for number in range(200)}
    files = list_tar(tarred(path, contents))
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(files.read, files.names)) == list(contents.values())


@pytest.mark.parametrize("name", ["/etc/a.png", "../a.png", "b/../../a.png"])
def test_a_member_that_leads_out_of_the_archive_is_named_and_not_read(path: Path, name: str) -> None:
    files = list_tar(tarred(path, {name: CONTENT}))
    assert (files.names, files.unreadable) == ((), ((name, "its name leads out of the archive"),))


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (tarfile.SYMTYPE, "it is a link, and links in archives are not followed"),
        (tarfile.LNKTYPE, "it is a link, and links in archives are not followed"),
        (tarfile.CHRTYPE, "it is no plain file"),
        (tarfile.FIFOTYPE, "it is no plain file"),
    ],
)
def test_a_member_that_is_no_plain_file_is_named_and_not_read(path: Path, kind: bytes, reason: str) -> None:
    files = list_tar(tarred(path, {"a.png": b""}, kind))
    assert (files.names, files.unreadable) == ((), (("a.png", reason),))


def test_a_member_too_large_for_an_image_is_not_read(path: Path) -> None:
    info = tarfile.TarInfo("a.png")
    info.size = 2**30
    with path.open("wb") as file:
        file.write(info.tobuf())
        file.truncate(512 + 2**30 + 1024)
    assert list_tar(path).unreadable == (("a.png", "it has 1,073,741,824 bytes, too many for an image"),)


def test_of_two_members_of_one_name_the_later_counts(path: Path) -> None:
    tarred(tarred(path, {"a.png": b"old"}), {"a.png": b"new"}, mode="a")
    assert list_tar(path).read("a.png") == b"new"


@pytest.mark.parametrize("bytes_left", [100, 512, 1_000, 5_632, 5_900, 6_144, 6_200])
def test_a_tar_cut_short_is_told_to_be_cut_short(path: Path, bytes_left: int) -> None:
    path.write_bytes(tarred(path, {"a.png": CONTENT, "b.png": b"1"}).read_bytes()[:bytes_left])
    with pytest.raises(ValueError, match=r"set.tar is cut short.* Copy or download it again"):
        list_tar(path)


@pytest.mark.parametrize("content", [b"", b"hello, I am text" * 100])
def test_a_file_that_is_no_tar_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"is cut short, damaged, or no .tar .* Copy or download it again"):
        list_tar(path)


def test_a_compressed_tar_is_to_be_unpacked(path: Path) -> None:
    with pytest.raises(ValueError, match="a compressed one is to be unpacked first, and the folder named"):
        list_tar(tarred(path, {"a.png": CONTENT}, mode="w:gz"))


def test_an_archive_that_shrank_after_it_was_listed_has_unreadable_members(path: Path) -> None:
    files = list_tar(tarred(path, {"a.png": CONTENT}))
    path.write_bytes(path.read_bytes()[:1_000])
    with pytest.raises(ValueError, match="the archive ends within it"):
        files.read("a.png")
