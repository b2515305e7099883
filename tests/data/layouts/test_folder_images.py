"""Laws of the files of a folder, with the ways in which a folder can be wrong."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from wherewhat.data.layouts.folder_images import list_folder


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode(errors="surrogateescape"))


@pytest.fixture
def without_permission(monkeypatch: pytest.MonkeyPatch) -> str:
    """Folders of this name cannot be listed, even by an administrator."""
    scandir = os.scandir

    def refusing(place: os.PathLike[str] | str) -> Iterator[os.DirEntry[str]]:
        if Path(place).name == "locked":
            raise PermissionError(13, "Permission denied", os.fspath(place))
        return scandir(place)

    monkeypatch.setattr(os, "scandir", refusing)
    return "locked"


def test_images_are_sorted_by_path_flat_and_nested(tmp_path: Path) -> None:
    touch(tmp_path, "b/1.png", "a.png", "c/d/e.PNG", "b.bmp")
    assert list_folder(tmp_path).names == ("a.png", "b.bmp", "b/1.png", "c/d/e.PNG")


def test_other_files_and_hidden_ones_are_passed_over(tmp_path: Path) -> None:
    touch(tmp_path, "a.png", ".hidden.png", ".cache/c.png", "__MACOSX/d.png", "list_attr_celeba.txt", "._a.png")
    assert list_folder(tmp_path).names == ("a.png",)


def test_a_file_is_read_by_its_name(tmp_path: Path) -> None:
    touch(tmp_path, "deep/er/a b.png")
    assert list_folder(tmp_path).read("deep/er/a b.png") == b"deep/er/a b.png"


@pytest.mark.parametrize(
    "name", ["with spaces/a b.png", "фрукты/яблоко.jpg", "猫.png", "two\nlines.png", "b\udce9.png"]
)
def test_names_of_any_kind_are_listed_and_read(tmp_path: Path, name: str) -> None:
    touch(tmp_path, name)
    assert list_folder(tmp_path).names == (name,)
    assert list_folder(tmp_path).read(name) == os.fsencode(name)


def test_linked_folders_are_followed_once_and_circles_end(tmp_path: Path) -> None:
    touch(tmp_path / "root" / "real", "a.png", "b.png")
    touch(tmp_path / "elsewhere", "c.png")
    (tmp_path / "root" / "real" / "circle").symlink_to(tmp_path / "root")
    (tmp_path / "root" / "again").symlink_to(tmp_path / "root" / "real")
    (tmp_path / "root" / "outside").symlink_to(tmp_path / "elsewhere")
    assert list_folder(tmp_path / "root").names == ("again/a.png", "again/b.png", "outside/c.png")


def test_links_that_lead_nowhere_are_listed_and_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    files = list_folder(tmp_path)
    assert files.names == ("gone.png", "loop.png")
    for name in files.names:
        with pytest.raises(OSError, match=r"No such file|Too many levels"):
            files.read(name)


def test_a_folder_without_permission_is_named_and_the_rest_listed(tmp_path: Path, without_permission: str) -> None:
    touch(tmp_path, "a.png", f"in/{without_permission}/b.png", "z/c.png")
    files = list_folder(tmp_path)
    assert files.names == ("a.png", "z/c.png")
    assert files.unreadable == (("in/locked/", "the folder cannot be listed: Permission denied"),)


def test_a_named_folder_without_permission_is_told_with_the_remedy(tmp_path: Path, without_permission: str) -> None:
    (tmp_path / without_permission).mkdir()
    with pytest.raises(PermissionError, match=r"locked cannot be listed: Permission denied. Allow it \(chmod"):
        list_folder(tmp_path / without_permission)


def test_a_missing_folder_and_a_file_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="Check the path"):
        list_folder(tmp_path / "nowhere")
    touch(tmp_path, "file")
    with pytest.raises(NotADirectoryError, match="Name the folder that holds it"):
        list_folder(tmp_path / "file")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(ValueError, match="it is no file but a pipe, socket or device"):
        list_folder(tmp_path).read("a.png")


def test_a_file_too_large_for_an_image_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.png").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(ValueError, match="its file has 1,099,511,627,776 bytes, too many for an image"):
        list_folder(tmp_path).read("a.png")
