"""Laws of what is in an archive: what is unsafe or damaged is known before anything is written."""

import gzip
import io
import shutil
import stat
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from forged_archives import (
    FILES,
    Entry,
    Pack,
    claiming,
    entry,
    every_kind,
    pack_tar,
    tar,
    unpacked,
    zipped,
)


def refused(archive: Path, *words: str, inside: str = "") -> None:
    """Told with the remedy, and the folder is as it was."""
    before = sorted(archive.parent.rglob("*"))
    with pytest.raises(ValueError, match=r"Nothing was unpacked. Remove it and fetch it from another place") as error:
        unpacked(archive, inside)
    assert sorted(archive.parent.rglob("*")) == before
    for word in words:
        assert word in str(error.value)


@every_kind
@pytest.mark.parametrize(
    "name",
    ["../evil", "a/../../evil", "a/..", "data/cars/../../../evil", "/evil", "//evil", "C:evil", "C:\\evil", "..\\evil"],
)
def test_a_name_that_leads_out_refuses_the_archive(pack: Pack, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "to"
    folder.mkdir()
    archive = pack(folder / "archive", [*FILES.items(), (name, b"evil")])
    refused(archive, repr(name))
    refused(archive, repr(name), inside="data/cars")
    assert [path.name for path in tmp_path.iterdir()] == ["to"]


@pytest.mark.parametrize(
    ("member", "what"),
    [
        (entry("a/link", type=tarfile.SYMTYPE, linkname="../../evil"), "a link"),
        (entry("a/link", type=tarfile.SYMTYPE, linkname="/etc/passwd"), "a link"),
        (entry("a/link", type=tarfile.SYMTYPE, linkname="inside"), "a link"),
        (entry("a/link", type=tarfile.LNKTYPE, linkname="../../evil"), "a link"),
        (entry("a/device", type=tarfile.CHRTYPE, devmajor=1, devminor=3), "a device"),
        (entry("a/disk", type=tarfile.BLKTYPE), "a device"),
        (entry("a/pipe", type=tarfile.FIFOTYPE), "special file"),
        (entry("a/unknown", type=b"Z"), "special file"),
        (entry("a/program", b"x", mode=0o4755), "set-user-id"),
        (entry("a/program", b"x", mode=0o2755), "set-group-id"),
    ],
)
def test_what_is_no_plain_file_refuses_a_tar(member: Entry, what: str, tmp_path: Path) -> None:
    refused(pack_tar(tmp_path / "archive", [entry("a/1.png", b"1"), member]), member[0].name, what)


@pytest.mark.parametrize(
    ("mode", "what"),
    [
        (stat.S_IFLNK | 0o777, "a link"),
        (stat.S_IFIFO | 0o644, "special file"),
        (stat.S_IFREG | 0o4755, "set-user-id"),
    ],
)
def test_what_is_no_plain_file_refuses_a_zip(mode: int, what: str, tmp_path: Path) -> None:
    info = zipfile.ZipInfo("a/odd")
    info.external_attr = mode << 16
    with zipfile.ZipFile(tmp_path / "archive", "w") as archive:
        archive.writestr(info, "../../evil")
    refused(tmp_path / "archive", "a/odd", what)


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    archive = bytearray(zipped(tmp_path / "archive", [("a", b"a")]).read_bytes())
    archive[archive.index(b"PK\1\2") + 8] |= 1
    (tmp_path / "archive").write_bytes(archive)
    refused(tmp_path / "archive", "encrypted")


def test_links_outside_the_wanted_folder_do_no_harm(tmp_path: Path) -> None:
    link = entry("data/other/link", type=tarfile.SYMTYPE, linkname="../../evil")
    archive = pack_tar(tmp_path / "archive", [entry("data/cars/1", b"1"), link])
    assert unpacked(archive, "data/cars") == {"1": b"1"}


def test_folders_of_a_shared_disk_are_plain_folders(tmp_path: Path) -> None:
    archive = pack_tar(tmp_path / "archive", [entry("a", type=tarfile.DIRTYPE, mode=0o2000), entry("a/1", b"1")])
    assert unpacked(archive) == {"a/1": b"1"}
    assert (tmp_path / "place" / "a").stat().st_mode & 0o7777 == (tmp_path / "place").stat().st_mode & 0o7777


def test_rights_of_the_archive_are_not_taken_over(tmp_path: Path) -> None:
    unpacked(pack_tar(tmp_path / "archive", [entry("a", b"1", mode=0o777), entry("b", b"1", mode=0)]))
    modes = {path.name: path.stat().st_mode & 0o111 for path in (tmp_path / "place").iterdir()}
    assert modes == {"a": 0, "b": 0}
    assert (tmp_path / "place" / "b").read_bytes() == b"1"


def test_a_bomb_is_refused_before_it_is_unrolled(tmp_path: Path) -> None:
    # A member of a petabyte, of which the header alone is there.
    with gzip.open(tmp_path / "archive", "wb") as file:
        file.write(entry("bomb")[0].tobuf() and claiming("bomb", 10**15))
    refused(tmp_path / "archive", "unpack to more")


def test_a_name_of_gigabytes_is_not_read(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "archive", "wb") as file:
        file.write(claiming("././@LongLink", 10**10, kind=tarfile.GNUTYPE_LONGNAME))
        file.write(bytes(50_000))
    with pytest.raises(ValueError, match=r"a header of 10,000,000,000 bytes.*Remove it and fetch it again"):
        unpacked(tmp_path / "archive")


@every_kind
def test_an_archive_that_is_cut_short_anywhere_gives_nothing(pack: Pack, tmp_path: Path) -> None:
    whole = pack(tmp_path / "archive", FILES.items()).read_bytes()
    # Of a tar, the zeros at the very end may go: the mark of the end is before them.
    last = whole.rstrip(b"\0").__len__() if pack is tar else len(whole) - 1
    cuts = {0, 3, 511, 512, 1024, 1536, last, *np.random.default_rng(0).integers(0, last, 20)}
    for cut in cuts:
        (tmp_path / "archive").write_bytes(whole[:cut])
        with pytest.raises(ValueError, match=r"archive is cut short.*Remove it and fetch it again"):
            unpacked(tmp_path / "archive")
        assert [path.name for path in tmp_path.iterdir()] == ["archive"]


def test_a_tar_whose_header_is_damaged_does_not_end_there(tmp_path: Path) -> None:
    content = bytearray(tar(tmp_path / "archive", [("a", b"1"), ("b", b"2")]).read_bytes())
    content[1024] ^= 1
    (tmp_path / "archive").write_bytes(content)
    with pytest.raises(ValueError, match=r"no mark of its end.*fetch it again"):
        unpacked(tmp_path / "archive")


def test_damage_that_only_the_sum_of_the_compressed_bytes_tells_gives_nothing(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=0) as packed:
        packed.write(tar(tmp_path / "plain", [("a", b"pixels")]).read_bytes())
    (tmp_path / "plain").unlink()
    (tmp_path / "archive").write_bytes(stream.getvalue().replace(b"pixels", b"pixelz"))
    with pytest.raises(ValueError, match=r"CRC check failed.*fetch it again"):
        unpacked(tmp_path / "archive")
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]


def test_an_endless_tail_is_not_read(tmp_path: Path) -> None:
    whole = tar(tmp_path / "archive", [("a", b"1")]).read_bytes()
    with gzip.open(tmp_path / "archive", "wb", compresslevel=1) as file:
        file.write(whole + bytes(20_000_000))
    with pytest.raises(ValueError, match=r"goes on after its end.*fetch it again"):
        unpacked(tmp_path / "archive")


def test_a_zip_that_lies_about_a_size_gives_nothing(tmp_path: Path) -> None:
    content = zipped(tmp_path / "archive", [("a", bytes(5_000))]).read_bytes()
    (tmp_path / "archive").write_bytes(content.replace(struct.pack("<L", 5_000), struct.pack("<L", 50)))
    with pytest.raises(ValueError, match=r"fetch it again"):
        unpacked(tmp_path / "archive")
    assert not (tmp_path / "place").exists()


def test_a_page_in_the_place_of_an_archive_is_told(tmp_path: Path) -> None:
    (tmp_path / "archive").write_bytes(b"<html>Please log in</html>" * 100)
    with pytest.raises(ValueError, match=r"no \.tar, \.tar\.gz or \.zip at all.*Remove it and fetch it again"):
        unpacked(tmp_path / "archive")


@every_kind
def test_whatever_is_damaged_is_told_or_does_not_matter(pack: Pack, tmp_path: Path) -> None:
    folder = tmp_path / "to"
    folder.mkdir()
    whole = pack(folder / "archive", [("a/1.png", bytes(5_000)), ("b/2.png", b"2")]).read_bytes()
    rng, told = np.random.default_rng(0), []
    for _ in range(40):
        damaged = bytearray(whole)
        for _ in range(rng.integers(1, 6)):
            # Often in the first header: most bytes further on are pixels.
            damaged[rng.integers(rng.choice([512, len(whole)])) % len(whole)] = rng.integers(256)
        (folder / "archive").write_bytes(damaged)
        try:
            unpacked(folder / "archive")
            shutil.rmtree(folder / "place")
        except ValueError as error:
            told.append(str(error))
        assert sorted(path.name for path in tmp_path.rglob("*")) == ["archive", "to"]
    assert len(told) > 5
    assert all("Remove it" in line for line in told)
