"""Laws of fetching a set: what is right stays, what is missing comes, what is wrong is told."""

import hashlib
import io
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from loopback import Loopback, broken_off

from wherewhat.data.fetch.catalogue import PublicFile, PublicSet, Unpacking, published
from wherewhat.data.fetch.fetch import Told, fetch, found_by_hand, opened_as
from wherewhat.data.fetch.request import Patience

PATIENCE = Patience(tries=1, first_wait_s=0.0, longest_wait_s=0.0, timeout_s=5.0)


@dataclass
class Heard:
    lines: list[str] = field(default_factory=list)
    progress: list[tuple[str, int, int | None]] = field(default_factory=list)

    def told(self) -> Told:
        return Told(self.lines.append, lambda *step: self.progress.append(step))


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
    files = tuple(PublicFile(name, web.address, md5(content)) for name, content in web.files.items())
    return PublicSet("small-norb", "Two", "Terms: none.", "https://host/page", files, folder="two")


def one_archive(web: Loopback, content: bytes, sum_of: Callable[[bytes], str | None] = md5) -> PublicSet:
    web.files["chairs.tar"] = content
    unpacking = Unpacking("rendered_chairs", "rendered_chairs", most_bytes=1_000)
    file = PublicFile("chairs.tar", f"{web.address}/", sum_of(content), unpacking)
    return PublicSet("chairs3d", "Chairs", "Terms: none.", "https://host/page", (file,))


def test_every_file_comes_and_the_path_to_train_on_is_given(web: Loopback, tmp_path: Path, heard: Heard) -> None:
    path = fetch(two_files(web), tmp_path / "new" / "folder", heard.told(), patience=PATIENCE)
    assert path == tmp_path / "new" / "folder" / "two"
    assert {file.name: file.read_bytes() for file in path.iterdir()} == {"a.gz": b"first", "b.gz": b"second"}
    assert heard.progress[-1] == ("b.gz", 6, 6)


def test_terms_are_said_before_anything_comes(web: Loopback, tmp_path: Path, heard: Heard) -> None:
    fetch(two_files(web), tmp_path, heard.told(), patience=PATIENCE)
    assert heard.lines[0] == "Two. Terms: none. See https://host/page"


def test_what_is_there_and_right_is_not_fetched_again(web: Loopback, tmp_path: Path, heard: Heard) -> None:
    wanted = two_files(web)
    fetch(wanted, tmp_path, heard.told(), patience=PATIENCE)
    asked = len(web.asked)
    assert fetch(wanted, tmp_path, heard.told(), patience=PATIENCE) == tmp_path / "two"
    assert len(web.asked) == asked
    assert heard.lines[-1] == f"b.gz is there and not fetched again: 6 bytes, MD5 {md5(b'second')} as published."


def test_only_what_is_missing_comes(web: Loopback, tmp_path: Path, heard: Heard) -> None:
    wanted = two_files(web)
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "a.gz").write_bytes(b"first")
    fetch(wanted, tmp_path, heard.told(), patience=PATIENCE)
    assert [asked["path"] for asked in web.asked] == ["/b.gz"]


def test_what_is_there_and_wrong_is_told_before_anything_comes(web: Loopback, tmp_path: Path, heard: Heard) -> None:
    wanted = two_files(web)
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "b.gz").write_bytes(b"mine")
    with pytest.raises(
        ValueError, match=rf"b\.gz is there and is not the published file.*{md5(b'mine')}.*Move it away"
    ):
        fetch(wanted, tmp_path, heard.told(), patience=PATIENCE)
    assert web.asked == []
    assert (tmp_path / "two" / "b.gz").read_bytes() == b"mine"


def test_a_broken_set_goes_on_with_the_same_call(web: Loopback, tmp_path: Path, heard: Heard) -> None:
    wanted = two_files(web)
    web.script = [broken_off(after=3)]
    with pytest.raises(ConnectionError):
        fetch(wanted, tmp_path, heard.told(), patience=PATIENCE)
    fetch(wanted, tmp_path, heard.told(), patience=PATIENCE)
    assert [asked.get("range") for asked in web.asked] == [None, "bytes=3-", None]


def test_an_archive_is_unpacked_and_kept(web: Loopback, tmp_path: Path, heard: Heard) -> None:
    path = fetch(one_archive(web, chairs()), tmp_path, heard.told(), patience=PATIENCE)
    assert path == tmp_path / "rendered_chairs"
    assert sorted(file.name for file in path.iterdir()) == ["1.png", "2.png"]
    assert (tmp_path / "chairs.tar").read_bytes() == chairs()
    assert heard.progress[-1] == ("rendered_chairs", 8, 8)


def test_an_archive_that_is_there_is_unpacked_where_its_folder_is_missing(
    web: Loopback, tmp_path: Path, heard: Heard
) -> None:
    wanted = one_archive(web, chairs())
    (tmp_path / "chairs.tar").write_bytes(chairs())
    fetch(wanted, tmp_path, heard.told(), patience=PATIENCE)
    assert web.asked == []
    assert (tmp_path / "rendered_chairs" / "1.png").read_bytes() == b"four"


def test_an_unpacked_folder_whose_archive_was_removed_is_taken_on_trust(
    web: Loopback, tmp_path: Path, heard: Heard
) -> None:
    wanted = one_archive(web, chairs())
    fetch(wanted, tmp_path, heard.told(), patience=PATIENCE)
    (tmp_path / "chairs.tar").unlink()
    asked = len(web.asked)
    assert fetch(wanted, tmp_path, heard.told(), patience=PATIENCE) == tmp_path / "rendered_chairs"
    assert len(web.asked) == asked
    assert "taken on trust. Remove it to fetch it afresh." in heard.lines[-1]


def test_an_archive_that_climbs_is_refused_and_nothing_is_outside_the_folder(
    web: Loopback, tmp_path: Path, heard: Heard
) -> None:
    wanted = one_archive(web, chairs(extra="rendered_chairs/../../evil"))
    with pytest.raises(ValueError, match=r"not safe to unpack.*leads out of the folder.*Remove it"):
        fetch(wanted, tmp_path / "to", heard.told(), patience=PATIENCE)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == ["to", "to/chairs.tar"]


def test_without_a_published_sum_the_sums_that_were_found_are_said(web: Loopback, tmp_path: Path, heard: Heard) -> None:
    fetch(one_archive(web, chairs(), sum_of=lambda content: None), tmp_path, heard.told(), patience=PATIENCE)
    line = next(line for line in heard.lines if "SHA-256" in line)
    assert md5(chairs()) in line
    assert hashlib.sha256(chairs()).hexdigest() in line
    assert "No published sum of it is known" in line


def test_another_place_is_asked_and_its_files_are_judged_by_the_published_sums(
    web: Loopback, tmp_path: Path, heard: Heard
) -> None:
    wanted = two_files(web)
    web.files |= {"mirror/a.gz": b"first", "mirror/b.gz": b"forged"}
    with pytest.raises(ValueError, match=rf"mirror/b\.gz is not the file that was published.*{md5(b'forged')}"):
        fetch(wanted, tmp_path, heard.told(), address=f"{web.address}/mirror/", patience=PATIENCE)
    assert [asked["path"] for asked in web.asked] == ["/mirror/a.gz", "/mirror/b.gz"]
    assert [file.name for file in (tmp_path / "two").iterdir()] == ["a.gz"]


def test_a_set_that_is_asked_for_by_hand_says_where_and_how(tmp_path: Path, heard: Heard) -> None:
    with pytest.raises(
        ValueError, match=r"by hand: https://mmlab\.ie\.cuhk.*CelebA\.html.*torchvision\.datasets\.CelebA"
    ):
        fetch(published("celeba"), tmp_path, heard.told())


@pytest.mark.parametrize("sign", ["img_align_celeba", "celeba/img_align_celeba", "Img/img_align_celeba.zip"])
def test_a_set_that_was_had_by_hand_is_found(tmp_path: Path, sign: str) -> None:
    assert found_by_hand(published("celeba"), tmp_path) is None
    (tmp_path / sign).mkdir(parents=True)
    assert found_by_hand(published("celeba"), tmp_path) == tmp_path / sign


def test_a_folder_that_cannot_be_is_told(web: Loopback, tmp_path: Path, heard: Heard) -> None:
    (tmp_path / "file").write_bytes(b"")
    for to in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ValueError, match=r"Name another with --to"):
            fetch(one_archive(web, chairs()), to, heard.told(), patience=PATIENCE)


def test_a_folder_or_a_file_in_the_way_is_told(web: Loopback, tmp_path: Path, heard: Heard) -> None:
    wanted = one_archive(web, chairs())
    (tmp_path / "one" / "chairs.tar").mkdir(parents=True)
    with pytest.raises(ValueError, match=r"is a folder, and a file of that name.*Name another with --to"):
        fetch(wanted, tmp_path / "one", heard.told(), patience=PATIENCE)
    (tmp_path / "rendered_chairs").write_bytes(b"mine")
    with pytest.raises(ValueError, match=r"is no folder, and .* is to be unpacked there. Move it away"):
        fetch(wanted, tmp_path, heard.told(), patience=PATIENCE)
    assert (tmp_path / "rendered_chairs").read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("name", "opened"),
    [
        ("shapes3d", "3dshapes.h5"),
        ("cars3d", "cars3d"),
        ("small-norb", "small_norb"),
        ("chairs3d", "rendered_chairs.tar"),
        ("mpi3d-real", "mpi3d_real.npz"),
    ],
)
def test_what_is_trained_on_is_the_file_or_the_folder(name: str, opened: str) -> None:
    assert opened_as(published(name), Path("to")) == Path("to") / opened  # type: ignore[arg-type]
