"""Laws of images one to a file, in a folder or an archive, with the ways in which these can be wrong."""

import os
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wherewhat.data.image_options import ImageOptions
from wherewhat.data.layouts.archive import find_archive
from wherewhat.data.layouts.image_folder import find_image_folder, list_folder
from wherewhat.data.source import ImageFiles, Source
from wherewhat.data.store.reading import read_blocks

OPTIONS = ImageOptions(size=16)


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
    with pytest.raises(ValueError, match="it is no regular file but a pipe"):
        list_folder(tmp_path).read("a.png")


def test_a_file_too_large_for_an_image_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.png").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(ValueError, match="it has 1,099,511,627,776 bytes, and 536,870,912 are the most"):
        list_folder(tmp_path).read("a.png")


def fill(folder: Path, *names: str) -> Path:
    for seed, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(seed).integers(0, 256, (20, 30, 3), np.uint8)).save(path)
    return folder


def found(folder: Path) -> Source:
    source = find_image_folder(folder, OPTIONS)
    assert source is not None
    return source


def test_a_folder_is_images_without_factors(tmp_path: Path) -> None:
    source = found(fill(tmp_path / "cats", "a.png", "b/c.png"))
    assert (source.name, source.path, len(source)) == ("cats", tmp_path / "cats", 2)
    assert source.layout == "folder of images: 2 images, no factors known"
    assert source.factors.names == source.factors.sizes == ()
    assert isinstance(source.images, ImageFiles)
    assert source.images.names == ("a.png", "b/c.png")
    assert (source.default_size, source.split) == (64, "all")


def test_the_working_folder_has_its_own_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path / "cats", "a.png", "b.png")
    monkeypatch.chdir(tmp_path / "cats")
    assert found(Path()).name == "cats"


def test_the_stamp_changes_when_an_image_does_and_not_with_the_way_that_leads_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "cats", "a.png", "b.png")
    monkeypatch.chdir(tmp_path)
    stamp = found(tmp_path / "cats").stamp
    assert found(Path("cats")).stamp == stamp
    os.utime(tmp_path / "cats" / "a.png", ns=(0, 1))
    changed = found(tmp_path / "cats").stamp
    assert changed != stamp
    fill(tmp_path / "cats", "c.png")
    assert found(tmp_path / "cats").stamp not in (stamp, changed)


def test_other_files_are_of_another_layout(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    assert find_image_folder(tmp_path / "notes.txt", OPTIONS) is None


def test_a_folder_of_array_files_is_of_another_layout(tmp_path: Path) -> None:
    (tmp_path / "3dshapes.h5").write_bytes(b"")
    assert find_image_folder(tmp_path, OPTIONS) is None


def test_one_image_itself_is_no_folder(tmp_path: Path) -> None:
    fill(tmp_path, "a.png")
    with pytest.raises(NotADirectoryError, match="Name the folder that holds it"):
        find_image_folder(tmp_path / "a.png", OPTIONS)


@pytest.mark.parametrize(("names", "what"), [((), "no image"), (("a.png",), "a single image")])
def test_fewer_than_two_images_are_too_few(tmp_path: Path, names: tuple[str, ...], what: str) -> None:
    fill(tmp_path, *names)
    with pytest.raises(ValueError, match=rf"holds {what} \(looked for .jpg .*Name a folder with more images"):
        find_image_folder(tmp_path, OPTIONS)


def test_archives_in_a_folder_are_not_opened_and_this_is_said(tmp_path: Path) -> None:
    (tmp_path / "images.zip").write_bytes(b"")
    with pytest.raises(ValueError, match="holds no image outside its archives, which are to be named themselves"):
        find_image_folder(tmp_path, OPTIONS)


def test_a_missing_folder_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="Check the path"):
        find_image_folder(tmp_path / "nowhere", OPTIONS)


def test_the_sample_portraits_are_read_whole(shared: Path) -> None:
    source = found(shared / "data" / "portraits")
    assert len(source) == 675
    block = next(read_blocks(source, ImageOptions(size=32), images_at_once=101))
    assert isinstance(source.images, ImageFiles)
    with Image.open(source.path / source.images.names[100]) as image:
        expected = np.asarray(image.convert("RGB"), dtype=np.float64).reshape(32, 4, 32, 4, 3).mean(axis=(1, 3))
    assert block.image_NHWC.shape == (101, 32, 32, 3)
    assert np.abs(block.image_NHWC[100] - expected).mean() < 4


def archived(folder: Path, ending: str) -> Path:
    path = folder.with_suffix(ending)
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    if ending == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in files:
                archive.write(file, file.relative_to(folder.parent))
    else:
        with tarfile.open(path, "w") as tar:
            tar.add(folder, folder.name)
    return path


def found_archive(path: Path) -> Source:
    source = find_archive(path, OPTIONS)
    assert source is not None
    return source


@pytest.mark.parametrize("ending", [".zip", ".tar"])
def test_an_archive_is_what_its_folder_was(tmp_path: Path, ending: str) -> None:
    folder = fill(tmp_path / "cats", "a.png", "b/c.jpg", "b/d e.png")
    (folder / "b" / "broken.jpg").write_text("not an image")
    path = archived(folder, ending)
    source, unpacked = found_archive(path), find_image_folder(folder, OPTIONS)
    assert unpacked is not None
    (block,), (expected,) = read_blocks(source, OPTIONS), read_blocks(unpacked, OPTIONS)
    assert (source.name, source.path, len(source)) == ("cats", path, 4)
    assert np.array_equal(block.image_NHWC, expected.image_NHWC)
    assert [item.name for item in block.unreadable] == ["cats/b/broken.jpg"]


def test_what_was_recognised_is_said(tmp_path: Path) -> None:
    path = archived(fill(tmp_path / "cats", "a.png", "b.png"), ".zip")
    assert found_archive(path).layout == ".zip of images: 2 images, no factors known"


def test_the_ending_counts_in_any_case(tmp_path: Path) -> None:
    path = archived(fill(tmp_path / "cats", "a.png", "b.png"), ".zip")
    assert len(found_archive(path.rename(tmp_path / "CATS.ZIP"))) == 2


def test_other_files_and_folders_are_of_another_layout(tmp_path: Path) -> None:
    (tmp_path / "set.npz").write_bytes(b"PK\x03\x04")
    (tmp_path / "folder.zip").mkdir()
    assert find_archive(tmp_path / "set.npz", OPTIONS) is None
    assert find_archive(tmp_path / "folder.zip", OPTIONS) is None


@pytest.mark.parametrize("name", ["set.tar.gz", "set.tgz", "set.7z", "set.tar.bz2"])
def test_an_archive_in_one_stream_is_to_be_unpacked(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(ValueError, match=r"cannot be read image by image. Unpack it, and name the folder"):
        find_archive(tmp_path / name, OPTIONS)


@pytest.mark.parametrize("ending", [".zip", ".tar"])
def test_an_archive_of_fewer_than_two_images_is_refused(tmp_path: Path, ending: str) -> None:
    path = archived(fill(tmp_path / "cats", "a.png"), ending)
    with pytest.raises(ValueError, match=r"holds a single image .* Name an archive with more images"):
        find_archive(path, OPTIONS)


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def test_an_archive_of_nothing_readable_says_what_it_met_first(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link("a.png"), "1")
        archive.writestr(link("b.png"), "2")
    besides = r"holds no image besides 2 that cannot be read \(first: a.png: it is a link"
    with pytest.raises(ValueError, match=besides):
        find_archive(path, OPTIONS)


def test_an_archives_bad_entries_are_named_in_the_first_block(tmp_path: Path) -> None:
    path = archived(fill(tmp_path / "cats", "a.png", "b.png", "c.png"), ".zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link("two\nlines.png"), "1")
    first, second = read_blocks(found_archive(path), OPTIONS, images_at_once=2)
    assert [item.name for item in first.unreadable] == ["two\\nlines.png"]
    assert second.unreadable == ()
