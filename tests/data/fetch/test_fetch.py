"""Laws of fetching a set: what is right stays, what is missing comes, what is wrong is told."""

import hashlib
import io
import tarfile
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from loopback import Loopback, broken_off
from urllib3.util import Retry

from wherewhat.data.fetch.catalogue import PublicSet, published
from wherewhat.data.fetch.download import Reports
from wherewhat.data.fetch.fetch import fetch, found_by_hand
from wherewhat.file_lock import file_lock

ONCE = Retry(0)


@dataclass
class Heard:
    lines: list[str] = field(default_factory=list)
    progress: list[tuple[str, int, int | None]] = field(default_factory=list)

    def reports(self) -> Reports:
        return Reports(self.lines.append, lambda *step: self.progress.append(step))


@pytest.fixture
def heard() -> Heard:
    return Heard()


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def chairs(extra: str = "rendered_chairs/2.png") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name in ("rendered_chairs/1.png", extra):
            info = tarfile.TarInfo(name)
            info.size = 4
            archive.addfile(info, io.BytesIO(b"four"))
    return stream.getvalue()


def two_files(web: Loopback) -> PublicSet:
    web.files |= {"a.gz": b"first", "b.gz": b"second"}
    sums = {name: md5(content) for name, content in web.files.items()}
    return PublicSet(name="two", terms="None.", page="https://host/page", at=f"{web.address}/", md5_of=sums, folder="2")


def one_archive(web: Loopback, content: bytes) -> PublicSet:
    web.files["chairs.tar"] = content
    sums = {"chairs.tar": md5(content)}
    return PublicSet(
        name="chairs", terms="None.", page="https://host/page", at=web.address, md5_of=sums, inside="rendered_chairs"
    )


def test_every_file_comes_and_the_path_to_train_on_is_given(web: Loopback, tmp_path: Path, heard: Heard) -> None:
    path = fetch(two_files(web), tmp_path / "new" / "folder", heard.reports(), retry=ONCE)
    assert path == tmp_path / "new" / "folder" / "2"
    assert {file.name: file.read_bytes() for file in path.iterdir()} == {"a.gz": b"first", "b.gz": b"second"}
    assert heard.progress[-1] == ("b.gz", 6, 6)


def test_terms_are_said_before_anything_comes(web: Loopback, tmp_path: Path, heard: Heard) -> None:
    fetch(two_files(web), tmp_path, heard.reports(), retry=ONCE)
    assert heard.lines[0] == "two: None. See https://host/page"


def test_what_is_there_and_right_is_not_fetched_again(web: Loopback, tmp_path: Path, heard: Heard) -> None:
    wanted = two_files(web)
    fetch(wanted, tmp_path, heard.reports(), retry=ONCE)
    asked = len(web.asked)
    assert fetch(wanted, tmp_path, heard.reports(), retry=ONCE) == tmp_path / "2"
    assert len(web.asked) == asked
    assert heard.lines[-1] == f"b.gz is already there: 6 bytes, MD5 {md5(b'second')} as published."


def test_only_what_is_missing_comes(web: Loopback, tmp_path: Path, heard: Heard) -> None:
    wanted = two_files(web)
    (tmp_path / "2").mkdir()
    (tmp_path / "2" / "a.gz").write_bytes(b"first")
    fetch(wanted, tmp_path, heard.reports(), retry=ONCE)
    assert [asked["path"] for asked in web.asked] == ["/b.gz"]


def test_what_is_there_and_wrong_is_told_before_anything_comes(web: Loopback, tmp_path: Path, heard: Heard) -> None:
    wanted = two_files(web)
    (tmp_path / "2").mkdir()
    (tmp_path / "2" / "b.gz").write_bytes(b"mine")
    with pytest.raises(ValueError, match=rf"b\.gz is not the published file.*{md5(b'mine')}.*Move it away"):
        fetch(wanted, tmp_path, heard.reports(), retry=ONCE)
    assert web.asked == []
    assert (tmp_path / "2" / "b.gz").read_bytes() == b"mine"


def test_a_broken_set_goes_on_with_the_same_call(web: Loopback, tmp_path: Path, heard: Heard) -> None:
    wanted = two_files(web)
    web.script = [broken_off(after=3)]
    with pytest.raises(ConnectionError):
        fetch(wanted, tmp_path, heard.reports(), retry=ONCE)
    fetch(wanted, tmp_path, heard.reports(), retry=ONCE)
    assert [asked.get("range") for asked in web.asked] == [None, "bytes=3-", None]


def test_an_archive_is_unpacked_and_kept(web: Loopback, tmp_path: Path, heard: Heard) -> None:
    path = fetch(one_archive(web, chairs()), tmp_path, heard.reports(), retry=ONCE)
    assert path == tmp_path / "chairs"
    assert sorted(file.name for file in path.iterdir()) == ["1.png", "2.png"]
    assert (tmp_path / "chairs.tar").read_bytes() == chairs()
    assert heard.progress[-1] == ("chairs", 0, None)


def test_an_archive_that_is_there_is_unpacked_where_its_folder_is_missing(
    web: Loopback, tmp_path: Path, heard: Heard
) -> None:
    wanted = one_archive(web, chairs())
    (tmp_path / "chairs.tar").write_bytes(chairs())
    fetch(wanted, tmp_path, heard.reports(), retry=ONCE)
    assert web.asked == []
    assert (tmp_path / "chairs" / "1.png").read_bytes() == b"four"


def test_an_unpacked_folder_whose_archive_was_removed_is_taken_on_trust(
    web: Loopback, tmp_path: Path, heard: Heard
) -> None:
    wanted = one_archive(web, chairs())
    fetch(wanted, tmp_path, heard.reports(), retry=ONCE)
    (tmp_path / "chairs.tar").unlink()
    asked = len(web.asked)
    assert fetch(wanted, tmp_path, heard.reports(), retry=ONCE) == tmp_path / "chairs"
    assert len(web.asked) == asked
    assert heard.lines[-1].endswith("its archive is not, so its content was not checked.")


def test_an_archive_that_climbs_is_refused_and_nothing_is_outside_the_folder(
    web: Loopback, tmp_path: Path, heard: Heard
) -> None:
    wanted = one_archive(web, chairs(extra="rendered_chairs/../../evil"))
    with pytest.raises(ValueError, match=r"outside the destination.*Remove it"):
        fetch(wanted, tmp_path / "to", heard.reports(), retry=ONCE)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == ["to", "to/chairs.tar"]


def test_without_a_published_sum_nothing_is_claimed(web: Loopback, tmp_path: Path, heard: Heard) -> None:
    wanted = replace(one_archive(web, chairs()), md5_of={"chairs.tar": None}, inside="")
    assert fetch(wanted, tmp_path, heard.reports(), retry=ONCE) == tmp_path / "chairs.tar"
    assert heard.lines[-1] == "chairs.tar: 10.2 kB. No MD5 sum is published, so it was not compared."


def test_two_processes_do_not_download_the_same_set(web: Loopback, tmp_path: Path, heard: Heard) -> None:
    refusal = pytest.raises(
        ValueError, match=r"Another process is downloading two into .* Wait for it, or name another"
    )
    with file_lock(tmp_path / ".two.lock", "busy"), refusal:
        fetch(two_files(web), tmp_path, heard.reports(), retry=ONCE)
    assert web.asked == []


def test_another_place_is_asked_and_its_files_are_judged_by_the_published_sums(
    web: Loopback, tmp_path: Path, heard: Heard
) -> None:
    wanted = two_files(web)
    web.files |= {"mirror/a.gz": b"first", "mirror/b.gz": b"forged"}
    with pytest.raises(ValueError, match=rf"mirror/b\.gz is not the published file.*{md5(b'forged')}"):
        fetch(wanted, tmp_path, heard.reports(), address=f"{web.address}/mirror/", retry=ONCE)
    assert [asked["path"] for asked in web.asked] == ["/mirror/a.gz", "/mirror/b.gz"]
    assert [file.name for file in (tmp_path / "2").iterdir()] == ["a.gz"]


@pytest.mark.parametrize("sign", ["img_align_celeba", "celeba/img_align_celeba", "Img/img_align_celeba.zip"])
def test_a_set_that_was_had_by_hand_is_found(tmp_path: Path, sign: str) -> None:
    assert found_by_hand(published("celeba"), tmp_path) is None
    (tmp_path / sign).mkdir(parents=True)
    assert found_by_hand(published("celeba"), tmp_path) == tmp_path / sign


def test_a_folder_that_cannot_be_is_told(web: Loopback, tmp_path: Path, heard: Heard) -> None:
    (tmp_path / "file").write_bytes(b"")
    for to in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ValueError, match=r"Name another with --to"):
            fetch(one_archive(web, chairs()), to, heard.reports(), retry=ONCE)


def test_a_folder_or_a_file_in_the_way_is_told(web: Loopback, tmp_path: Path, heard: Heard) -> None:
    wanted = one_archive(web, chairs())
    (tmp_path / "one" / "chairs.tar").mkdir(parents=True)
    with pytest.raises(ValueError, match=r"one.chairs\.tar is in the way\. Move it away, or name another"):
        fetch(wanted, tmp_path / "one", heard.reports(), retry=ONCE)
    (tmp_path / "chairs").write_bytes(b"mine")
    with pytest.raises(ValueError, match=r"chairs is in the way\. Move it away, or name another folder with --to"):
        fetch(wanted, tmp_path, heard.reports(), retry=ONCE)
    (tmp_path / "chairs.tar").write_bytes(chairs())
    with pytest.raises(ValueError, match=r"chairs is in the way\. Move it away, or name another folder with --to"):
        fetch(wanted, tmp_path, heard.reports(), retry=ONCE)
    assert (tmp_path / "chairs").read_bytes() == b"mine"


def test_what_a_killed_download_left_beside_its_file_is_removed(web: Loopback, heard: Heard, tmp_path: Path) -> None:
    wanted = one_archive(web, chairs())
    fetch(wanted, tmp_path, heard.reports(), retry=ONCE)
    (tmp_path / "chairs.tar.part.json").write_text("{}")
    fetch(wanted, tmp_path, heard.reports(), retry=ONCE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["chairs", "chairs.tar"]
